import assert from "node:assert/strict";
import { MINUTE, now } from "../../lib/core/time.ts";
import { isOverdue, readReport } from "../../lib/monitor/report.ts";
import { Reporting, type ReportingParts } from "../../lib/monitor/reporting.ts";
import { Totals } from "../../lib/monitor/totals.ts";
import { load, MODULES } from "../support/configs.ts";

Deno.test("`Reporting.write()` writes once a minute what has not changed, by any clock", () => {
  const written: string[] = [];
  const nothing = { report: () => [], givenUp: [], lags: new Map(), tracked: 0 };
  const parts = {
    state: { setReport: (text: string) => written.push(text) },
    totals: new Totals(),
    bans: { holding: null },
    leaks: null,
    trial: { end: null },
    pipeline: { readers: nothing, activity: nothing, throughput: nothing, engine: nothing },
    feeds: [],
    feeding: { reports: new Map() },
    database: () => null,
    notifier: null,
    metrics: null,
    whitelisting: { problems: [] },
  } as unknown as ReportingParts;
  const reporting = new Reporting(load(`{ ${MODULES} }`), parts);
  const { now: right } = Date;
  const from = now();
  const at = (minutes: number) => {
    Date.now = () => (from + minutes * MINUTE) / 1_000;
    reporting.write(true);
    return written.length;
  };
  try {
    assert.deepEqual([0, 0.9, 1, 1.9, 60, 60.5, 0, 0.5].map(at), [1, 1, 2, 2, 3, 3, 4, 4]);
  } finally {
    Date.now = right;
  }
  const report = readReport(written.at(-1)!)!;
  assert.deepEqual([0, 3, 3.1].map((minutes) => isOverdue(report, from + minutes * MINUTE)), [
    false,
    false,
    true,
  ]);
  assert.equal(isOverdue({ ...report, running: false }, from + 60 * MINUTE), false);
});
