import { strict as assert } from "node:assert";
import { decode } from "../../../lib/core/bytes.ts";
import { openContent } from "../../../lib/sources/files/content.ts";
import { findSince, type LearnZone, type TimeOf } from "../../../lib/sources/files/since.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";

/** Reads `12 text` as 12; what does not begin so tells no time. */
const timeOf: TimeOf = (bytes, from, to) => {
  const line = decode(bytes, from, to);
  return /^\d+ /.test(line) ? parseInt(line) : NaN;
};

/** What of a file follows the place that is found, or null, and how many reads that took. */
async function find(text: string, since: number): Promise<{ rest: string | null; reads: number }> {
  using logs = new LogDirectory();
  logs.write("a.log", text);
  using content = openContent(logs.at("a.log"));
  let reads = 0;
  const counted = {
    ...{ final: false, state: () => content.state(), [Symbol.dispose]() {} },
    readAt: (offset: number, into: Uint8Array<ArrayBuffer>) => (reads++, content.readAt(offset, into)),
  };
  const size = new TextEncoder().encode(text).length;
  const offset = await findSince(counted, { from: 0, size, since, timeOf });
  return { rest: offset === null ? null : text.slice(offset), reads };
}

Deno.test("findSince() finds the first line of a time or later in files of all shapes", async () => {
  const cases: [string, number, string | null][] = [
    ["", 5, null],
    ["none\nnone\n", 5, null],
    ["1 a\n2 b\n3 c\n", 0, "1 a\n2 b\n3 c\n"],
    ["1 a\n2 b\n3 c\n", 2, "2 b\n3 c\n"],
    ["1 a\n2 b\n2 c\n3 d\n", 2, "2 b\n2 c\n3 d\n"],
    ["1 a\n2 b\n3 c\n", 4, ""],
    ["1 a\n more\n3 c\n", 2, "3 c\n"],
    ["# head\n1 a\n5 b\n", 0, "1 a\n5 b\n"],
    ["1 a\n5 unfinished", 5, "5 unfinished"],
    ["1 a\n5 b\r\n", 5, "5 b\r\n"],
  ];
  for (const [text, since, rest] of cases) {
    assert.equal((await find(text, since)).rest, rest, JSON.stringify([text, since]));
  }
});

Deno.test("findSince() is right at every line of a long file, and reads little of it", async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `${2 * i} ${"x".repeat((i * 7919) % 300)}`);
  lines.splice(5_000, 0, ...Array.from({ length: 500 }, () => `  at ${"y".repeat(100)}`));
  const text = lines.join("\n") + "\n";
  for (let time = 0; time < 40_000; time += 1_337) {
    const { rest, reads } = await find(text, time);
    assert.ok(rest!.startsWith(`${time + time % 2} `), `${time}: ${rest!.slice(0, 20)}`);
    assert.ok(reads < 300, `${reads} reads`);
  }
});

Deno.test("a first start reads from the first line of its time on, and with no times from the end", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "1 a\n2 b\n3 c\n");
  logs.write("a.log.1", "0 z\n2 y\n");
  logs.write("b.log", "none\nunfin");
  await using following = await new Following(logs.at("*.log*"), { timeOf, since: 2 }).begun();
  await following.saw("2 b", "3 c");
  logs.append("b.log", "ished\n");
  await following.saw("2 b", "3 c", "unfinished");
  logs.write("c.log", "1 early\n");
  await following.saw("2 b", "3 c", "unfinished", "1 early");
});

Deno.test("the zone of a file's times is learned at its end before its first lines are read", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", `${"1 early\n".repeat(40_000)}7 last\n8 unfinished`);
  logs.write("b.log", "1 b\n");
  const log: string[] = [];
  const learnZone: LearnZone = (bytes, from, to, { isLive }) => {
    log.push(`learned from ${decode(bytes, from, to)}${isLive ? ", live" : ""}`);
    return true;
  };
  const told: TimeOf = (bytes, from, to) => {
    if (log.length === 1) log.push("timed");
    return timeOf(bytes, from, to);
  };
  await using first = await new Following(logs.at("a.log"), { timeOf: told, learnZone, since: 2 }).begun();
  await first.saw("7 last");
  assert.deepEqual(log, ["learned from 7 last", "timed"]);
  const after = await first.stop();
  logs.append("a.log", `\n${"2 more\n".repeat(40_000)}9 end\n`);
  log.length = 0;
  await using second = new Following(logs.at("a.log"), { timeOf, learnZone, after });
  await eventually(() => second.lines.at(-1) === "9 end");
  assert.deepEqual(log, ["learned from 9 end"]);
});
