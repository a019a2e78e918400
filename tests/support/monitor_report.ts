import { DAY, HOUR, type Micros, SECOND } from "../../lib/core/time.ts";
import type { MonitorReport } from "../../lib/monitor/report.ts";
import { Totals } from "../../lib/monitor/totals.ts";

/** Returns a report in which every key has a value. */
export const REPORT: MonitorReport = {
  pid: 1,
  running: true,
  failure: null,
  started: 1,
  loaded: 1,
  config: "/c",
  moduleFirewalls: [],
  firewall: "nftables",
  holding: { time: 1, held: 1, missing: 0, stray: [], error: null },
  leaks: [{ address: "192.0.2.9", scope: "all", since: 1, modules: ["SSHD"], lines: 3, lastLine: 2 }],
  trialEnd: null,
  sources: [{
    name: "journal",
    modules: ["SSHD"],
    running: true,
    lastBatch: 1,
    delivery: null,
    problems: [],
    waiting: false,
  }],
  modules: [{
    name: "SSHD",
    lastLine: 1,
    lastHit: null,
    lines: 20,
    understood: 9,
    rules: [{ name: "a", lastHit: null, hits: 0 }],
  }],
  counts: { ...new Totals().counts, entries: 1, events: 1, recorded: 1, evicted: 2 },
  tracked: 1,
  database: { connected: false, error: null, lastShipped: null, setAside: 0 },
  notify: { program: "/n", told: 1, failed: 2, lastTold: null, error: null },
  metricsError: null,
  whitelistProblems: [],
};

/**
 * Returns the report at `time` of a monitor whose firewall has all `bans`, on a server attacked in
 * waves since `since`.
 */
export function reportAt(time: Micros, { since, bans }: { since: Micros; bans: number }): MonitorReport {
  const seconds = (time - since) / SECOND;
  const wave = (period: number, height: number) =>
    height * (seconds - period / 6.28 * Math.sin(seconds / period * 6.28));
  const lines = Math.round(9 * seconds + wave(190, 16) + wave(23, 5));
  const hits = Math.round(2 * seconds + wave(190, 7) + wave(31, 2));
  const module = (name: string, lines: number, understood: number, back: Micros) => ({
    ...{ name, lines, understood, lastLine: time - back, lastHit: time - 3 * back, rules: [] },
  });
  const source = (name: string, back: Micros, lag: Micros) => ({
    ...{ name, modules: [], running: true, lastBatch: time - back },
    ...{ delivery: null, problems: [], waiting: false, lag },
  });
  const started = since - 3 * DAY - 4 * HOUR;
  return {
    ...REPORT,
    ...{ time, started, loaded: started, config: "/etc/strongmonitor/config.jsonc" },
    holding: { time, held: bans, missing: 0, stray: [], error: null },
    leaks: [],
    sources: [
      source("journal", SECOND, 12_000),
      source("file:/var/log/nginx/access.log", 2 * SECOND, 310_000),
    ],
    modules: [module("SSHD", 48_211, 48_020, SECOND), module("NGINX", 18_904, 18_904, 2 * SECOND)],
    counts: {
      ...new Totals().counts,
      ...{ entries: lines, unknown: 12, events: lines, recorded: lines, hits, bans: Math.round(hits / 90) },
    },
    tracked: 412,
    database: null,
    notify: null,
  };
}
