import { DAY, type Micros } from "../core/time.ts";
import type { NewBan } from "../deciding/ban.ts";

/** What went through since the start. */
export interface Counts {
  entries: number;
  /** Records of a module that knows no such message. */
  unknown: number;
  /** Events: records that name an address. */
  events: number;
  recorded: number;
  hits: number;
  bans: number;
  /** Records that a source had to cut or drop. */
  damaged: number;
  /** Messages of services that journald did not keep, as there were too many. */
  suppressed: number;
  /** Events that any local user could have forged: recorded, not counted. */
  untrusted: number;
  /** Events dated ahead of the clock, taken as of now. */
  ahead: number;
}

/** What a commit brought. */
export interface Committed extends Readonly<Omit<Counts, "entries" | "bans" | "suppressed">> {
  readonly source: string;
  readonly records: number;
  /** How old the newest event was when it came. */
  readonly lag: Micros;
  readonly bans: readonly NewBan[];
}

/** Counts what goes through a pipeline, and how late it comes. */
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
  /** By source, how old its newest event was when it came. */
  readonly lags = new Map<string, Micros>();

  /** Takes note of a commit. */
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
   * Up to which instant lines may be forgotten as of `now`: the source furthest behind decides, a
   * backlog or one whose clock is another, but none by more than a day.
   */
  counted(now: Micros): Micros {
    return now - Math.min(DAY, Math.max(0, ...this.lags.values()));
  }
}
