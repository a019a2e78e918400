import { initialModel, type Model } from "../../lib/commands/watch/model.ts";
import { Rates, SLOT } from "../../lib/commands/watch/rates.ts";
import {
  type BanOrder,
  type Period,
  type Snapshot,
  SnapshotReader,
} from "../../lib/commands/watch/snapshot.ts";
import { type Micros, MINUTE } from "../../lib/core/time.ts";
import { reportAt, seed } from "../../tools/seeded_history.ts";
import { temporaryState } from "./helpers.ts";

/** A model of the history that is made up for pictures, at an instant, without a monitor's process. */
export function seededModel(now: Micros, over: Partial<Snapshot> = {}): Model {
  using temporary = temporaryState();
  const { state } = temporary;
  const since = now - 30 * MINUTE;
  seed(state, now);
  state.setReport(JSON.stringify(reportAt(now, since)));
  const rates = new Rates();
  for (let time = since; time <= now; time += SLOT) rates.add(reportAt(time, since), time);
  const wish: { period: Period; order: BanOrder } = { period: "1h", order: "newest" };
  const snapshot = new SnapshotReader().read(state, wish, now);
  return { ...initialModel(rates), snapshot: { ...snapshot, isRunning: true, problems: [], ...over } };
}

/** An instant within an hour that has begun a while ago. */
export const NOON: Micros = Date.UTC(2026, 10, 28, 12, 40) * 1_000;
