/** Costs of shipping, memory and the stored history. */
import { State } from "../../lib/state/state.ts";
import { HIT, NoteWriter } from "../../lib/rules/note_record.ts";
import { LogLines } from "../../lib/state/log_lines.ts";
import { lineOf } from "../support/events.ts";
import { postgresMissing, startPostgres } from "../support/postgres_server.ts";
import { makeBare } from "./bare.ts";
import { writeAttempts, writeStrangers } from "./corpus.ts";
import type { Row } from "./row.ts";
import {
  ask,
  Daemon,
  POSTGRES_PORT,
  ready,
  RECORDED,
  RULE,
  untilReached,
  type Workshop,
  writeAll,
} from "./workshop.ts";

const SHIPPED = 200_000;
/** Lines or hits of a batch. */
const STEP = 500;

const outbox: Row = {
  name: "outbox",
  title: "the outbox into PostgreSQL, on the same machine",
  needs: await postgresMissing() === null ? [] : ["postgresql"],
  targets: [{ words: ">= 50,000 rows/s", value: (f) => f["rows/s"]!, atLeast: 50_000, unit: " rows/s" }],

  async prepare() {},

  async round(workshop) {
    await using postgres = await startPostgres({ port: POSTGRES_PORT, durable: true });
    await workshop.configure({
      DB: { host: postgres.host, port: postgres.port, user: postgres.user, database: postgres.database },
      keep_log: "forever",
      modules: { SSHD: { match: { file: workshop.followed }, rules: [RULE] } },
    });
    await Deno.writeTextFile(`${workshop.directory}/db_password.secret`, postgres.password, { mode: 0o600 });
    await workshop.freshState();
    await Deno.writeTextFile(workshop.followed, "");
    fill(workshop.state, SHIPPED);
    await postgres.createDatabase(postgres.database).catch(() => {});
    await using _monitor = workshop.start();
    const query = "SELECT ifnull(max(value), 0) AS n FROM meta WHERE key = 'shipped_log'";
    await untilReached(workshop, { query, number: 1 });
    const first = ask(workshop, query);
    const began = performance.now();
    await untilReached(workshop, { query, number: SHIPPED });
    return { "rows/s": (SHIPPED - first) / (performance.now() - began) * 1_000 };
  },
};

/** Records a number of lines of 20,000 addresses without a monitor. */
function fill(directory: string, count: number): void {
  const state = new State(directory);
  const lines = new LogLines(["SSHD"]);
  inSteps(count, (first, size) => {
    for (let i = first; i < first + size; i++) {
      const address = `10.${i % 80}.${i % 250}.${i % 249}`;
      const message = `Failed password for invalid user admin from ${address} port ${1024 + i % 60_000} ssh2`;
      lines.add(lineOf({ module: 0, address, time: 1_772_000_000_000_000 + 100_000 * i, message }));
    }
    state.log.add(lines);
    lines.clear();
  });
  state.close();
}

/** Does a number of things in steps as large as in a flood. */
function inSteps(count: number, step: (first: number, size: number) => void): void {
  for (let first = 0; first < count; first += STEP) step(first, Math.min(STEP, count - first));
}

/** Starts the smallest possible Deno program, idle. */
function startBare({ directory }: Workshop): Daemon {
  const command = new Deno.Command(`${directory}/bare`, { stdin: "null", stdout: "null", stderr: "null" });
  return new Daemon(command.spawn());
}

const TRACKED = "SELECT value ->> 'tracked' AS n FROM meta WHERE key = 'report'";

const memory: Row = {
  name: "memory",
  title: "resident memory, in MiB: idle, and attacked by as many as the log has lines, each trying once",
  needs: [],
  targets: [
    { words: "idle <= 60 MiB", value: (f) => f.idle!, atMost: 60, unit: " MiB" },
    {
      words: "<= 200 MiB after 1,000,000 attackers",
      value: (f) => f.attacked!,
      atMost: 200,
      unit: " MiB",
    },
    { words: "flat afterwards", value: (f) => f["by as many again"]! / f.attacked!, atMost: 1.1, unit: " x" },
  ],

  async prepare(workshop) {
    await makeBare(workshop);
  },

  async round(workshop) {
    const count = workshop.lines;
    await workshop.configureAsShipped(["SSHD"], { keep_log: "forever" }, {
      match: { file: workshop.followed },
    });
    await workshop.freshState();
    await Deno.writeTextFile(workshop.followed, "");
    await using bare = startBare(workshop);
    await using monitor = workshop.start();
    await ready(workshop);
    // V8 releases the memory of the start after ten seconds.
    await pause(15_000);
    const figures: Record<string, number> = { "bare Deno": bare.memory, idle: monitor.memory };
    for (const [n, name] of ["attacked", "by as many again"].entries()) {
      using file = Deno.openSync(workshop.followed, { append: true });
      writeAttempts({ attackers: count, from: n * count, write: (text) => writeAll(file, text) });
      await untilReached(workshop, { query: RECORDED, number: (n + 1) * 3 * count });
      await pause(5_000);
      figures[name] = monitor.memory;
    }
    figures["addresses counted in the end"] = ask(workshop, TRACKED);
    return figures;
  },

  async plot(workshop) {
    const path = `${workshop.directory}/strangers.log`;
    const rule = { ...RULE, str: "Invalid user ", limit: 1_000_000, window: "365d" };
    await workshop.configure({ modules: { SSHD: { rules: [rule] } } });
    const points: [number, number][] = [];
    for (const part of [0.001, 0.01, 0.1, 0.3, 1]) {
      const addresses = Math.ceil(workshop.lines * part);
      using file = Deno.openSync(path, { create: true, write: true, truncate: true });
      writeStrangers({ lines: workshop.lines, addresses, write: (text) => writeAll(file, text) });
      points.push([addresses, (await workshop.replay({ path })).milliseconds * 1e6 / workshop.lines]);
    }
    return {
      title: "A line by the addresses that are counted",
      x: "addresses",
      y: "nanoseconds a line",
      series: [{ name: "replay", points }],
    };
  },
};

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Stored lines and counted addresses of an old state, for each measured line. */
const [OLD_LINES, OLD_ADDRESSES] = [100, 10];

const history: Row = {
  name: "history",
  title:
    "a line where ten such logs are recorded and as many addresses counted as one has lines, against an empty state",
  needs: [],
  targets: [{ words: "<= 1.2 x", value: (f) => f.old! / f.empty!, atMost: 1.2, unit: " x" }],

  async prepare() {},

  async round(workshop) {
    const empty = await this.cost!(workshop, 0);
    return { empty, old: await this.cost!(workshop, 1) };
  },

  async plot(workshop) {
    const points: [number, number][] = [];
    for (const part of [0.01, 0.1, 1]) {
      points.push([
        part * workshop.lines * OLD_LINES / 10,
        await this.cost!(workshop, part) * 1e6 / (workshop.lines / 10),
      ]);
    }
    return {
      title: "A line by what is recorded already",
      x: "lines recorded",
      y: "nanoseconds a line",
      series: [{ name: "strongmonitor", points }],
    };
  },

  /** Measures the milliseconds of a tenth of the log in a state filled so far. */
  async cost(workshop: Workshop, part: number): Promise<number> {
    const { lines } = workshop;
    const log = await workshop.authLog(Math.round(lines / 10));
    await workshop.configureAsShipped(["SSHD"], { keep_log: "forever" }, {
      match: { file: workshop.followed },
    });
    await workshop.freshState({ since: { [`file:${workshop.followed}`]: 0 } });
    await Deno.writeTextFile(workshop.followed, "");
    if (part > 0) {
      fill(workshop.state, Math.round(part * lines * OLD_LINES / 10));
      count(workshop.state, Math.round(part * lines * OLD_ADDRESSES / 10));
    }
    await using _monitor = workshop.start();
    await ready(workshop);
    const before = ask(workshop, RECORDED);
    const text = await Deno.readFile(log.path);
    const began = performance.now();
    await Deno.writeFile(workshop.followed, text, { append: true });
    await untilReached(workshop, { query: RECORDED, number: before + log.named });
    return performance.now() - began;
  },
} as Row & { cost?(workshop: Workshop, part: number): Promise<number> };

/** Stores a hit of each of some addresses. */
function count(directory: string, count: number): void {
  const state = new State(directory);
  const now = Date.now() * 1_000;
  const groups = [{ number: 0, rules: JSON.stringify([["SSHD", "patient_guessing", null]]) }];
  const writer = new NoteWriter();
  inSteps(count, (first, size) => {
    for (let n = first; n < first + size; n++) {
      const address = { w0: 0, w1: 0, w2: 0xffff, w3: (11 << 24) + n | 0, prefix: 128 };
      writer.put({ kind: HIT, ...address, rules: 1, time: now, value: 0 });
    }
    const rows = [{ until: now + 86_400_000_000, content: writer.take() }];
    state.notes.add({ groups, forgotten: null, rows });
  });
  state.close();
}

/** The rows about stored data. */
export const STATE_ROWS: readonly Row[] = [outbox, memory, history];
