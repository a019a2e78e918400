/** Reads data of one instant from a state that a monitor may be writing. */
import { DAY, HOUR, type Micros, now, SECOND, WEEK } from "../../core/time.ts";
import type { BanStatus } from "../../deciding/ban.ts";
import { type MonitorReport, readReport } from "../../monitor/report.ts";
import type { BanNumbers } from "../../state/ban_reader.ts";
import { isLocked } from "../../state/lock.ts";
import type { RollupContent } from "../../state/rollup.ts";
import type { State } from "../../state/state.ts";
import { statusProblems } from "../status/problems.ts";

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
  #counted: { readonly period: PeriodName; readonly time: Micros; readonly value: RollupContent } | null =
    null;

  #unusable: { readonly time: Micros; readonly text: string | null } = { time: -Infinity, text: null };

  /** `unusable` returns why the monitor could not start again, which takes longer: asked now and then. */
  read(
    state: State,
    { period, order, unusable = () => null }: {
      readonly period: PeriodName;
      readonly order: BanOrder;
      readonly unusable?: () => string | null;
    },
    time = now(),
  ): Snapshot {
    const isRunning = isLocked(state.directory);
    const report = readReport(state.report());
    const numbers = state.bans.numbers();
    const failing = numbers.failing > 0 ? state.bans.failing() : [];
    const counted = this.#countedSince(state, period, time);
    const named = [...counted.address, ...counted.network].map(([name]) => name);
    if (!isFresh(this.#unusable, time)) this.#unusable = { time, text: unusable() };
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
        unusable: this.#unusable.text,
      }),
      numbers,
      counted,
      inForce: state.history.narrowestInForce(named),
      bans: order === "newest" ? state.history.newestBans(MOST_BANS) : state.history.bansNextToEnd(MOST_BANS),
    };
  }

  #countedSince({ rollups }: State, period: PeriodName, time: Micros): RollupContent {
    const last = this.#counted;
    if (last?.period === period && isFresh(last, time)) return last.value;
    const { content: value } = rollups.since(time - PERIODS[period]);
    this.#counted = { period, time, value };
    return value;
  }
}

/** Reports whether something read at an instant still serves at `time`. */
function isFresh(read: { readonly time: Micros }, time: Micros): boolean {
  return time >= read.time && time < read.time + PACE / 2;
}
