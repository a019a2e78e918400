import { DAY, type Micros } from "../core/time.ts";
import type { NewBan } from "../deciding/ban.ts";

/** Counts since the start. */
export interface Counts {
  entries: number;
  /** Records that their module has no template for. */
  unknown: number;
  /** Events: records that name an address. */
  events: number;
  recorded: number;
  hits: number;
  bans: number;
  /** Records that a source had to cut or drop. */
  damaged: number;
  /** Messages that journald dropped, as their service wrote too many. */
  suppressed: number;
  /** Events that any local user could have forged: recorded, not counted. */
  untrusted: number;
  /** Events dated ahead of the clock, taken as of now. */
  ahead: number;
}

/** The counts of one commit. */
export interface Committed extends Readonly<Omit<Counts, "entries" | "bans" | "suppressed">> {
  readonly source: string;
  readonly records: number;
  /** Age of the newest event when it came. */
  readonly lag: Micros;
  readonly bans: readonly NewBan[];
}

/** Counts what a pipeline commits, and how late it comes. */
export class Throughput {
  readonly counts: Counts = {
    entries: 0,
    unknown: 0,
    events: 0,
    recorded: 0,
    hits: 0,
    bans: 0,
    damaged: 0,
    suppressed: 0,
    untrusted: 0,
    ahead: 0,
  };
  /** Bans since the start, by the names of their provenances: `SSHD invalid_user`, `/24`. */
  readonly decided = new Map<string, number>();
  /** By source, the age of its newest event when it came. */
  readonly lags = new Map<string, Micros>();

  /** Adds a commit. */
  add(committed: Committed): void {
    const { source, records, events, lag, bans } = committed;
    if (events > 0) this.lags.set(source, lag);
    const { counts, decided } = this;
    counts.entries += records;
    counts.bans += bans.length;
    for (const name of ["unknown", "events", "recorded", "hits", "damaged", "untrusted", "ahead"] as const) {
      counts[name] += committed[name];
    }
    for (const { provenance: { name } } of bans) decided.set(name, (decided.get(name) ?? 0) + 1);
  }

  /**
   * Returns the time before which lines may be forgotten: `now` less the lag of the slowest source
   * (a backlog, or another clock), but at most a day.
   */
  counted(now: Micros): Micros {
    return now - Math.min(DAY, Math.max(0, ...this.lags.values()));
  }
}
