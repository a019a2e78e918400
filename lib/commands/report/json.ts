/** Formats a review for `report --json`: see docs/json.md. */
import { isoTime, isoTimeOrNull } from "../../core/time.ts";
import { banJson } from "../bans/bans.ts";
import { rowJson } from "../common/count_rows.ts";
import { sourceJson } from "../status/json.ts";
import type { PeriodTotals, Review } from "./review.ts";
import type { Period } from "./series.ts";
import { ORDER } from "./words.ts";

/** Returns the object of docs/json.md. */
export function reviewJson(review: Review): unknown {
  const { host, now, period, periodBefore, oldest, totals, totalsBefore, series, bansInForce, status } =
    review;
  return {
    host,
    time: isoTime(now),
    period: periodJson(period),
    period_before: periodJson(periodBefore),
    oldest: isoTimeOrNull(oldest),
    totals: totalsJson(totals),
    totals_before: totalsBefore && totalsJson(totalsBefore),
    series: {
      unit: series.unit,
      modules: series.modules,
      bars: series.bars.map(({ start, hits, bans }) => ({ start: isoTime(start), hits, bans })),
    },
    heat: review.heat,
    tables: ORDER.map((by) => ({
      by,
      rows: review.tables[by].map((row) => ({
        ...rowJson(row),
        hits_before: row.before,
        banned: row.isBanned,
      })),
    })),
    slow: review.slow.map(({ address, hours, days, hits, most, made, isBanned }) => ({
      address,
      hours,
      days,
      hits,
      most_in_an_hour: most,
      bans_made: made,
      banned: isBanned,
    })),
    logged_in: {
      count: review.loggedIn.count,
      newest: review.loggedIn.newest.map(({ address, user, method, time, ban }) => ({
        ...{ address, user, method, time: isoTime(time), ban: banJson(ban) },
      })),
    },
    changes: review.changes?.map(({ subject, name, before, hits }) => ({
      by: subject,
      name,
      hits,
      hits_before: before,
    })) ?? null,
    bans: {
      decided: bansInForce.totals.decided,
      in_force: bansInForce.totals.confirmed,
      waiting: bansInForce.totals.waiting,
      failing: bansInForce.totals.failing,
      by: bansInForce.by.map(({ provenance: { kind, name }, count }) => ({ provenance: kind, name, count })),
      newest: bansInForce.newest.map(banJson),
    },
    running: status.running,
    problems: review.problems,
    sources: status.report?.sources.map(sourceJson) ?? [],
  };
}

function periodJson({ from, to }: Period): unknown {
  return { from: isoTime(from), to: isoTime(to) };
}

function totalsJson({ lines, hits, made, ended }: PeriodTotals): unknown {
  return { lines, hits, bans_made: made, bans_ended: ended };
}
