/**
 * Lists the present problems, which an operator must know of, for notices, `status` and `doctor`.
 * In: the monitor's report on itself. Out: the list. Kind and subject identify a problem; its text
 * may change while it lasts.
 */
import { counted, listed } from "../core/text.ts";
import { localTime, type Micros, MINUTE } from "../core/time.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { hasUnknownFormat, type ModuleActivity } from "../reading/activity.ts";
import type { MonitorReport } from "./report.ts";

/** The kinds of problems; docs/notify.md explains them. */
export type ProblemKind =
  | "config_refused"
  | "source_stopped"
  | "source_unreadable"
  | "bans_failing"
  | "bans_gone"
  | "firewall_unknown"
  | "getting_through"
  | "database_away"
  | "unknown_format"
  | "whitelist_unreadable"
  | "module_given_up"
  | "state_lost"
  | "state_in_memory"
  | "monitor_failed";

/** A problem that an operator must know of. */
export interface Problem {
  readonly kind: ProblemKind;
  /** The source, module or file concerned; empty if there can be only one. */
  readonly subject: string;
  /** A sentence for people. */
  readonly text: string;
}

/** How long a problem of a kind must last before it is told: a short one wakes nobody. */
export const TOLD_AFTER: Readonly<Partial<Record<ProblemKind, Micros>>> = {
  database_away: 5 * MINUTE,
  bans_failing: MINUTE,
};

/** Kinds that happen once: their end is not told. */
export const EVENTS: ReadonlySet<ProblemKind> = new Set<ProblemKind>([
  "bans_gone",
  "module_given_up",
  "state_lost",
  "monitor_failed",
]);

/** Facts in which `problemsOf()` finds problems. */
export interface ProblemView {
  readonly report: MonitorReport;
  /** Bans that the firewall refused; only some of them if there are many. */
  readonly failing: readonly BanStatus[];
  /** Number of rows that wait for PostgreSQL; matters only while it is away. */
  readonly backlog: number;
  /** The monitor cannot write its state and keeps it in memory. */
  readonly isInMemory: boolean;
  /** Sentences about losses of the state. */
  readonly losses: readonly string[];
}

/** Most addresses that one text names. */
const MOST_NAMED = 5;

/** Returns the problems that are present, the worst first. */
export function problemsOf(view: ProblemView): Problem[] {
  return [
    ...stateProblems(view),
    ...reportProblems(view.report),
    ...banProblems(view),
    ...databaseProblems(view),
    ...view.report.whitelistProblems.map((text) => problem("whitelist_unreadable", text, text)),
  ];
}

/** Returns the problem of a monitor that an error ends. */
export function failedMonitor(message: string): Problem {
  return problem("monitor_failed", `The monitor has stopped: ${message}`);
}

function problem(kind: ProblemKind, text: string, subject = ""): Problem {
  return { kind, subject, text };
}

function* stateProblems({ isInMemory, losses }: ProblemView): Generator<Problem> {
  const text =
    "The state cannot be written, so the monitor keeps it in memory, and commands show older bans: " +
    "make room on its disk, or end the program that locks it, as the monitor's log says";
  if (isInMemory) yield problem("state_in_memory", text);
  for (const loss of losses) yield problem("state_lost", loss, loss);
}

function* reportProblems({ refused, loaded, sources, modules }: MonitorReport): Generator<Problem> {
  if (refused !== undefined) {
    const what = `The configuration on disk was refused ${localTime(refused.time)}`;
    yield problem("config_refused", `${what}, the one of ${localTime(loaded)} is in force: ${refused.error}`);
  }
  for (const { name, running, stopped, problems } of sources) {
    const why = stopped ? `${since(stopped.time)}: ${stopped.error}` : "";
    if (!running) yield problem("source_stopped", `${name} is not being read${why}`, name);
    if (problems.length > 0) yield problem("source_unreadable", problems.join("; "), name);
  }
  for (const module of modules) {
    const { name, givenUp } = module;
    if (givenUp !== undefined) {
      const text = `Module ${name} failed too often and is given up${since(givenUp)}`;
      yield problem("module_given_up", text, name);
    }
    if (hasUnknownFormat(module)) yield problem("unknown_format", unknownFormatText(module), name);
  }
}

/** Returns the sentence about a module that understands too few of its lines. */
export function unknownFormatText({ name, lines, understood }: ModuleActivity): string {
  return `Module ${name} understood only ${understood} of ${counted(lines, "line")} in the last hour: ` +
    "has its log format changed?";
}

/** Says when something was given up, and what restarts it. */
function since(time: Micros): string {
  return ` since ${localTime(time)}, until a reload or restart`;
}

function* banProblems(
  { report: { holding, leaks }, failing: [example, ...others] }: ProblemView,
): Generator<Problem> {
  if (holding?.error) {
    yield problem("firewall_unknown", `Cannot tell whether bans hold: ${holding.error}`);
  }
  if (holding !== null && holding.missing > 0) {
    const gone = counted(holding.missing, "ban was", "bans were");
    yield problem("bans_gone", `${gone} gone from the firewall and put back: what removes them?`);
  }
  if (leaks.length > 0) {
    const named = listed(leaks.map(({ address }) => address), MOST_NAMED);
    const text =
      `Banned and still getting through: ${named}: a proxy brings their packets, or the firewall ` +
      "does not stop them";
    yield problem("getting_through", text);
  }
  if (example !== undefined) {
    const more = others.length === 0 ? "" : ` and ${counted(others.length, "address", "addresses")} more`;
    yield problem("bans_failing", `Cannot ban ${nameOf(example)}${more}: ${example.error}`);
  }
}

function databaseProblems({ report: { database }, backlog }: ProblemView): Problem[] {
  if (!database?.error) return [];
  const waiting = backlog === 0
    ? "The monitor does not use the database"
    : `${counted(backlog, "row waits", "rows wait")} for the database`;
  return [problem("database_away", `${waiting}: ${database.error}`)];
}
