/** What bans cost, in the kernel and at a start. */
import { type Row } from "./row.ts";
import { ask, ready, recorded, RULE, until, type Workshop } from "./workshop.ts";

const BANS = 10_000;
const IN_FORCE = 100_000;
/** Processes that are enough to tell what one for each ban costs. */
const SAMPLE = 200;
const NAMESPACE = "strongmonitor-bench";

/** Addresses of a network of their own. */
function addresses(count: number, network: number): string[] {
  return Array.from({ length: count }, (_, n) => `${network}.${n >> 16}.${n >> 8 & 255}.${n & 255}`);
}

function lines(all: readonly string[]): string {
  const [, month, day, , time] = new Date().toString().split(" ");
  const head = `${month} ${day!.padStart(2)} ${time} web1 sshd[4711]: Failed password for root from`;
  return all.map((address) => `${head} ${address} port 4022 ssh2\n`.repeat(2)).join("");
}

/** Runs `use` with words that run a program in a network namespace of its own. */
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

/** Milliseconds until the kernel has so many bans, from the moment when a log file tells of that many attackers. */
async function burst(workshop: Workshop, count: number): Promise<number> {
  await configure(workshop);
  return await inNamespace(workshop, async (prefix) => {
    await using _monitor = workshop.start({}, prefix);
    await ready(workshop);
    const text = lines(addresses(count, 10));
    const began = performance.now();
    await Deno.writeTextFile(workshop.followed, text, { append: true });
    await until("all bans to be in the kernel", () => {
      return ask(workshop.state, "SELECT count(*) AS n FROM ban WHERE applied_at > 0") >= count || undefined;
    });
    const milliseconds = performance.now() - began;
    const { stdout } = await workshop.run([...prefix, "nft", "list", "table", "inet", "strongmonitor"]);
    const found = stdout.match(/\b10\.\d+\.\d+\.\d+/g)?.length;
    if (found !== count) throw new Error(`The kernel has ${found} of ${count} bans`);
    return milliseconds;
  });
}

/** Milliseconds that as many bans take with a process for each, as `actionban` of fail2ban starts one. */
function oneByOne(workshop: Workshop, count: number): Promise<number> {
  return inNamespace(workshop, async (prefix) => {
    const set = "add table inet other; add set inet other s { type ipv4_addr; flags timeout; }";
    await workshop.run([...prefix, "nft", set]);
    const loop =
      `for i in $(seq ${SAMPLE}); do sh -c "nft add element inet other s '{ 12.0.0.$i timeout 1h }'"; done`;
    const { milliseconds } = await workshop.run([...prefix, "sh", "-c", loop]);
    return milliseconds / SAMPLE * count;
  });
}

const inBulk: Row = {
  name: "bans",
  title: "10,000 bans through nftables, from the log to the kernel",
  needs: ["nft", "ip"],
  targets: [
    { words: "<= 1 s", value: (f) => f.strongmonitor! / 1_000, atMost: 1, unit: " s" },
    {
      words: ">= 100 x a process for each, as fail2ban does",
      value: (f) => f["one by one"]! / f.strongmonitor!,
      atLeast: 100,
      unit: " x",
    },
  ],
  async prepare() {},
  async round(workshop) {
    return { "strongmonitor": await burst(workshop, BANS), "one by one": await oneByOne(workshop, BANS) };
  },
  async plot(workshop) {
    const points: [number, number][] = [];
    for (const count of [100, 1_000, 10_000, 50_000]) points.push([count, await burst(workshop, count)]);
    const others = await Promise.all(
      points.map(async ([count]) => [count, await oneByOne(workshop, count)] as const),
    );
    return {
      title: "Bans through nftables",
      x: "bans",
      y: "milliseconds",
      series: [{ name: "strongmonitor", points }, { name: "one by one", points: others }].slice(0, 1),
    };
  },
};

const start: Row = {
  name: "start",
  title: "start to the first line read, with 100,000 bans in force",
  needs: ["nft", "ip"],
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
      await until("the first line", () => recorded(workshop) > 0 || undefined);
      return { "strongmonitor": performance.now() - began };
    });
  },
};

/** The rows about bans. */
export const BAN_ROWS: readonly Row[] = [inBulk, start];
