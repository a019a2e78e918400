import type { Config } from "../../config/types.ts";
import { UserError } from "../../core/error.ts";
import { counted } from "../../core/text.ts";
import { isoTime, isoTimeOrNull, localTime } from "../../core/time.ts";
import { lengthOf } from "../../deciding/ban.ts";
import type { Batch } from "../../sources/source.ts";
import { fileBatches, journalBatches, requirePeriod } from "./history.ts";
import { inputOrStdin } from "../common/input.ts";
import { openConfig } from "../common/open_config.ts";
import { knownWhitelist } from "../whitelist/known.ts";
import { type CommonOptions, print, printError, printJson, printResult, zoneText } from "../common/output.ts";
import { Progress } from "../common/progress.ts";
import { uncountedText } from "../common/words.ts";
import { Rehearsal } from "./rehearsal.ts";

interface ReplayOptions extends CommonOptions {
  readonly since?: string;
  readonly until?: string;
}

/** `replay`: runs files or the journal through the rules in the lines' time; prints the bans. */
export async function replayCommand(files: readonly string[], options: ReplayOptions): Promise<number> {
  const config = openConfig(options);
  const progress = new Progress();
  const started = performance.now();
  let bans = 0;
  const rehearsal = new Rehearsal([{
    config,
    whitelist: knownWhitelist({ config, state: null }),
    banned: (ban) => {
      bans++;
      progress.clear();
      const { address, reason, start, count, until } = ban;
      if (options.json) {
        printJson({ address, reason, time: isoTime(start), count, until: isoTimeOrNull(until) });
      } else {
        print(`${localTime(start)}  ${address}  ${lengthOf(ban)}  ${reason}, ${counted(count, "hit")}`);
      }
    },
  }]);
  let lines = 0;
  for await (const batch of batches(files, options, { modules: config.modules, progress })) {
    lines += batch.records.length;
    rehearsal.take(batch);
  }
  progress.clear();
  const { recorded, hits, events, uncounted } = rehearsal.counts;
  const seconds = Math.round(performance.now() - started) / 1_000;
  const summary = { lines, logged: recorded, hits, uncounted, bans, seconds };
  if (lines === 0 && files.length === 0 && !readsJournal(options)) {
    printError("Standard input has no line: name log files, or read the journal by --since");
  }
  // The journal is asked for the entries of the modules alone: a quiet server has none of strangers.
  if (events === 0 && lines > 0 && !readsJournal(options)) {
    const names = config.modules.map(({ module }) => module.name).join(" or ");
    printError(`${names} found no address in any line: are these lines of another service?`);
  }
  const read = `${counted(lines, "line")}, ${recorded} to record`;
  const sum = `${read}, ${counted(hits, "hit")}, ${counted(bans, "ban")}, ${seconds} s`;
  const more = uncounted > 0 ? [uncountedText(uncounted)] : [];
  printResult(options, { summary }, sum, ...more);
  // V8 takes milliseconds to find the zone.
  if (bans > 0 && !options.json) print(zoneText());
  return 0;
}

function readsJournal({ since, until }: ReplayOptions): boolean {
  return since !== undefined || until !== undefined;
}

function batches(
  files: readonly string[],
  options: ReplayOptions,
  { modules, progress }: { modules: Config["modules"]; progress: Progress },
): AsyncIterable<Batch> {
  if (!readsJournal(options)) {
    if (files.length > 1) {
      printError("The files are read one after another, as they are named: name the oldest first.");
    }
    return fileBatches(files.length > 0 ? files : [inputOrStdin()], { command: "replay", progress });
  }
  if (files.length > 0) {
    throw new UserError("Cannot replay files with --since or --until: these read the journal", 64);
  }
  return journalBatches(modules, requirePeriod(options), progress);
}
