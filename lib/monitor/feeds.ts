import { now } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Reader } from "../reader.ts";
import { openFiles } from "../sources/files/files.ts";
import { openJournal } from "../sources/journal/journal.ts";
import type { Log } from "../core/log.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { Source } from "../sources/source.ts";

/** The directory in the state's by which journalctl is woken: see `WakeOptions`. */
const JOURNAL_LINKS = "journal";

/** A source and what reads its entries. */
export interface Feed {
  readonly source: Source;
  readonly reader: Reader;
  /** Those that the entries may belong to. */
  readonly modules: readonly ModuleRules[];
}

/** The sources that `config` names: the journal for all modules that have entries there, and each kind of log file once. */
export function openFeeds(config: Config, { pipeline, log }: { pipeline: Pipeline; log: Log }): Feed[] {
  const inJournal = config.modules.filter(({ module }) => isInJournal(module));
  return [
    ...(inJournal.length > 0 ? [journalFeed(inJournal, { config, pipeline, log })] : []),
    ...filesOf(config.modules).map(([pattern, modules]) => fileFeed(pattern, { modules, pipeline, log })),
  ];
}

/** What of the journal `modules` read. */
export function journalMatches(modules: readonly ModuleRules[]): { identifiers: string[]; units: string[] } {
  return {
    identifiers: modules.flatMap(({ module }) => module.identifiers),
    units: modules.flatMap(({ module }) => module.units),
  };
}

function isInJournal({ identifiers, units }: ModuleRules["module"]): boolean {
  return identifiers.length > 0 || units.length > 0;
}

function journalFeed(
  modules: readonly ModuleRules[],
  { config, pipeline, log }: { config: Config; pipeline: Pipeline; log: Log },
): Feed {
  const { stateDirectory, journalWake: interval } = config;
  const source = openJournal({
    ...journalMatches(modules),
    wake: interval === null ? null : { directory: `${stateDirectory}/${JOURNAL_LINKS}`, interval },
    problem: (sentence) => log.info(sentence),
  });
  return { source, reader: pipeline.readerFor(modules), modules };
}

/** Each log file, or pattern of their names, with the modules that read it. */
function filesOf(modules: readonly ModuleRules[]): [string, ModuleRules[]][] {
  const patterns = new Set(modules.flatMap(({ module }) => module.files));
  return [...patterns].map((pattern) => [
    pattern,
    modules.filter(({ module }) => module.files.includes(pattern)),
  ]);
}

function fileFeed(
  pattern: string,
  { modules, pipeline, log }: { modules: readonly ModuleRules[]; pipeline: Pipeline; log: Log },
): Feed {
  const reader = pipeline.readerFor(modules);
  const source = openFiles(pattern, {
    timeOf: (line) => reader.timeOf(line, now()),
    problem: (sentence) => log.warn(sentence),
  });
  return { source, reader, modules };
}
