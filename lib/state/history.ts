/**
 * What the state tells of the past, for commands that only read. Comes in: an address, a network or a time. Goes out: lines, bans
 * and counts, found by indexes, so that a state of ten million lines answers within a second.
 */
import type { Micros } from "../core/time.ts";
import type { Provenance } from "../deciding/ban.ts";
import { AMONG } from "./ban_rows.ts";
import type { Database } from "./database.ts";

/** How many bans began and ended since a time. */
export interface BanCount {
  readonly made: number;
  readonly ended: number;
}

/** Bans made and ended, of one kind of provenance and name. */
export interface ProvenanceCount extends BanCount {
  readonly provenance: Provenance;
}

const MADE = "count(*) FILTER (WHERE start >= ?) AS made";
const ENDED = "count(*) FILTER (WHERE ended >= ?) AS ended";

/** Reads the past. */
export class History {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Bans made and ended since `time` by who banned. */
  bansBy(time: Micros): ProvenanceCount[] {
    const rows = this.#db.all<BanCount & { kind: Provenance["kind"]; name: string }>(
      `SELECT provenance AS kind, name, ${MADE}, ${ENDED} FROM ban
       WHERE start >= ? OR ended >= ? GROUP BY provenance, name`,
      ...[time, time, time, time],
    );
    return rows.map(({ kind, name, made, ended }) => ({ provenance: { kind, name }, made, ended }));
  }

  /** Bans made and ended since `time` of some addresses and networks; those without any are not among the keys. */
  bansOfEach(addresses: readonly string[], time: Micros): Map<string, BanCount> {
    const rows = this.#db.all<BanCount & { address: string }>(
      `SELECT address, ${MADE}, ${ENDED} FROM ban WHERE address ${AMONG} GROUP BY address`,
      ...[time, time, JSON.stringify(addresses)],
    );
    return new Map(rows.map(({ address, made, ended }) => [address, { made, ended }]));
  }
}
