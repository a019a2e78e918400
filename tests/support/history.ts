/**
 * Makes up the history of a server, the same one for the same seed. Input: lines of services, or
 * their number. Output: a state after a monitor with the shipped rules has read the lines, so that
 * lines, counts and bans agree.
 */
import { parse } from "jsonc-parser";
import { enclosing } from "../../lib/core/address.ts";
import { DAY, HOUR, type Micros, MINUTE, SECOND } from "../../lib/core/time.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import { DecidingBans } from "./deciding_bans.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { QUIET } from "../../lib/commands/common/dry_run.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import type { State } from "../../lib/state/state.ts";
import { load, SHIPPED } from "./configs.ts";
import { BOOT } from "./helpers.ts";
import { Random } from "./random.ts";
import { recordsOf } from "./records.ts";

/** A service's line about an address. */
export interface Said {
  readonly time: Micros;
  readonly service: "sshd" | "nginx";
  readonly address: string;
  readonly message: string;
}

/** A firewall that accepts and keeps all bans. */
class Holding extends ObserveFirewall {
  override readonly name = "nftables";
}

/** Options of `live()`. */
export interface Living {
  /** Time at which the last line has been read. */
  readonly now: Micros;
  /** The firewall. Default: one that accepts and keeps all bans. */
  readonly firewall?: ObserveFirewall;
  /** Keys that replace those of the shipped configuration. */
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** Most lines of a commit, and its longest span, in which a banned address can go on writing. */
const [BATCH, REACH]: readonly [number, Micros] = [500, 30 * MINUTE];
const UNITS = { sshd: { uid: 0, unit: "ssh.service" }, nginx: { uid: 0, unit: "nginx.service" } } as const;

/** Lets a monitor read lines in order, at their times. Drops lines of addresses banned by then. */
export async function live(
  state: State,
  lines: Iterable<Said>,
  { now, firewall = new Holding(), keys = {} }: Living,
): Promise<void> {
  const shipped = parse(Deno.readTextFileSync(SHIPPED)) as Record<string, unknown>;
  const { modules, ipv6Prefix, trust, networkBans: networks } = load(JSON.stringify({ ...shipped, ...keys }));
  const logins = new Logins(trust);
  let clock = 0;
  const bans = new DecidingBans({
    ...{ state, logins, networks, whitelist: new Whitelist(), firewall, log: QUIET },
    known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
    clock: () => clock,
    boot: () => BOOT,
  });
  const writer = state.batches(modules.map(({ module }) => module.name));
  const lenience = (address: string, time: Micros) => logins.lenience(address, time);
  const pipeline = new Pipeline(modules, {
    state: writer,
    judge: bans.decider,
    enforce: (decision) => bans.enforce(decision),
    log: QUIET,
    counting: { ipv6Prefix, lenience },
  });
  const feed = { name: "journal", reader: pipeline.readers.of(modules) };
  for (const batch of batches(lines)) {
    clock = batch.at(-1)!.time;
    while (state.bans.expire(clock).isMore);
    const records = recordsOf(written(state, batch));
    pipeline.process({ records, position: "p", damaged: 0 }, feed, clock);
  }
  writer.flush({ isLast: true });
  clock = now;
  while (state.bans.expire(clock).isMore);
  while (state.rollups.fold(clock) > 0);
  await held(state, bans);
  await bans.stop(AbortSignal.timeout(5_000));
}

function* batches(lines: Iterable<Said>): Generator<Said[]> {
  let batch: Said[] = [];
  for (const line of lines) {
    if (batch.length === BATCH || (batch.length > 0 && line.time - batch[0]!.time > REACH)) {
      yield batch;
      batch = [];
    }
    batch.push(line);
  }
  if (batch.length > 0) yield batch;
}

/** The lines of a batch whose addresses are not banned. */
function written(state: State, batch: readonly Said[]) {
  const around = (address: string) => enclosing(address, address.includes(":") ? 48 : 24);
  const banned = state.bans.inForceByAddress(batch.flatMap(({ address }) => [address, around(address)]));
  return batch.filter(({ address }) => !banned.has(address) && !banned.has(around(address)))
    .map(({ time, service, message }) => ({
      ...{ time, identifier: service, pid: 1, message, sender: UNITS[service] },
    }));
}

/** Waits until the firewall has all bans. */
async function held(state: State, bans: DecidingBans): Promise<void> {
  bans.refresh();
  while (state.bans.numbers().waiting > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** The history to make up. */
export interface HistoryOptions {
  readonly now: Micros;
  readonly days?: number;
  /** Factor of the number of attackers. */
  readonly size?: number;
  /** Names and paths to try beside the usual ones. */
  readonly names?: readonly string[];
  /** Whether attackers try only these. */
  readonly isNothingElse?: boolean;
}

const USERS = "root admin ubuntu test oracle postgres git deploy user pi ftp jenkins".split(" ");
const PATHS = [
  "/wp-login.php",
  "/.env",
  "/xmlrpc.php",
  "/.git/config",
  "/phpmyadmin/index.php",
  "/cgi-bin/luci",
  "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
  "/boaform/admin/formLogin",
];
/** Addresses with a few tries every few hours. */
const SLOW = ["192.0.2.241", "198.51.100.77", "2001:db8:5:1::9"];
/** Numbers of attackers at a size of 1. */
const ATTACKERS = 4_000;
/** IPv4 addresses for measurements (RFC 2544), and /24 networks of them. */
const [BENCHMARK, NETWORKS] = [130_048, 512];

/** Names and paths by which an attacker would steer a terminal or a browser. */
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

/** Fills an empty state with the history of an attacked server up to `now`. */
export async function fillHistory(
  state: State,
  options: HistoryOptions & Pick<Living, "keys">,
): Promise<void> {
  await live(state, attackedServer(options), options);
}

/**
 * Returns the lines of the history: nights are busier than days, a botnet comes on two evenings of
 * the last week, and few attackers go on until they are banned.
 */
function* attackedServer(options: HistoryOptions): Generator<Said> {
  const { now, days = 15 } = options;
  const past = new Past(options);
  for (let hour = now - now % HOUR - days * DAY; hour <= now; hour += HOUR) {
    yield* past.hour(hour).filter(({ time }) => time <= now).sort((a, b) => a.time - b.time);
  }
}

/** Makes up one hour after another. */
class Past {
  readonly #options: Required<HistoryOptions>;
  readonly #random = new Random(7);
  #lines: Said[] = [];

  constructor(options: HistoryOptions) {
    this.#options = { days: 15, size: 1, names: [], isNothingElse: false, ...options };
  }

  /** Returns the lines of the hour that begins at `start`, unordered. */
  hour(start: Micros): Said[] {
    this.#lines = [];
    const { size, now } = this.#options;
    const [date, isLate] = [new Date(start / 1_000), start > now - 7 * DAY];
    const hour = date.getUTCHours();
    const wave = size * (1 + Math.cos((hour - 3) / 24 * 2 * Math.PI) / 2);
    const isRaid = isLate && [2, 5].includes(date.getUTCDay()) && hour >= 18 && hour < 23;
    for (let i = 0; i < Math.round(12 * wave); i++) {
      this.#guess(start, attackerOf(this.#skewed(size * ATTACKERS)));
    }
    for (let i = 0; i < (isRaid ? 40 : 0); i++) this.#guess(start, `203.0.113.${1 + this.#skewed(200)}`);
    for (let i = 0; i < Math.round(5 * wave); i++) this.#scan(start);
    if (isLate && hour % 4 === 0) this.#try(start, "198.51.100.200", { user: "info@example.org", count: 4 });
    SLOW.forEach((address, i) => {
      if ((hour + i) % (3 + i) === 0) this.#try(start, address, { user: "root", count: 2 });
    });
    if (hour === 8) {
      this.#say(
        "sshd",
        "192.0.2.77",
        start,
        `Accepted publickey for alice from 192.0.2.77 port 50022 ssh2`,
      );
    }
    return this.#lines;
  }

  /** Guesses names and passwords. One attacker of ten goes on until it is banned. */
  #guess(start: Micros, address: string): void {
    const isBold = this.#random.below(10) === 0;
    const count = 1 + this.#random.below(3) + (isBold ? 6 : 0);
    this.#try(start, address, { user: this.#name(USERS), count });
  }

  /** Tries to log in as a user, some seconds apart. */
  #try(start: Micros, address: string, { user, count }: { user: string; count: number }): void {
    const known = user === "root" ? "" : "invalid user ";
    const from = start + this.#random.below(59 * 60) * SECOND;
    for (let i = 0; i < count; i++) {
      const [time, port] = [from + 3 * i * SECOND, 1_024 + this.#random.below(60_000)];
      if (known !== "") this.#say("sshd", address, time, `Invalid user ${user} from ${address} port ${port}`);
      this.#say(
        "sshd",
        address,
        time + SECOND,
        `Failed password for ${known}${user} from ${address} port ${port} ssh2`,
      );
      const kind = known === "" ? "authenticating user " : known;
      this.#say(
        "sshd",
        address,
        time + 2 * SECOND,
        `Connection closed by ${kind}${user} ${address} port ${port} [preauth]`,
      );
    }
  }

  /** Probes a web site for some holes. */
  #scan(start: Micros): void {
    const n = this.#skewed(360);
    const address = `2001:db8:${(0x1000 + 97 * (n % 12)).toString(16)}::${(1 + n).toString(16)}`;
    const from = start + this.#random.below(59 * 60) * SECOND;
    for (let i = 2 + this.#random.below(8); i > 0; i--) {
      const time = from + i * SECOND;
      const request = `GET ${this.#name(PATHS).replace(/^(?!\/)/, "/")} HTTP/1.1`.replaceAll(
        /["\\\p{Cc}]/gu,
        escaped,
      );
      this.#say(
        "nginx",
        address,
        time,
        `${address} - - [${accessTime(time)}] "${request}" 404 153 "-" "zgrab/0.x"`,
      );
    }
  }

  #say(service: Said["service"], address: string, time: Micros, message: string): void {
    this.#lines.push({ service, address, time, message });
  }

  #name(usual: readonly string[]): string {
    const { names, isNothingElse } = this.#options;
    const isGiven = names.length > 0 && (isNothingElse || this.#random.below(6) === 0);
    return isGiven ? this.#random.pick(names) : usual[this.#skewed(usual.length)]!;
  }

  /** Returns a number that is mostly low. */
  #skewed(limit: number): number {
    return Math.floor(limit * (this.#random.below(1 << 20) / (1 << 20)) ** 2);
  }
}

/** Returns one of many addresses. Neighbours are in different networks. */
function attackerOf(n: number): string {
  if (n < BENCHMARK) return `198.${18 + (n >> 8 & 1)}.${n & 255}.${1 + Math.floor(n / NETWORKS)}`;
  return `${11 + (n >>> 24)}.${n >>> 16 & 255}.${n >>> 8 & 255}.${n & 255}`;
}

/** Returns a character as nginx writes it into its log. */
function escaped(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

function accessTime(time: Micros): string {
  const [, day, month, year, clock] = new Date(time / 1_000).toUTCString().split(" ");
  return `${day}/${month}/${year}:${clock} +0000`;
}
