/** The parts of a pipeline: sources, the state, and the judge of events. */
import type { Log } from "../core/log.ts";
import type { Decision, Facts } from "../deciding/decider.ts";
import type { LoginUpdate } from "../deciding/logins.ts";
import type { ModuleActivity } from "../reading/activity.ts";
import type { LogEvent, RecordReader } from "../reading/event.ts";
import type { EngineOptions } from "../rules/engine.ts";
import type { BatchNotes, StoredNotes } from "../rules/note_batch.ts";
import type { Trip } from "../rules/rule.ts";
import type { BatchRecord } from "../state/batch_writer.ts";
import type { CountedHits } from "../state/rollup_table.ts";
import type { Knocking } from "./knocking.ts";
import type { Leaks } from "./leaks.ts";
import type { Totals } from "./totals.ts";

/** The methods of the state that a pipeline calls. */
export interface BatchState {
  /** Lines to be recorded: the next `write()` writes them, then the pipeline clears them. */
  readonly lines: {
    readonly length: number;
    /** Bytes that the state takes for them. */
    readonly size: number;
    add(event: LogEvent): void;
    clear(): void;
  };
  /** Hourly counts, which `write()` writes now and then; `reset()` returns to the written ones. */
  readonly rollups: {
    /** @param isHit a rule hits it and counts */
    add(event: LogEvent, isHit: boolean): void;
    addHits(hits: readonly CountedHits[]): void;
    reset(): void;
  };
  /**
   * Writes a record with `lines`, without them if there is no room. Returns the number of lines
   * written. Throws if the state cannot be written; then nothing is.
   */
  write(record: BatchRecord): number;
  /** All notes that still matter; `add()` adds some. */
  readonly notes: StoredNotes & { add(notes: BatchNotes): void };
}

/** Decides on bans. */
export interface Judge {
  /** Notes a login or the end of a connection: an address with a session is not banned. */
  note(event: LogEvent): void;
  /** Returns all that follows from trips: bans of addresses and networks; none for `knocks`. */
  decide(trips: readonly Trip[], facts: Facts): Decision;
  /** Returns the logins and sessions to store since the last call. */
  takeLogins(): LoginUpdate;
  /** Restores memory from the state after a failed commit. */
  reset(): void;
}

/** Options of a pipeline. */
export interface PipelineParts {
  readonly state: BatchState;
  readonly judge: Judge;
  /** Logs committed decisions and tells the firewalls. Called after trips, even without bans. */
  readonly enforce?: (decision: Decision) => void;
  readonly log: Log;
  readonly counting?: EngineOptions;
  /** Null: nobody can knock. */
  readonly knocking?: Knocking | null;
  /** Gets present events, and whether they were committed; null: no firewall really bans. */
  readonly leaks?: Pick<Leaks, "see" | "keepSeen" | "dropSeen"> | null;
  /** The report of an earlier pipeline on its modules. */
  readonly before?: readonly ModuleActivity[];
  /** Counts of earlier pipelines, to go on from. */
  readonly totals?: Totals;
}

/** A source's name, and the reader of its records. */
export interface Feed {
  readonly name: string;
  readonly reader: RecordReader;
}
