/**
 * Makes a `Review` from the state's hourly and daily counts and its bans. Reads no lines, so ten
 * million of them cost nothing.
 */
import { HOUR, type Micros } from "../../core/time.ts";
import { type ProvenanceCount, sumOfBans } from "../../state/history.ts";
import { type RollupContent, sumOf, totalCount } from "../../state/rollup.ts";
import type { RollupRow } from "../../state/rollup_table.ts";
import type { State } from "../../state/state.ts";
import { countRows, countsOf } from "../common/count_rows.ts";
import type { Subject } from "../common/output.ts";
import { statusOf, type Unusable } from "../status/status.ts";
import { statusProblems } from "../status/problems.ts";
import { changesBetween } from "./changes.ts";
import { HeatBuilder } from "./heat.ts";
import type { PeriodTotals, Review, Row } from "./review.ts";
import { type Period, SeriesBuilder } from "./series.ts";
import { SlowBuilder } from "./slow.ts";
import { ORDER } from "./words.ts";

/** Most rows of a table, bans and logins in a list, and slow attackers. */
const [MOST_ROWS, MOST_BANS, MOST_LOGINS, MOST_SLOW] = [10, 8, 8, 10];
/** Most names of each kind in a comparison of two periods. */
const COMPARED = 1_000;

/** Reviews the time from `since`'s hour to `now`, and compares it with as long a time before. */
export function reviewOf(
  state: State,
  { since, now, host, unusable }: { since: Micros; now: Micros; host: string; unusable?: Unusable },
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
  const counts = state.history.bansOfPeriods(periodBefore.from, { from: period.from });
  const bans = counts.map(({ present }) => present);
  const status = statusOf(state, unusable);
  const logins = state.logins.logins().filter(({ time }) => time >= period.from);
  const loggedIn = state.history.loginsAfterBans(logins);
  return {
    host,
    now,
    period,
    periodBefore,
    oldest,
    status,
    totals: totalsOf(present, bans),
    totalsBefore: before && totalsOf(before, counts.map(({ before }) => before)),
    series: builders.series.series(),
    heat: builders.heat.cells(),
    tables: tablesOf(state, { present, before, bans, from: period.from }),
    slow: slowOf(state, builders.slow, period),
    loggedIn: { count: loggedIn.length, newest: loggedIn.slice(0, MOST_LOGINS) },
    changes: before && changesBetween(before, present),
    bansInForce: {
      totals: status.bans,
      by: state.history.inForceByProvenance().slice(0, MOST_ROWS),
      newest: state.history.newestBans(MOST_BANS),
    },
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

function totalsOf({ lines, hits }: RollupContent, bans: readonly ProvenanceCount[]): PeriodTotals {
  return { lines: totalCount(lines), hits: totalCount(hits), ...sumOfBans(bans) };
}

interface Facts {
  readonly present: RollupContent;
  readonly before: RollupContent | null;
  readonly bans: readonly ProvenanceCount[];
  readonly from: Micros;
}

function tablesOf(state: State, facts: Facts): Review["tables"] {
  const tables = ORDER.map((subject) => [subject, rowsOf(state, subject, facts)]);
  return Object.fromEntries(tables) as Review["tables"];
}

function rowsOf(state: State, subject: Subject, { present, before, bans, from }: Facts): Row[] {
  const { history } = state;
  const rows = countRows(subject, { content: present, most: MOST_ROWS, bans, history, time: { from } });
  const old = before && new Map(countsOf(before, subject));
  const isOfAddresses = subject === "address" || subject === "network";
  const bansInForce = isOfAddresses ? history.narrowestInForce(rows.map(({ name }) => name)) : null;
  return rows.map((row) => ({
    ...row,
    before: old && (old.get(row.name) ?? 0),
    isBanned: bansInForce?.has(row.name) ?? false,
  }));
}

function slowOf({ history }: State, slow: SlowBuilder, { from }: Period): Review["slow"] {
  const slowest = slow.slowest(MOST_SLOW);
  const names = slowest.map(({ address }) => address);
  const [found, bansInForce] = [history.bansOfEach(names, { from }), history.narrowestInForce(names)];
  return slowest.map((one) => ({
    ...one,
    made: found.get(one.address)!.made,
    isBanned: bansInForce.has(one.address),
  }));
}
