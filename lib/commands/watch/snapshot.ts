/** Reads data of one instant from a state that a monitor may be writing. */
import { DAY, HOUR, type Micros, now, SECOND, WEEK } from "../../core/time.ts";
import type { BanStatus } from "../../deciding/ban.ts";
import { type MonitorReport, readReport } from "../../monitor/report.ts";
import type { BanNumbers } from "../../state/ban_reader.ts";
import { isLocked } from "../../state/lock.ts";
import type { RollupContent } from "../../state/rollup.ts";
import type { State } from "../../state/state.ts";
import { statusProblems } from "../status/problems.ts";
import type { Unusable } from "../status/status.ts";

/** Periods of counts, by name. */
export const PERIODS = { "1h": HOUR, "24h": DAY, "7d": WEEK } as const satisfies Record<string, Micros>;
export type PeriodName = keyof typeof PERIODS;

/** Orders of bans. */
export const BAN_ORDERS = ["newest", "next to end"] as const;
export type BanOrder = typeof BAN_ORDERS[number];

/** Most bans read, before a filter. */
const MOST_BANS = 200;
/** Interval at which the monitor stores counts of the hour. */
const PACE: Micros = 10 * SECOND;

/** The state at an instant. */
export interface Snapshot {
  readonly time: Micros;
  readonly isRunning: boolean;
  readonly report: MonitorReport | null;
  readonly problems: readonly string[];
  readonly numbers: BanNumbers;
  /** Of the period. */
  readonly counted: RollupContent;
  /** By counted address and network, the ban in force of it or of a network around it. */
  readonly inForce: ReadonlyMap<string, BanStatus>;
  readonly bans: readonly BanStatus[];
}

/** Reads snapshots, each in some milliseconds while the monitor writes. */
export class SnapshotReader {
  readonly #counted = new Fresh<RollupContent>();
  readonly #unusable = new Fresh<string | null>();

  read(
    state: State,
    { period, order, unusable = () => null }: {
      readonly period: PeriodName;
      readonly order: BanOrder;
      readonly unusable?: Unusable;
    },
    time = now(),
  ): Snapshot {
    const isRunning = isLocked(state.directory);
    const report = readReport(state.report());
    const numbers = state.bans.numbers();
    const failing = numbers.failing > 0 ? state.bans.failing() : [];
    const counted = this.#counted.at(time, period, () => state.rollups.since(time - PERIODS[period]).content);
    const named = [...counted.address, ...counted.network].map(([name]) => name);
    return {
      time,
      isRunning,
      report,
      problems: statusProblems({
        running: isRunning,
        report,
        failing,
        bans: numbers,
        backlog: report?.database?.error ? state.outbox.backlog() : 0,
        isInMemory: state.isInMemory,
        unusable: this.#unusable.at(time, "", () => unusable(report)),
      }),
      numbers,
      counted,
      inForce: state.history.narrowestInForce(named),
      bans: order === "newest" ? state.history.newestBans(MOST_BANS) : state.history.bansNextToEnd(MOST_BANS),
    };
  }
}

/** A value that takes long to read: it serves for half of the monitor's interval. */
class Fresh<T> {
  #last: { readonly key: string; readonly time: Micros; readonly value: T } | null = null;

  at(time: Micros, key: string, read: () => T): T {
    const last = this.#last;
    if (last?.key === key && time >= last.time && time < last.time + PACE / 2) return last.value;
    const value = read();
    this.#last = { key, time, value };
    return value;
  }
}
