/**
 * `deno task bench:fleet`: members of a fleet on one PostgreSQL, with the real protocol and without
 * logs. Measures the time of a ban from its member to all others, at several sizes of the fleet and
 * rates of bans.
 */
import { eventually, memoryLog } from "../support/helpers.ts";
import { HOUR, now, SECOND } from "../../lib/core/time.ts";
import { Fleet as Member } from "../../lib/postgres/fleet.ts";
import { ban, MemoryOutbox } from "../support/postgres_fixtures.ts";
import { startPostgres, type TestPostgres } from "../support/postgres_server.ts";

/** Members, and bans a second of all members together. */
const CASES = [[25, 1], [50, 1], [100, 1], [200, 1], [200, 10], [200, 50]] as const;
/** Duration of each case, in seconds. */
const DURATION = 20;
/** Members that ship lines as fast as PostgreSQL takes them, and lines of all together. */
const [SHIPPING, LINES] = [[1, 10, 100, 200], 200_000] as const;
const MESSAGE = "Failed password for invalid user admin from 203.0.113.5 port 40022 ssh2";
const DOCUMENT = new URL("../../docs/scale.md", import.meta.url);
const [BEGIN, END] = ["<!-- results -->", "<!-- end of results -->"];

/** Result of a case. */
interface Figures {
  /** Milliseconds from the commit of a ban to another member, over all bans and members. */
  readonly p50: number;
  readonly p99: number;
  /** Deliveries of a ban to a member, a second. */
  readonly deliveries: number;
  /** Processor time of PostgreSQL, of one core. */
  readonly cpu: number;
  readonly connections: number;
}

/** Keeps the time at which each member received each ban. */
class Fleet implements AsyncDisposable {
  readonly delays: number[] = [];
  readonly #made = new Map<string, number>();
  readonly #members: { outbox: MemoryOutbox; fleet: Member }[] = [];
  #bans = 0;

  constructor(
    { host, port, user, password }: TestPostgres,
    { size, database }: { size: number; database: string },
  ) {
    for (let i = 0; i < size; i++) {
      const outbox = new MemoryOutbox();
      const heard = (addresses: readonly string[]) => {
        for (const address of addresses) this.delays.push(performance.now() - this.#made.get(address)!);
      };
      const fleet = new Member({ host, port, user, password, database }, {
        outbox,
        hostName: `member ${i}`,
        log: memoryLog(),
        keepLog: null,
        timeout: 60 * SECOND,
        onWhitelist: () => {},
        sharing: {
          positions: new Map(),
          window: HOUR,
          onNews: ({ addresses }) => heard(addresses),
          takeRoom: () => false,
          released: () => [],
          followed: () => [],
        },
      });
      this.#members.push({ outbox, fleet });
    }
  }

  /** Waits until all members are connected. */
  async ready(): Promise<void> {
    await eventually(() => this.#members.every(({ fleet }) => fleet.status().lastShipped !== null));
  }

  /** Makes some member ban a new address. */
  ban(): void {
    const n = this.#bans++;
    const address = `10.${n >> 16 & 255}.${n >> 8 & 255}.${n & 255}`;
    const { outbox, fleet } = this.#members[n % this.#members.length]!;
    const id = outbox.bans.length + 1;
    outbox.bans.push(ban({ id, change: id, address, start: now(), until: now() + HOUR }));
    this.#made.set(address, performance.now());
    fleet.wake();
  }

  /** Gives each member its share of lines. */
  record(lines: number): void {
    for (const { outbox, fleet } of this.#members) {
      for (let n = 0; n < lines / this.#members.length; n++) {
        outbox.add({ time: now(), address: `10.1.${n >> 8 & 255}.${n & 255}`, message: MESSAGE });
      }
      fleet.wake();
    }
  }

  /** Waits until PostgreSQL has all lines. */
  async shipped(): Promise<void> {
    await eventually(() => this.#members.every(({ outbox }) => outbox.backlog() === 0));
  }

  /** Waits until all members have received all bans. */
  async settled(): Promise<void> {
    await eventually(() => this.delays.length === this.#bans * (this.#members.length - 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#members.map(({ fleet }) => fleet.close(SECOND)));
  }
}

async function measure(postgres: TestPostgres, size: number, rate: number): Promise<Figures> {
  const database = await postgres.createDatabase(`fleet_${size}_${rate}`);
  await using fleet = new Fleet(postgres, { size, database });
  await fleet.ready();
  const [began, cpu] = [performance.now(), cpuSeconds(postgres)];
  for (let i = 0; i < DURATION * rate; i++) {
    fleet.ban();
    await new Promise((resolve) => setTimeout(resolve, 1_000 / rate));
  }
  await fleet.settled();
  const seconds = (performance.now() - began) / 1_000;
  const delays = fleet.delays.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(delays[Math.floor(share * (delays.length - 1))]!);
  const [row] = await postgres.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'strongmonitor'",
  );
  return {
    p50: at(0.5),
    p99: at(0.99),
    deliveries: Math.round(delays.length / seconds),
    cpu: (cpuSeconds(postgres) - cpu) / seconds,
    connections: row!.n,
  };
}

/** Returns the rate at which PostgreSQL stores lines of a fleet, and the share of a core that it uses. */
async function measureLines(postgres: TestPostgres, size: number): Promise<{ rate: number; cpu: number }> {
  const database = await postgres.createDatabase(`lines_${size}`);
  await using fleet = new Fleet(postgres, { size, database });
  await fleet.ready();
  const [began, cpu] = [performance.now(), cpuSeconds(postgres)];
  fleet.record(LINES);
  await fleet.shipped();
  const seconds = (performance.now() - began) / 1_000;
  return { rate: Math.round(LINES / seconds), cpu: (cpuSeconds(postgres) - cpu) / seconds };
}

/** Returns the processor time of a server's processes, in seconds. */
function cpuSeconds({ directory }: TestPostgres): number {
  const [main] = Deno.readTextFileSync(`${directory}/data/postmaster.pid`).split("\n");
  let ticks = 0;
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // Behind the name: state, parent, and from the twelfth on utime, stime and those of ended children (proc(5)).
      const fields = Deno.readTextFileSync(`/proc/${name}/stat`).replace(/^.*\) /, "").split(" ");
      if (name !== main && fields[1] !== main) continue;
      ticks += fields.slice(11, name === main ? 15 : 13).reduce((sum, n) => sum + Number(n), 0);
    } catch {
      // The process has ended.
    }
  }
  return ticks / 100;
}

const rows: string[] = [];
const tell = (...cells: (string | number)[]) => {
  rows.push(`| ${cells.join(" | ")} |`);
  console.log(rows.at(-1));
};
const percent = (share: number) => `${Math.round(100 * share)} %`;
await using postgres = await startPostgres({ connections: 250, durable: true });
const CPU = "PostgreSQL, of one core";
tell("members", "bans a second", "p50", "p99", "deliveries a second", CPU, "connections");
tell("--:", "--:", "--:", "--:", "--:", "--:", "--:");
for (const [size, rate] of CASES) {
  const { p50, p99, deliveries, cpu, connections } = await measure(postgres, size, rate);
  tell(size, rate, `${p50} ms`, `${p99} ms`, deliveries, percent(cpu), connections);
}
rows.push("", "Lines, which all members ship as fast as PostgreSQL stores them:", "");
tell("members", "lines a second", CPU);
tell("--:", "--:", "--:");
for (const size of SHIPPING) {
  const { rate, cpu } = await measureLines(postgres, size);
  tell(size, rate, percent(cpu));
}
if (Deno.args.includes("--write")) {
  const page = Deno.readTextFileSync(DOCUMENT);
  const [before, after] = [page.slice(0, page.indexOf(BEGIN) + BEGIN.length), page.slice(page.indexOf(END))];
  Deno.writeTextFileSync(DOCUMENT, `${before}\n\n${rows.join("\n")}\n\n${after}`);
}
