/** Checks that the journal and the log files are readable and understood. */
import { NEVER } from "../../core/async.ts";
import { counted } from "../../core/text.ts";
import { DAY, HOUR, localTime, now } from "../../core/time.ts";
import type { Config } from "../../config/types.ts";
import { journalMatches } from "../../monitor/feeds.ts";
import { grant, LOG_GROUP, READ } from "../../core/read_denial.ts";
import { hasUnknownFormat } from "../../reading/activity.ts";
import { isInJournal } from "../../reading/module.ts";
import type { ModuleRules } from "../../rules/rule.ts";
import { logFiles } from "../../sources/files/inspection.ts";
import { openJournal } from "../../sources/journal/journal.ts";
import type { Batch } from "../../sources/source.ts";
import { filesOf } from "../check/check.ts";
import { idlePipeline } from "../common/dry_run.ts";
import { openEnd, readInput } from "../common/input.ts";
import { asRoot, closedTo, newestEntry, type SystemUser } from "../common/machine.ts";
import { failure, failureOf, failuresOf, type Finding, ok, warning } from "./finding.ts";

/** Most journal entries that are read at a time, and how far back. */
const [ENTRIES, SPAN] = [2_000, 7 * DAY];

/** Age of the newest entry from which journald may have stopped. */
const QUIET = HOUR;

/** Checks the journal, the log files, and how much of them each module understands. */
export async function* examineLogs(config: Config, user: SystemUser | null): AsyncGenerator<Finding> {
  const inJournal = config.modules.some(({ module }) => isInJournal(module));
  const journal = inJournal ? await examineJournal() : [];
  yield* journal;
  const isJournalReadable = journal.every(({ result }) => result !== "failure");
  for (const pattern of filesOf(config)) yield* examineFiles(pattern, user);
  for (const module of config.modules) {
    const finding = await examineService(module, isJournalReadable);
    if (finding !== null) yield finding;
  }
}

async function examineJournal(): Promise<Finding[]> {
  try {
    let count = 0;
    // The source leaves out the monitor's own entries, which may be the newest ones.
    for await (const { records } of entries({ identifiers: [], units: [] })) count += records.length;
    if (count > 0) return [await quietJournal() ?? ok("journal", "can be read")];
    return [warning("journal", "holds no entry that can be seen", "let systemd-journald run")];
  } catch (error) {
    return failuresOf("journal", error);
  }
}

/** Warns of a journal in which nobody has written for long; null: somebody has. */
async function quietJournal(): Promise<Finding | null> {
  const entry = await newestEntry([], ["_PID"]);
  const time = Number(entry?.__REALTIME_TIMESTAMP ?? NaN);
  if (!(now() - time >= QUIET)) return null;
  const text = `can be read, but no program has written to it since ${localTime(time)}`;
  return warning("journal", text, "see whether journald runs: systemctl status systemd-journald");
}

function examineFiles(pattern: string, user: SystemUser | null): Finding[] {
  const { paths, problems } = logFiles(pattern);
  const closed = user === null ? [] : paths.flatMap((path) => closedTo(user, path, pattern) ?? []);
  const findings = [
    ...problems.map((sentence) => failureOf("logs", sentence)),
    ...new Map(closed.map((obstacle) => [obstacle.path, obstacle])).values().map((obstacle) => {
      const act = obstacle.wanted & READ ? "read" : "enter";
      const remedy = grant(user!.name, obstacle, { group: LOG_GROUP, prefix: asRoot("") });
      return failure(
        "logs",
        `the mode of ${obstacle.path} does not let the user ${user!.name} ${act} it`,
        `unless an access control list does, let it ${remedy}`,
      );
    }),
  ];
  if (findings.length > 0) return findings;
  if (paths.length === 0) return [warning("logs", `there is no ${pattern} yet`)];
  return [ok("logs", `${counted(paths.length, "file")} of ${pattern} can be read`)];
}

/** Checks how many lines a module understands. Null: it has none, and not all of its sources can be read. */
async function examineService(rules: ModuleRules, isJournalReadable: boolean): Promise<Finding | null> {
  const { name } = rules.module;
  const { lines, understood } = await activityOf(rules, isJournalReadable);
  const share = `understands ${understood} of its newest ${counted(lines, "line")}`;
  if (lines === 0) {
    const isBlind = isInJournal(rules.module) && !isJournalReadable ||
      rules.module.files.some((pattern) => logFiles(pattern).problems.length > 0);
    const remedy = 'see whether the service runs, and whether "match" of the module says where it logs';
    return isBlind ? null : warning("service", `${name} has no line of the last week`, remedy);
  }
  if (!hasUnknownFormat({ lines, understood })) return ok("service", `${name} ${share}`);
  const remedy = name === "NGINX"
    ? 'give "log_format" of nginx.conf in the configuration'
    : `see which: strongmonitor match --module ${name} - < lines`;
  return failure("service", `${name} ${share}: their format is another`, remedy);
}

/** Counts the newest lines of a module. */
async function activityOf(
  rules: ModuleRules,
  isJournalReadable: boolean,
): Promise<{ readonly lines: number; readonly understood: number }> {
  const pipeline = idlePipeline(rules);
  const feed = { name: "doctor", reader: pipeline.readers.of([rules]) };
  const { suppressions: _, ...matches } = journalMatches([rules]);
  const sources = [
    ...(isInJournal(rules.module) && isJournalReadable ? [entries(matches)] : []),
    ...rules.module.files.flatMap((pattern) => logFiles(pattern).paths).map((path) =>
      readInput(openEnd(path))
    ),
  ];
  for (const source of sources) await pipeline.follow(source, feed);
  return pipeline.activity.report(now())[0]!;
}

/** Reads the newest entries of the journal. */
function entries(
  matches: { readonly identifiers: readonly string[]; readonly units: readonly string[] },
): AsyncIterable<Batch> {
  const journal = openJournal({ ...matches, follow: false, newest: ENTRIES });
  return journal.batches({ after: null, since: now() - SPAN }, NEVER);
}
