import assert from "node:assert/strict";
import { readReport } from "../../lib/monitor/report.ts";

const REPORT = {
  pid: 12,
  running: true,
  started: 1_000_000,
  config: "/etc/strongmonitor/config.jsonc",
  failure: null,
  firewall: "nft",
  holding: { time: 2_000_000, held: 3, missing: 0, stray: ["192.0.2.1"], error: null },
  leaks: [{ address: "192.0.2.9", scope: "tcp 22", since: 1, modules: ["SSHD"], lines: 3, lastLine: 2 }],
  trialEnd: null,
  sources: [{
    name: "journal",
    running: true,
    lastBatch: null,
    delivery: null,
    problems: [],
    waiting: false,
  }],
  modules: [{
    name: "SSHD",
    lastLine: 2_000_000,
    lastHit: null,
    lines: 4,
    understood: 4,
    rules: [{ name: "root", lastHit: null }],
  }],
  givenUp: [],
  counts: {
    entries: 4,
    unknown: 0,
    events: 4,
    recorded: 4,
    hits: 0,
    bans: 0,
    damaged: 0,
    suppressed: 0,
    untrusted: 0,
    ahead: 0,
  },
  tracked: 1,
  forgotten: 0,
  notify: null,
  database: { connected: false, error: "refused", lastShipped: null, setAside: 0 },
};

Deno.test("`readReport()` gives back what a monitor wrote", () => {
  assert.deepEqual(readReport(JSON.stringify(REPORT)), REPORT);
});

const { counts: _counts, ...WITHOUT_COUNTS } = REPORT;
const STRANGE = [
  null,
  "",
  "null",
  "7",
  "[]",
  "{}",
  JSON.stringify(REPORT).slice(0, -10),
  JSON.stringify(WITHOUT_COUNTS),
  JSON.stringify({ ...REPORT, started: "yesterday" }),
  JSON.stringify({ ...REPORT, modules: [{ name: "SSHD", rules: "root" }] }),
  JSON.stringify({ ...REPORT, holding: { held: 3 } }),
];

for (const text of STRANGE) {
  Deno.test(`\`readReport()\` takes ${text?.slice(0, 30)}… ${text?.length ?? ""} for no report`, () => {
    assert.equal(readReport(text), null);
  });
}
