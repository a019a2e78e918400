/** Batches of past lines from files, the journal and the state, for `replay` and `what-if`. */
import { NEVER } from "../../core/async.ts";
import { UserError } from "../../core/error.ts";
import { localTime, type Micros } from "../../core/time.ts";
import { isInJournal } from "../../reading/module.ts";
import type { ModuleRules } from "../../rules/rule.ts";
import type { Batch } from "../../sources/source.ts";
import type { State } from "../../state/state.ts";
import { openInput, readInput } from "../common/input.ts";
import { requireSince, requireTime } from "../common/values.ts";
import type { Progress } from "../common/progress.ts";

/** The requested part of a history; undefined: open at that end. */
export interface HistoryRange {
  readonly since?: Micros | undefined;
  readonly until?: Micros | undefined;
}

/** Yields the lines of files in turn; `-` is standard input. Throws `UserError` (64, 69). */
export async function* fileBatches(
  files: readonly string[],
  { command, progress }: { command: string; progress: Progress },
): AsyncGenerator<Batch> {
  if (files.filter((file) => file === "-").length > 1) {
    throw new UserError("Cannot read standard input twice: name - once", 64);
  }
  const inputs = files.map((file) => openInput(file, command));
  const sizes = inputs.map(({ size }) => size);
  progress.begin("bytes", sizes.reduce((sum, size) => sum === null || size === null ? null : sum + size, 0));
  for (const input of inputs) yield* readInput(input, (bytes) => progress.add(bytes));
}

/** Yields the journal's entries of `modules`. Throws `UserError` (64, 69). */
export async function* journalBatches(
  modules: readonly ModuleRules[],
  { since = 0, until }: HistoryRange,
  progress: Progress,
): AsyncGenerator<Batch> {
  if (!modules.some(({ module }) => isInJournal(module))) {
    throw new UserError(
      "Cannot read the journal: no module of the configuration reads it; name log files",
      64,
    );
  }
  progress.begin("lines", null);
  const { journalMatches } = await import("../../monitor/feeds.ts");
  const { openJournal } = await import("../../sources/journal/journal.ts");
  const journal = openJournal({ ...journalMatches(modules), follow: false, until });
  for await (const batch of journal.batches({ after: null, since }, NEVER)) {
    progress.add(batch.records.length);
    yield batch;
  }
}

/** Yields the lines that the state has recorded, in their order. */
export async function* recordedBatches(
  { log }: State,
  { since = 0 }: Pick<HistoryRange, "since">,
  progress: Progress,
): AsyncGenerator<Batch> {
  const { first, last } = log.numbers();
  progress.begin("lines", last - first);
  let reached = first;
  for (const { records, last } of log.recorded(since)) {
    progress.add(last - reached);
    reached = last;
    yield { records, position: "", damaged: 0 };
  }
}

/** Returns the period of the options. Throws `UserError` (64). */
export function requirePeriod(options: { readonly since?: string; readonly until?: string }): HistoryRange {
  const since = options.since === undefined ? undefined : requireSince(options.since);
  const until = options.until === undefined ? undefined : requireTime(options.until);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new UserError(
      `Cannot read from ${localTime(since)} to ${localTime(until)}: the end comes first`,
      64,
    );
  }
  return { since, until };
}
