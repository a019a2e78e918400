import type { MonitorReport } from "../../lib/monitor/report.ts";

/** A report in which every key holds something. */
export const REPORT: MonitorReport = {
  pid: 1,
  running: true,
  started: 1,
  config: "/c",
  firewall: "nftables",
  holding: { time: 1, held: 1, missing: 0, stray: [], error: null },
  leaks: [{ address: "192.0.2.9", scope: "all", since: 1, modules: ["SSHD"], lines: 3, lastLine: 2 }],
  trialEnd: null,
  sources: [{ name: "journal", running: true, lastBatch: 1, delivery: null, problems: [], waiting: false }],
  modules: [{
    name: "SSHD",
    lastLine: 1,
    lastHit: null,
    lines: 20,
    understood: 9,
    rules: [{ name: "a", lastHit: null }],
  }],
  givenUp: [],
  counts: {
    entries: 1,
    unknown: 0,
    events: 1,
    recorded: 1,
    hits: 0,
    bans: 0,
    damaged: 0,
    suppressed: 0,
    untrusted: 0,
    ahead: 0,
  },
  tracked: 1,
  forgotten: 2,
  database: { connected: false, error: null, lastShipped: null, setAside: 0 },
  notify: { program: "/n", told: 1, failed: 2, lastTold: null, error: null },
};
