/**
 * Makes a `Review` from the state's hourly and daily counts and its bans. Reads no lines, so ten
 * million of them cost nothing.
 */
import { HOUR, type Micros } from "../../core/time.ts";
import type { ProvenanceCount } from "../../state/history.ts";
import { type RollupContent, sumOf, totalCount } from "../../state/rollup.ts";
import type { RollupRow } from "../../state/rollup_table.ts";
import type { State } from "../../state/state.ts";
import { banCounter, totalOf } from "../ban_counts.ts";
import { statusOf } from "../status.ts";
import { statusProblems } from "../status_problems.ts";
import { changesBetween, countedOf } from "./changes.ts";
import { HeatBuilder } from "./heat.ts";
import type { BansInForce, Review, Row, Subject, Totals } from "./review.ts";
import { type Period, SeriesBuilder } from "./series.ts";
import { SlowBuilder } from "./slow.ts";

/** Most rows of a table, bans in a list, and slow attackers. */
const [MOST_ROWS, MOST_BANS, MOST_SLOW] = [10, 8, 10];
/** Most names of each kind in a comparison of two periods. */
const COMPARED = 1_000;

/** Reviews the time from `since`'s hour to `now`, and compares it with as long a time before. */
export function reviewOf(
  state: State,
  { since, now, host }: { since: Micros; now: Micros; host: string },
): Review {
  const period = { from: since - since % HOUR, to: now };
  const periodBefore = { from: 2 * period.from - now, to: period.from };
  const builders = {
    series: new SeriesBuilder(period),
    heat: new HeatBuilder(period),
    slow: new SlowBuilder(),
  };
  const present = sumOf(told(state.rollups.within(period), Object.values(builders)), COMPARED);
  for (const hour of state.history.bansByHour(period.from)) builders.series.addBans(hour);
  const oldest = state.rollups.oldest();
  const hasBefore = oldest !== null && oldest <= periodBefore.from;
  const before = hasBefore ? sumOf(told(state.rollups.within(periodBefore), []), COMPARED) : null;
  const counts = state.history.bansOfPeriods(periodBefore.from, period.from);
  const bans = counts.map(({ present }) => present);
  const status = statusOf(state);
  return {
    ...{ host, now, period, periodBefore, oldest, status },
    totals: totalsOf(present, bans),
    totalsBefore: before && totalsOf(before, counts.map(({ before }) => before)),
    series: builders.series.series(),
    heat: builders.heat.cells(),
    tables: tablesOf(state, { present, before, bans, from: period.from }),
    slow: slowOf(state, builders.slow, period),
    changes: before && changesBetween(before, present),
    bansInForce: bansInForceOf(state, status),
    problems: statusProblems(status),
  };
}

/** Passes rows to all `builders`, and yields their contents. */
function* told(
  rows: Iterable<RollupRow>,
  builders: readonly { add(row: RollupRow): void }[],
): Generator<RollupContent> {
  for (const row of rows) {
    for (const builder of builders) builder.add(row);
    yield row.content;
  }
}

function totalsOf({ lines, hits }: RollupContent, bans: readonly ProvenanceCount[]): Totals {
  return {
    lines: totalCount(lines),
    hits: totalCount(hits),
    ...totalOf(bans),
  };
}

interface Facts {
  readonly present: RollupContent;
  readonly before: RollupContent | null;
  readonly bans: readonly ProvenanceCount[];
  readonly from: Micros;
}

function tablesOf(state: State, facts: Facts): Readonly<Record<Subject, readonly Row[]>> {
  const rows = (subject: Subject) => rowsOf(state, subject, facts);
  return {
    module: rows("module"),
    rule: rows("rule"),
    address: rows("address"),
    network: rows("network"),
    user: rows("user"),
    path: rows("path"),
  };
}

function rowsOf(state: State, subject: Subject, { present, before, bans, from }: Facts): Row[] {
  const counted = countedOf(present, subject);
  const all = totalCount(subject === "rule" ? present.rule : present.hits);
  const old = before && new Map(countedOf(before, subject));
  const shown = counted.slice(0, MOST_ROWS);
  const names = shown.map(([name]) => name);
  const bansOf = banCounter(subject, { names, bans, history: state.history, since: from });
  const isOfAddresses = subject === "address" || subject === "network";
  const bansInForce = isOfAddresses ? state.history.narrowestInForce(names) : null;
  return shown.map(([name, hits]) => ({
    ...{ name, hits },
    share: all === 0 ? 0 : hits / all,
    before: old && (old.get(name) ?? 0),
    ...bansOf(name),
    isBanned: bansInForce?.has(name) ?? false,
  }));
}

function slowOf({ history }: State, slow: SlowBuilder, { from }: Period): Review["slow"] {
  const slowest = slow.slowest(MOST_SLOW);
  const names = slowest.map(({ address }) => address);
  const [found, bansInForce] = [history.bansOfEach(names, from), history.narrowestInForce(names)];
  return slowest.map((one) => ({
    ...one,
    made: found.get(one.address)!.made,
    isBanned: bansInForce.has(one.address),
  }));
}

function bansInForceOf({ history }: State, { bans }: Review["status"]): BansInForce {
  return {
    totals: bans,
    by: history.inForceByProvenance().slice(0, MOST_ROWS),
    newest: history.newestBans(MOST_BANS),
  };
}
