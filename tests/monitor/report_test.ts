import assert from "node:assert/strict";
import { readReport } from "../../lib/monitor/report.ts";
import { REPORT } from "../support/monitor_report.ts";

Deno.test("`readReport()` gives back what a monitor wrote", () => {
  assert.deepEqual(readReport(JSON.stringify(REPORT)), REPORT);
});

const { counts: _counts, ...WITHOUT_COUNTS } = REPORT;
const { loaded: _loaded, ...WITHOUT_LOAD } = REPORT;
const STRANGE = [
  null,
  "",
  "null",
  "7",
  "[]",
  "{}",
  JSON.stringify(REPORT).slice(0, -10),
  JSON.stringify(WITHOUT_COUNTS),
  JSON.stringify(WITHOUT_LOAD),
  JSON.stringify({ ...REPORT, started: "yesterday" }),
  JSON.stringify({ ...REPORT, modules: [{ name: "SSHD", rules: "root" }] }),
  JSON.stringify({ ...REPORT, holding: { held: 3 } }),
];

for (const text of STRANGE) {
  Deno.test(`\`readReport()\` takes ${text?.slice(0, 30)}… ${text?.length ?? ""} for no report`, () => {
    assert.equal(readReport(text), null);
  });
}
