/**
 * The feeds that a configuration asks for: one for the journal, which all modules with journal entries share, and one for
 * each log file or pattern of names. A feed is a source (bytes and positions) with its reader (what they mean).
 */
import type { Config } from "../config/types.ts";
import type { Log } from "../core/log.ts";
import { now } from "../core/time.ts";
import { Reader } from "../reading/reader.ts";
import type { ModuleRules } from "../rules/rule.ts";
import { openFiles } from "../sources/files/files.ts";
import { openJournal } from "../sources/journal/journal.ts";
import type { Source } from "../sources/source.ts";
import type { Feed } from "./pipeline.ts";

/** The directory in the state's by which journalctl is woken: see `WakeOptions`. */
const JOURNAL_LINKS = "journal";

/** A feed with its source. */
export interface MonitorFeed extends Feed {
  readonly source: Source;
  /** Modules that the records may belong to. */
  readonly modules: readonly ModuleRules[];
}
