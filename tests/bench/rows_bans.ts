/** Costs of bans, in the kernel and at a start. */
import { shippedAction, startFail2ban } from "./fail2ban.ts";
import type { Row } from "./row.ts";
import {
  ask,
  isInstalled,
  ready,
  RECORDED,
  RULE,
  syslogLine,
  until,
  untilReached,
  type Workshop,
} from "./workshop.ts";

const BANS = 10_000;
const IN_FORCE = 100_000;
const NAMESPACE = "strongmonitor-bench";

/** SQL for the number of applied bans, once none waits. It uses indexes, so it does not delay the program. */
const APPLIED = `SELECT iif(EXISTS (SELECT 1 FROM ban WHERE ended IS NULL AND applied_at IS NULL), 0,
  (SELECT ifnull(max(id), 0) FROM ban)) AS n`;
const ADDRESS = /\b\d+\.\d+\.\d+\.\d+\b/g;

/** Returns `count` addresses of a network. */
function addresses(count: number, network: number): string[] {
  return Array.from({ length: count }, (_, n) => `${network}.${n >> 16}.${n >> 8 & 255}.${n & 255}`);
}

function lines(all: readonly string[]): string {
  return all.map((address) => syslogLine(address).repeat(2)).join("");
}

/** Gives `use` the words of a command that runs another in a new network namespace. */
async function inNamespace<T>(workshop: Workshop, use: (prefix: string[]) => Promise<T>): Promise<T> {
  await workshop.run(["ip", "netns", "delete", NAMESPACE], { quiet: true });
  const { code, stderr } = await workshop.run(["ip", "netns", "add", NAMESPACE]);
  if (code !== 0) throw new Error(`Cannot make a network namespace: ${stderr}`);
  try {
    return await use(["ip", "netns", "exec", NAMESPACE]);
  } finally {
    await workshop.run(["ip", "netns", "delete", NAMESPACE], { quiet: true });
  }
}

async function configure(workshop: Workshop): Promise<void> {
  await workshop.configure({
    firewall: "nftables",
    nft_command: `${workshop.directory}/bin/tool nft`,
    modules: { SSHD: { match: { file: workshop.followed }, rules: [RULE] } },
  });
  await workshop.freshState({ since: { [`file:${workshop.followed}`]: 0 } });
  await Deno.writeTextFile(workshop.followed, "");
}

/** Measures the milliseconds from a log's lines on many attackers until the kernel has their bans. */
async function burst(workshop: Workshop, count: number): Promise<number> {
  await configure(workshop);
  return await inNamespace(workshop, async (prefix) => {
    await using _monitor = workshop.start({}, prefix);
    await ready(workshop);
    const text = lines(addresses(count, 10));
    const began = performance.now();
    await Deno.writeTextFile(workshop.followed, text, { append: true });
    await untilReached(workshop, { query: APPLIED, number: count });
    const milliseconds = performance.now() - began;
    const { stdout } = await workshop.run([...prefix, "nft", "list", "table", "inet", "strongmonitor"]);
    const found = stdout.match(/\b10\.\d+\.\d+\.\d+/g)?.length;
    if (found !== count) throw new Error(`The kernel has ${found} of ${count} bans`);
    return milliseconds;
  });
}

/** Measures the milliseconds of fail2ban for as many bans, by the same lines. */
async function fail2banBurst(workshop: Workshop, count: number): Promise<number> {
  await Deno.writeTextFile(workshop.followed, "");
  return await inNamespace(workshop, async (prefix) => {
    const banned = async (): Promise<readonly string[]> => {
      const { stdout } = await workshop.run([...prefix, "nft", "list", "table", "inet", "f2b-table"]);
      return stdout.match(ADDRESS) ?? [];
    };
    await using _fail2ban = await startFail2ban(workshop, {
      action: await shippedAction("nftables[type=allports]"),
      hasBanned: async (address) => (await banned()).includes(address),
      prefix,
    });
    const text = lines(addresses(count, 12));
    const began = performance.now();
    await Deno.writeTextFile(workshop.followed, text, { append: true });
    await until("fail2ban's bans", async () => (await banned()).length > count || undefined, { pause: 50 });
    return performance.now() - began;
  });
}

const inBulk: Row = {
  name: "bans",
  title: "10,000 bans through nftables, from the log to the kernel",
  needs: ["root", "nft", "ip"],
  targets: [
    { words: "<= 1 s", value: (f) => f.strongmonitor! / 1_000, atMost: 1, unit: " s" },
    {
      words: ">= 100 x fail2ban",
      value: (f) => f["fail2ban, by a tenth of them"]! / f.strongmonitor!,
      atLeast: 100,
      unit: " x",
    },
  ],

  async prepare() {},

  async round(workshop, peers) {
    const strongmonitor = await burst(workshop, BANS);
    if (!isInstalled("fail2ban-server")) return { strongmonitor };
    const theirs = async () => ({
      "fail2ban, by a tenth of them": 10 * await fail2banBurst(workshop, BANS / 10),
    });
    return { strongmonitor, ...await peers.figures("fail2ban", theirs) };
  },

  async plot(workshop) {
    const points: [number, number][] = [];
    for (const count of [100, 1_000, 10_000, 50_000]) {
      points.push([count, await burst(workshop, count) * 1_000 / count]);
    }
    return {
      title: "A ban through nftables by how many come at once",
      x: "bans",
      y: "microseconds a ban",
      series: [{ name: "strongmonitor", points }],
    };
  },
};

const start: Row = {
  name: "start",
  title: "start to the first line read, with 100,000 bans in force",
  needs: ["root", "nft", "ip"],
  targets: [{ words: "<= 500 ms", value: (f) => f.strongmonitor!, atMost: 500, unit: " ms" }],

  async prepare() {},

  async round(workshop) {
    await configure(workshop);
    const list = `${workshop.directory}/list.txt`;
    await Deno.writeTextFile(list, `${addresses(IN_FORCE, 11).join("\n")}\n`);
    const imported = await workshop.ours(["bans", "--import", "-", "--for", "1h"], { input: list });
    if (imported.code !== 0) throw new Error(`Cannot import bans: ${imported.stderr}`);
    await Deno.writeTextFile(workshop.followed, lines(["198.18.0.1"]));
    return await inNamespace(workshop, async (prefix) => {
      const began = performance.now();
      await using _monitor = workshop.start({}, prefix);
      await until("the first line", () => ask(workshop, RECORDED) > 0 || undefined);
      return { "strongmonitor": performance.now() - began };
    });
  },
};

/** The rows about bans. */
export const BAN_ROWS: readonly Row[] = [inBulk, start];
