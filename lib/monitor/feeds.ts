/**
 * The feeds that a configuration needs: one for the journal, shared by all modules with journal
 * entries, and one for each log file or pattern of names. A feed is a source (bytes and positions)
 * with its reader (their meaning).
 */
import type { Config } from "../config/types.ts";
import type { Log } from "../core/log.ts";
import { formatDuration, type Micros, now } from "../core/time.ts";
import { isInJournal } from "../reading/module.ts";
import type { ModuleRules } from "../rules/rule.ts";
import { openFiles } from "../sources/files/files.ts";
import { type JournalOptions, openJournal } from "../sources/journal/journal.ts";
import type { Source } from "../sources/source.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Feed } from "./pipeline_parts.ts";

/** Directory inside the state's by which journalctl is woken; see `WakeOptions`. */
const JOURNAL_LINKS = "journal";

/** A feed with its source. */
export interface MonitorFeed extends Feed {
  readonly source: Source;
  /** Modules that the records may belong to. */
  readonly modules: readonly ModuleRules[];
}

/** Opens the feeds: one of the journal for all modules that read it, and one for each log file. */
export function openFeeds(config: Config, { pipeline, log }: FeedParts): MonitorFeed[] {
  const inJournal = config.modules.filter(({ module }) => isInJournal(module));
  return [
    ...(inJournal.length > 0 ? [journalFeed(inJournal, { config, pipeline, log })] : []),
    ...filesOf(config.modules).map((files) => fileFeed(files, { pipeline, log })),
  ];
}

interface FeedParts {
  readonly pipeline: Pipeline;
  readonly log: Log;
}

/** Returns the matches of the journal's entries that `modules` read. */
export function journalMatches(
  modules: readonly ModuleRules[],
): Pick<JournalOptions, "identifiers" | "units" | "suppressions"> {
  return {
    identifiers: modules.flatMap(({ module }) => module.identifiers),
    units: modules.flatMap(({ module }) => module.units),
    suppressions: true,
  };
}

function journalFeed(
  modules: readonly ModuleRules[],
  { config, pipeline, log }: FeedParts & { config: Config },
): MonitorFeed {
  const { stateDirectory, journalWake: interval } = config;
  const source = openJournal({
    ...journalMatches(modules),
    wake: interval === null ? null : { directory: `${stateDirectory}/${JOURNAL_LINKS}`, interval },
    problem: (sentence) => log.info(sentence),
    // A log on a terminal does not reach the journal.
    ...(Deno.stderr.isTerminal() ? { quiet: Infinity } : {}),
  });
  return { name: source.name, source, reader: pipeline.readers.ofEntries(modules), modules };
}

/** A log file, or pattern of names, with the modules that read it. */
interface ReadFiles {
  readonly pattern: string;
  readonly modules: readonly ModuleRules[];
  /** Patterns that the same modules read, and perhaps others: files of both are read by those. */
  readonly others: readonly string[];
}

function filesOf(modules: readonly ModuleRules[]): ReadFiles[] {
  const patterns = new Set(modules.flatMap(({ module }) => module.files));
  const all = [...patterns].map((pattern) => ({
    pattern,
    modules: modules.filter(({ module }) => module.files.includes(pattern)),
  }));
  return all.map((one, index) => ({
    ...one,
    others: all.filter((other, i) => {
      const isRead = one.modules.every((module) => other.modules.includes(module));
      return isRead && (other.modules.length > one.modules.length || i < index);
    }).map(({ pattern }) => pattern),
  }));
}

function fileFeed({ pattern, modules, others }: ReadFiles, { pipeline, log }: FeedParts): MonitorFeed {
  const reader = pipeline.readers.of(modules, (shift) => log.warn(otherZone(pattern, { modules, shift })));
  const source = openFiles(pattern, {
    others,
    timeOf: (bytes, from, to, stream) => reader.timeOf({ bytes, from, to }, { stream, now: now() }),
    learnZone: (bytes, from, to, end) => reader.learnZone({ bytes, from, to }, { ...end, now: now() }),
    problem: (sentence) => log.warn(sentence),
  });
  return { name: source.name, source, reader, modules };
}

/** Returns the warning that a log file tells times of another zone. */
function otherZone(
  pattern: string,
  { modules, shift }: { modules: readonly ModuleRules[]; shift: Micros },
): string {
  const names = modules.map(({ module }) => module.name).join(" and ");
  const where = `${formatDuration(Math.abs(shift))} ${shift > 0 ? "behind" : "ahead of"} the clock`;
  return `${pattern}: lines just written tell times ${where}, which are taken for those of another zone; ` +
    `"time_zone" of ${names} tells which`;
}
