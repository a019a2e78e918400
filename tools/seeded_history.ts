/** A made-up history for pictures: a server that is attacked, the same at each call. */
import { DAY, HOUR, type Micros, MINUTE, SECOND } from "../lib/core/time.ts";
import type { NewBan } from "../lib/deciding/ban.ts";
import type { MonitorReport } from "../lib/monitor/report.ts";
import type { RollupContent } from "../lib/state/rollup.ts";
import type { State } from "../lib/state/state.ts";

/** Numbers from 0 to 1 that are the same each time (mulberry32). */
export function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const USERS = ["root", "admin", "ubuntu", "test", "postgres", "git", "oracle", "deploy", "pi", "ftpuser"];
const PATHS = [
  "/wp-login.php",
  "/.env",
  "/xmlrpc.php",
  "/.git/config",
  "/phpmyadmin/",
  "/boaform/admin/formLogin",
];
const RULES = ["SSHD failed_login", "SSHD invalid_user", "SSHD many_names", "NGINX scan", "NGINX wp_login"];
const MODULES = ["SSHD", "NGINX"];

/** An attacker: the documentation's networks alone. */
function attacker(i: number): string {
  if (i % 7 === 3) return `2001:db8:${(4096 + i * 97).toString(16)}::${(i * 31).toString(16)}`;
  return `${["192.0.2", "198.51.100", "203.0.113"][i % 3]}.${(i * 37) % 253 + 1}`;
}

/** Counts that fall off: few attackers make most of the noise. */
function falling(
  names: readonly string[],
  most: number,
  random: () => number,
): (readonly [string, number])[] {
  return names.map((
    name,
    i,
  ) => [name, Math.max(1, Math.round(most / (i + 1) ** 0.8 * (0.8 + 0.4 * random())))]);
}

function hourOf(random: () => number): RollupContent {
  const address = falling(Array.from({ length: 60 }, (_, i) => attacker(i)), 900, random);
  const network = falling(["203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24"], 2_400, random);
  const hits = falling(MODULES, 6_000, random);
  return {
    address,
    network,
    hits,
    user: falling(USERS, 1_500, random),
    path: falling(PATHS, 600, random),
    rule: falling(RULES, 3_000, random),
    lines: hits.map(([name, count]) => [name, Math.round(count * 1.4)]),
  };
}

/** Fills a state with the last day before `now`. */
export function seed(state: State, now: Micros): void {
  const random = randomOf(7);
  for (let hours = 24; hours >= 0; hours--) {
    const start = now - hours * HOUR;
    state.rollups.keep(start - start % HOUR, hourOf(random));
  }
  const bans = Array.from({ length: 140 }, (_, i): NewBan => {
    const start = now - Math.round((140 - i) ** 1.6 * 12 * SECOND);
    const rule = RULES[i % RULES.length]!;
    return {
      address: i === 137 ? "198.51.100.0/24" : attacker(i < 100 ? 160 + i : 139 - i),
      scope: "all",
      provenance: i === 137 ? { kind: "network", name: "/24" } : { kind: "rule", name: rule },
      reason: i === 137
        ? "5 addresses of 198.51.100.0/24 banned within 1d"
        : `[${rule.split(" ")[0]}] ${rule.split(" ")[1]}`,
      count: 6,
      start,
      until: i % 11 === 5
        ? null
        : now + [HOUR, 2 * HOUR, DAY, 4 * DAY][i % 4]! - Math.round(20 * MINUTE * random()),
    };
  });
  state.bans.addAll(bans);
  const ids = Array.from({ length: state.bans.lastId() }, (_, i) => i + 1);
  state.enforcement.trying(ids, "nftables");
  state.enforcement.applied(ids, { firewall: "nftables", time: now });
}

/** What a monitor reports at `time` that began `since`: an attack comes in waves. */
export function reportAt(time: Micros, since: Micros): MonitorReport {
  const seconds = (time - since) / SECOND;
  const wave = (period: number, height: number) =>
    height * (seconds - period / 6.28 * Math.sin(seconds / period * 6.28));
  const lines = Math.round(9 * seconds + wave(190, 16) + wave(23, 5));
  const hits = Math.round(2 * seconds + wave(190, 7) + wave(31, 2));
  const module = (name: string, lines: number, understood: number, back: Micros) => ({
    ...{ name, lines, understood, lastLine: time - back, lastHit: time - 3 * back, rules: [] },
  });
  const source = (name: string, back: Micros, lag: Micros) => ({
    ...{ name, running: true, lastBatch: time - back, delivery: null, problems: [], waiting: false, lag },
  });
  return {
    time,
    pid: 812,
    running: true,
    started: since - 3 * DAY - 4 * HOUR,
    failure: null,
    config: "/etc/strongmonitor/config.jsonc",
    firewall: "nftables",
    holding: { time, held: 140, missing: 0, stray: [], error: null },
    moduleFirewalls: [],
    leaks: [],
    trialEnd: null,
    sources: [
      source("journal", SECOND, 12_000),
      source("file:/var/log/nginx/access.log", 2 * SECOND, 310_000),
    ],
    modules: [module("SSHD", 48_211, 48_020, SECOND), module("NGINX", 18_904, 18_904, 2 * SECOND)],
    givenUp: [],
    counts: {
      ...{ entries: lines, unknown: 12, events: lines, recorded: lines, hits, bans: Math.round(hits / 90) },
      ...{ damaged: 0, suppressed: 0, untrusted: 0, ahead: 0 },
    },
    tracked: 412,
    forgotten: 0,
    database: null,
    notify: null,
  };
}
