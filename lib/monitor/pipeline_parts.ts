/** What a pipeline works with: sources, the state, and who judges. */
import type { Log } from "../core/log.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { Knock } from "../deciding/knock.ts";
import type { LoginNews } from "../deciding/logins.ts";
import type { ModuleActivity } from "../reading/activity.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Reader } from "../reading/reader.ts";
import type { EngineOptions } from "../rules/engine.ts";
import type { BatchNotes, StoredNotes } from "../rules/note_batch.ts";
import type { Trip } from "../rules/rule.ts";
import type { BatchRecord } from "../state/batch_writer.ts";
import type { CountedHits } from "../state/rollup_table.ts";
import type { Knocking } from "./knocking.ts";
import type { Leaks } from "./leaks.ts";

/** What the pipeline needs of the state. */
export interface BatchStore {
  /** Lines to be recorded, which the next `write()` writes and the pipeline then clears. */
  readonly lines: { readonly length: number; add(event: LogEvent): void; clear(): void };
  /** Counts of hours, which `write()` writes now and then; `reset()` goes back to those. */
  readonly rollups: {
    add(event: LogEvent, isHit: boolean): void;
    addHits(hits: readonly CountedHits[]): void;
    reset(): void;
  };
  /**
   * Writes a record with `lines`, but none of them where there is no room. Returns how many lines are
   * written. Throws where the state cannot be written; then nothing is.
   */
  write(record: BatchRecord): number;
  /** All notes that still matter, to which `add()` adds. */
  readonly notes: StoredNotes & { add(notes: BatchNotes): void };
}

/** Decides, and enforces what was decided and committed. */
export interface Judge {
  /** Takes note of a login or of the end of a connection: who is logged in is not banned. */
  note(event: LogEvent): void;
  /** All bans that follow from trips: of addresses and of networks. Nobody in `knocks` is among them. */
  decide(trips: readonly Trip[], knocks: readonly Knock[]): readonly NewBan[];
  /** Logins and sessions to be stored since the last call. */
  news(): LoginNews;
  /** Goes back to what the state knows, after a commit that failed. */
  reset(): void;
  /**
   * Logs what was decided and committed, and has the firewall told of it. To be called where there
   * were trips, also without bans.
   */
  enforce(bans: readonly NewBan[]): void;
}

/** What a pipeline works with. */
export interface PipelineParts {
  readonly store: BatchStore;
  readonly judge: Judge;
  readonly log: Log;
  readonly counting?: EngineOptions;
  /** Null: nobody can knock. */
  readonly knocking?: Knocking | null;
  /** Told of events of the present, and then whether they are committed; null: nobody is really banned. */
  readonly leaks?: Pick<Leaks, "see" | "keepSeen" | "dropSeen"> | null;
  /** What an earlier pipeline told of its modules. */
  readonly before?: readonly ModuleActivity[];
}

/** A source, and the reader of its records. */
export interface Feed {
  readonly name: string;
  readonly reader: Reader;
}
