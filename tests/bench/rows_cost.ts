/** Costs of the program alone: its start and its processor time. */
import { makeBare } from "./bare.ts";
import type { Row } from "./row.ts";
import { ask, ready, RECORDED, syslogLine, untilReached, type Workshop } from "./workshop.ts";

const programStart: Row = {
  name: "program-start",
  title:
    "`replay` of a single line by the shipped rules, whole process, against a bare compiled Deno that reads it",
  needs: [],
  targets: [{
    words: "<= 1.3 x a bare Deno",
    value: (f) => f.strongmonitor! / f["bare Deno"]!,
    atMost: 1.3,
    unit: " x",
  }],

  async prepare(workshop) {
    await makeBare(workshop);
  },

  async round(workshop) {
    await workshop.configureAsShipped();
    const path = `${workshop.directory}/one.log`;
    await Deno.writeTextFile(path, syslogLine("198.18.0.1"));
    const bare = await workshop.run([`${workshop.directory}/bare`], { input: path });
    if (bare.stdout !== "read\n") throw new Error(`The bare Deno says ${bare.stdout || bare.stderr}`);
    const ours = await workshop.replay({ path });
    return { "strongmonitor": ours.milliseconds, "bare Deno": bare.milliseconds };
  },
};

/** Lines of a burst in a flood, and milliseconds between two bursts. */
const [BURST, BETWEEN] = [1_000, 10];
/**
 * Microseconds of version 1.0.0 for a line, measured in turn with this version on two idle cores:
 * 1,000,000 lines. Other machines take another time: measure version 1.0.0 anew on them.
 */
const BASELINE = 8.1;

const floodCost: Row = {
  name: "flood-cost",
  title: "processor time (user and system) for a line recorded live in a flood, in microseconds",
  needs: [],
  targets: [{
    words: `<= 1/3 of version 1.0.0 (${BASELINE} µs)`,
    value: (f) => f.strongmonitor!,
    atMost: BASELINE / 3,
    unit: " µs",
  }],

  async prepare() {},

  async round(workshop) {
    const log = await workshop.authLog();
    await workshop.configureAsShipped(["SSHD"], { keep_log: "forever" }, {
      match: { file: workshop.followed },
    });
    await workshop.freshState({ since: { [`file:${workshop.followed}`]: 0 } });
    await Deno.writeTextFile(workshop.followed, "");
    await using monitor = workshop.start();
    await ready(workshop);
    const before = monitor.processorTime;
    await pour(workshop, await Deno.readTextFile(log.path));
    await untilReached(workshop, { query: RECORDED, number: log.named });
    const microseconds = (monitor.processorTime - before) * 1_000;
    return { "strongmonitor": microseconds / ask(workshop, RECORDED) };
  },
};

/** Writes a text to the followed log file, burst by burst. */
async function pour(workshop: Workshop, text: string): Promise<void> {
  const lines = text.split("\n");
  for (let first = 0; first < lines.length; first += BURST) {
    const burst = lines.slice(first, first + BURST).join("\n");
    const end = first + BURST < lines.length ? "\n" : "";
    await Deno.writeTextFile(workshop.followed, burst + end, { append: true });
    await new Promise((resolve) => setTimeout(resolve, BETWEEN));
  }
}

/** The rows about the program alone. */
export const COST_ROWS: readonly Row[] = [programStart, floodCost];
