/** Delay from a written line to the monitor's action. */
import { sshd } from "../../modules/sshd.ts";
import { Journald } from "../support/journald.ts";
import { commandAction, startFail2ban } from "./fail2ban.ts";
import { type Figures, quantile, type Target } from "./figures.ts";
import type { Row } from "./row.ts";
import {
  type Daemon,
  isInstalled,
  ready,
  RECORDED,
  RULE,
  syslogLine,
  until,
  untilReached,
  type Workshop,
} from "./workshop.ts";

/** Most attempts, and lines of the log that allow another one. */
const ATTEMPTS = { most: 200, lines: 100 };
/** Milliseconds between two attempts: longer than the measured delay, and irregular. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 40));
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT";

/** Catching up with the journal of a whole log. */
const catchUp: Row = {
  name: "catch-up",
  title: "catching up with the journal, every line recorded",
  needs: ["/lib/systemd/systemd-journal-remote", "journalctl"],
  targets: [{
    words: ">= 85 % of what journalctl alone reaches",
    value: (f) => f["strongmonitor, entries/s"]! / f["journalctl, entries/s"]! * 100,
    atLeast: 85,
    unit: " %",
  }],

  async prepare(workshop) {
    await workshop.journal();
  },

  async round(workshop, peers) {
    const directory = await workshop.journal();
    const { named, path } = await workshop.authLog();
    const entries = Number((await workshop.run(["grep", "-c", " sshd\\[", path])).stdout);
    const command = [
      "journalctl",
      "--output=export",
      `--output-fields=${FIELDS}`,
      `--directory=${directory}`,
      ...sshd.match.identifiers.map((name) => `SYSLOG_IDENTIFIER=${name}`),
    ];
    const rate = (milliseconds: number) => entries / milliseconds * 1_000;
    const alone = await peers.figures("journalctl", async () => {
      const { milliseconds } = await workshop.peer(command, { quiet: true });
      return { "journalctl, entries/s": rate(milliseconds) };
    });
    const piped = await peers.figures("journalctl into a pipe", async () => {
      const words = ["bash", "-c", `set -o pipefail; "$@" | cat > /dev/null`, "bash", ...command];
      const { milliseconds } = await workshop.peer(words, { quiet: true });
      return { "journalctl into a pipe, entries/s": rate(milliseconds) };
    });
    await workshop.configureAsShipped(["SSHD"], { keep_log: "forever" });
    await workshop.freshState({ since: { journal: 0 } });
    const env = await workshop.readJournal(directory);
    const began = performance.now();
    await using _monitor = workshop.start(env);
    await untilReached(workshop, { query: RECORDED, number: named });
    return { "strongmonitor, entries/s": rate(performance.now() - began), ...alone, ...piped };
  },
};

function attempts({ lines }: Workshop): number {
  return Math.min(ATTEMPTS.most, Math.ceil(lines / ATTEMPTS.lines));
}

/** Measures the milliseconds from a write to the start of the ban command, for each attempt. */
async function latencies(workshop: Workshop, write: (address: string) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < attempts(workshop); n++) {
    await pause();
    const address = `198.18.${n >> 8}.${n & 255}`;
    const began = await write(address);
    all.push(await startOf(workshop, address) - began);
  }
  return all;
}

/** Returns the start of the ban command for an address, in milliseconds since the epoch. */
function startOf(workshop: Workshop, address: string): Promise<number> {
  return until(`the ban of ${address}`, () => {
    const line = Deno.readTextFileSync(workshop.bans).split("\n").find((line) =>
      line.endsWith(` ${address}`)
    );
    return line === undefined ? undefined : Number(line.split(" ")[0]) * 1_000;
  }, { seconds: 30 });
}

function clock(): number {
  return performance.timeOrigin + performance.now();
}

/** Returns an attacker's lines in a log file: two, one more than the limit. */
async function append(path: string, address: string): Promise<number> {
  const lines = syslogLine(address).repeat(2);
  const began = clock();
  await Deno.writeTextFile(path, lines, { append: true });
  return began;
}

function told(name: string, all: readonly number[]): Figures {
  return { [`${name}, p50`]: quantile(all, 0.5), [`${name}, p99`]: quantile(all, 0.99) };
}

function within(p50: number, p99: number): Target[] {
  return [
    { words: `p50 <= ${p50} ms`, value: (f) => f["strongmonitor, p50"]!, atMost: p50, unit: " ms" },
    { words: `p99 <= ${p99} ms`, value: (f) => f["strongmonitor, p99"]!, atMost: p99, unit: " ms" },
  ];
}

const fileLatency: Row = {
  name: "file-latency",
  title: "a line written to a log file, until the ban command starts",
  needs: [],
  targets: [
    ...within(5, 25),
    {
      words: "<= 1/20 of fail2ban's p50",
      value: (f) => f["fail2ban, p50"]! / f["strongmonitor, p50"]!,
      atLeast: 20,
      unit: " x faster",
    },
  ],
  async prepare() {},

  async round(workshop, peers) {
    await workshop.configure({
      ban_command: `${workshop.directory}/bin/tool %s`,
      modules: { SSHD: { match: { file: workshop.followed }, rules: [RULE] } },
    });
    const ours = await inFile(workshop, async () => {
      const monitor = workshop.start();
      await ready(workshop);
      return monitor;
    });
    const theirs = async () => told("fail2ban", await inFile(workshop, () => fail2banOnFile(workshop)));
    return {
      ...told("strongmonitor", ours),
      ...isInstalled("fail2ban-server") ? await peers.figures("fail2ban", theirs) : {},
    };
  },
};

function fail2banOnFile(workshop: Workshop): Promise<Daemon> {
  return startFail2ban(workshop, {
    action: commandAction(`${workshop.directory}/bin/tool <ip>`),
    hasBanned: (address) => Deno.readTextFileSync(workshop.bans).includes(` ${address}\n`),
  });
}

async function inFile(workshop: Workshop, start: () => Promise<Daemon>): Promise<number[]> {
  await workshop.freshState();
  for (const path of [workshop.bans, workshop.followed]) await Deno.writeTextFile(path, "");
  await using _daemon = await start();
  return await latencies(workshop, (address) => append(workshop.followed, address));
}

const journalLatency: Row = {
  name: "journal-latency",
  title: "an entry written to the journal, until the ban command starts",
  needs: ["root", "/lib/systemd/systemd-journald", "journalctl", "logger", "unshare"],
  targets: [
    ...within(15, 40),
    {
      words: "<= 1/20 of journalctl -f alone",
      value: (f) => f["journalctl -f, p50"]! / f["strongmonitor, p50"]!,
      atLeast: 20,
      unit: " x faster",
    },
  ],
  async prepare() {},

  async round(workshop, peers) {
    await using journald = await new Journald().ready();
    await workshop.configure({
      ban_command: `${workshop.directory}/bin/tool %s`,
      modules: { SSHD: { match: { identifier: "sshd" }, rules: [RULE] } },
    });
    await workshop.freshState();
    await Deno.symlink(journald.link(), `${workshop.state}/journal`);
    await Deno.writeTextFile(workshop.bans, "");
    const env = await workshop.readJournal(journald.directory);
    let ours: number[];
    {
      await using _monitor = workshop.start(env);
      await ready(workshop);
      ours = await latencies(workshop, (address) => enter(journald, address));
    }
    const theirs = async () => told("journalctl -f", await announcements(journald, attempts(workshop) / 10));
    return { ...told("strongmonitor", ours), ...await peers.figures("journalctl -f", theirs) };
  },
};

async function enter(journald: Journald, address: string): Promise<number> {
  const line = `Failed password for root from ${address} port 4022 ssh2`;
  const began = clock();
  await journald.log([line, line]);
  return began;
}

/** Measures the milliseconds until `journalctl -f` prints a line, in fewer attempts, as it is slow. */
async function announcements(journald: Journald, attempts: number): Promise<number[]> {
  const child = new Deno.Command("journalctl", {
    args: [`--directory=${journald.directory}`, "--follow", "--lines=0", "--output=cat"],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const all: number[] = [];
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  try {
    for (let n = 0; n < attempts; n++) {
      await pause();
      const began = await enter(journald, `198.19.1.${n}`);
      for (let seen = ""; !seen.includes(`198.19.1.${n} `);) {
        seen += new TextDecoder().decode(await nextOf(reader));
      }
      all.push(clock() - began);
    }
    return all;
  } finally {
    child.kill("SIGKILL");
    await reader.cancel();
    await child.status;
  }
}

/** Returns the next output of `journalctl -f`. Throws if it has ended or prints nothing for half a minute. */
async function nextOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  const silence = AbortSignal.timeout(30_000);
  const aborted = new Promise<never>((_, reject) => {
    silence.onabort = () => reject(new Error("journalctl -f prints nothing for 30 s"));
  });
  const { value } = await Promise.race([reader.read(), aborted]);
  if (value === undefined) throw new Error("journalctl -f has ended");
  return value;
}

/** The rows about delays. */
export const LIVE_ROWS: readonly Row[] = [catchUp, fileLatency, journalLatency];
