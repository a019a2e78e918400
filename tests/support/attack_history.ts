/** A made-up past of two weeks, the same one for the same seed: who attacked, what they tried, and what became of it. */
import { DAY, HOUR, type Micros, MINUTE } from "../../lib/core/time.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { MonitorReport } from "../../lib/monitor/report.ts";
import { Rollups } from "../../lib/state/rollup_table.ts";
import type { State } from "../../lib/state/state.ts";
import { eventOf } from "./events.ts";
import { REPORT } from "./monitor_report.ts";
import { Random } from "./random.ts";

const FIELDS = ["message", "user", "path"];
const MODULES = ["SSHD", "NGINX", "POSTFIX"];
const USERS = [
  "root",
  "admin",
  "ubuntu",
  "test",
  "oracle",
  "postgres",
  "git",
  "deploy",
  "user",
  "pi",
  "ftp",
  "jenkins",
];
const PATHS = [
  ...[
    "/wp-login.php",
    "/.env",
    "/xmlrpc.php",
    "/.git/config",
    "/admin/",
    "/phpmyadmin/index.php",
    "/cgi-bin/luci",
  ],
  "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
  "/boaform/admin/formLogin",
];
const RULES = ["failed_login", "invalid_user", "root", "many_names", "left_early"];
const NETWORKS = ["203.0.113", "198.51.100", "192.0.2"];
/** Addresses that come four times an hour, every few hours. */
const SLOW = ["203.0.113.241", "198.51.100.77", "2001:db8:5:1::9"];

/** Names and paths by which an attacker would have a terminal or a browser do something. */
export const HOSTILE = [
  "\x1b[31mred\x1b[0m\x07",
  "\u202eevil\u2066\u200f",
  "<script>alert(1)</script>",
  '"><img src=https://192.0.2.99/x onerror=alert(1)>',
  "'onmouseover='alert(1)' {{7*7}} ${7*7}",
  "</style><style>*{display:none}",
  "שלום <b>עולם</b>",
  "漢".repeat(20),
  "x".repeat(8_192),
];

/** What a history is made of. */
export interface HistoryOptions {
  readonly now: Micros;
  /** Names and paths that are tried beside the usual ones. */
  readonly names?: readonly string[];
  /** Nothing but these is tried. */
  readonly isNothingElse?: boolean;
  readonly days?: number;
}

/** Fills an empty state with what a monitor would have counted and banned up to `now`. */
export function fillHistory(
  state: State,
  { now, names = [], isNothingElse = false, days = 15 }: HistoryOptions,
): void {
  const random = new Random(7);
  let clock = now;
  const rollups = new Rollups(MODULES, state.rollups, () => clock);
  const first = now - now % HOUR - days * DAY;
  for (clock = first; clock <= now; clock += HOUR) {
    fillHour(rollups, { time: clock, random, names, isNothingElse, isLate: clock > now - 7 * DAY });
    rollups.write({ isAll: true })();
  }
  while (state.rollups.fold(now) > 0);
  const bans = bansUpTo(now, random);
  state.bans.addAll(bans);
  for (const { address, until } of bans) {
    if (until !== null && until < now) state.bans.end(address, { reason: "expired", time: until });
  }
  confirm(state, now);
  state.setReport(JSON.stringify(reportAt(now)));
}

interface Hour {
  readonly time: Micros;
  readonly random: Random;
  readonly names: readonly string[];
  readonly isNothingElse: boolean;
  /** In the second week something is added. */
  readonly isLate: boolean;
}

function fillHour(rollups: Rollups, { time, random, names, isNothingElse, isLate }: Hour): void {
  const date = new Date(time / 1_000);
  const hour = date.getUTCHours();
  // Nights are busier than days, and one botnet comes on two evenings.
  const wave = 1 + Math.cos((hour - 3) / 24 * 2 * Math.PI) / 2;
  const isRaid = isLate && [2, 5].includes(date.getUTCDay()) && hour >= 18 && hour < 23;
  const add = (module: number, address: string, fields: Record<string, string>, count: number) =>
    rollups.add(eventOf({ module, address, time, fields, count }, FIELDS), true);
  const isHostile = (i: number) => names.length > 0 && (isNothingElse || i % 6 === 5);
  const skewed = (length: number) => Math.floor(length * (random.below(1_000) / 1_000) ** 2);
  for (let i = 0; i < Math.round(22 * wave * (isRaid ? 4 : 1)); i++) {
    const network = isRaid ? NETWORKS[0]! : NETWORKS[skewed(NETWORKS.length)]!;
    const user = isHostile(i) ? random.pick(names) : USERS[skewed(USERS.length)]!;
    add(0, `${network}.${1 + skewed(isRaid ? 60 : 200)}`, { user }, 3 + random.below(9));
  }
  for (let i = 0; i < Math.round(9 * wave); i++) {
    const path = isHostile(i) ? random.pick(names) : PATHS[skewed(PATHS.length)]!;
    add(
      1,
      `2001:db8:${(1 + skewed(12)).toString(16)}::${(1 + skewed(30)).toString(16)}`,
      { path },
      2 + random.below(8),
    );
  }
  if (isLate && hour % 4 === 0) {
    add(2, `198.51.100.${200 + random.below(9)}`, { user: "info@example.org" }, 25);
  }
  SLOW.forEach((address, i) => {
    if ((hour + i) % (3 + i) === 0) add(0, address, { user: "root" }, 2 + random.below(3));
  });
  for (let i = 0; i < 30; i++) {
    rollups.add(eventOf({ module: 1, address: "192.0.2.200", time, count: 4 }, FIELDS), false);
  }
  rollups.addHits(
    RULES.map((rule, i) => ({ service: "SSHD", rule, time, count: Math.round(160 * wave / (i + 1)) })),
  );
  rollups.addHits([
    { service: "NGINX", rule: "not_found", time, count: Math.round(60 * wave) },
    { service: "POSTFIX", rule: "login_failed", time, count: isLate ? 25 : 0 },
  ]);
}

function bansUpTo(now: Micros, random: Random): NewBan[] {
  return Array.from({ length: 160 }, (_, i): NewBan => {
    const start = now - Math.round((160 - i) * 2.1 * HOUR) + random.below(2 * 60) * MINUTE;
    const rule = RULES[i % 3]!;
    // Most hits come from low numbers.
    const number = i >= 140 ? 160 - i : 200 - i;
    const address = i % 5 === 4
      ? `2001:db8:${(1 + i % 4).toString(16)}::${number.toString(16)}`
      : `203.0.113.${number}`;
    const span = i % 7 === 0 ? 8 * 7 * DAY : DAY;
    return {
      ...{ address, scope: "all", count: 6 + i % 5, start, until: i % 31 === 30 ? null : start + span },
      provenance: i % 13 === 12 ? { kind: "manual", name: "" } : { kind: "rule", name: `SSHD ${rule}` },
      reason: i % 13 === 12
        ? "[MANUAL] seen in the logs of a friend"
        : `[SSHD] ${rule}: ${6 + i % 5} hits in 10m`,
    };
  });
}

/** Has the firewall confirm all bans. */
function confirm(state: State, now: Micros): void {
  for (let ids: number[]; (ids = waiting(state, now)).length > 0;) {
    state.enforcement.applied(ids, { firewall: "nftables", time: now });
  }
}

function waiting(state: State, now: Micros): number[] {
  const { enforcement } = state;
  return enforcement.turns().flatMap((turn) =>
    enforcement.toApply({ firewall: "nftables", now, limit: 1_000, turn }).map(({ id }) => id)
  );
}

function reportAt(now: Micros): MonitorReport {
  const source = { running: true, delivery: null, problems: [], waiting: false };
  return {
    ...REPORT,
    ...{
      started: now - 20 * DAY,
      config: "/etc/strongmonitor/config.jsonc",
      leaks: [],
      modules: [],
      notify: null,
    },
    ...{ database: null, holding: { time: now, held: 40, missing: 0, stray: [], error: null } },
    sources: [
      { ...source, name: "journal", lastBatch: now - 2 * MINUTE },
      { ...source, name: "file:/var/log/nginx/access.log", lastBatch: now - MINUTE },
      { ...source, name: "file:/var/log/mail.log", lastBatch: now - 3 * HOUR },
    ],
  };
}
