import { initialModel, type Model } from "../../lib/commands/watch/model.ts";
import { Rates, SLOT } from "../../lib/commands/watch/rates.ts";
import {
  type BanOrder,
  type PeriodName,
  type Snapshot,
  SnapshotReader,
} from "../../lib/commands/watch/snapshot.ts";
import { type Micros, MINUTE } from "../../lib/core/time.ts";
import { temporaryState } from "./helpers.ts";
import { fillHistory } from "./history.ts";
import { reportAt } from "./monitor_report.ts";

/** Returns a model of the made-up history of pictures at an instant, without a monitor's process. */
export async function seededModel(now: Micros, over: Partial<Snapshot> = {}): Promise<Model> {
  using temporary = temporaryState();
  const { state } = temporary;
  const since = now - 30 * MINUTE;
  await fillHistory(state, { now, days: 1, size: 5 });
  const reportOf = (time: Micros) => reportAt(time, { since, bans: state.bans.numbers().confirmed });
  state.setReport(JSON.stringify(reportOf(now)));
  const rates = new Rates();
  for (let time = since; time <= now; time += SLOT) rates.add(reportOf(time), time);
  const wish: { period: PeriodName; order: BanOrder } = { period: "1h", order: "newest" };
  const snapshot = new SnapshotReader().read(state, wish, now);
  return { ...initialModel(rates), snapshot: { ...snapshot, isRunning: true, problems: [], ...over } };
}

/** An instant in the middle of an hour. */
export const NOON: Micros = Date.UTC(2026, 10, 28, 12, 40) * 1_000;
