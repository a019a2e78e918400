import { strict as assert } from "node:assert";
import { openFiles } from "../../../lib/sources/files/files.ts";
import type { ReadBatch } from "../../support/journal_files.ts";
import { entriesOf } from "../../support/records.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";

/** The batches from a position on, until as many lines came. */
async function batchesFrom(
  pattern: string,
  { after, count }: { after: string | null; count: number },
): Promise<ReadBatch[]> {
  const stopping = new AbortController();
  const batches: ReadBatch[] = [];
  let seen = 0;
  const source = openFiles(pattern, { timeOf: () => 1, inotify: false, poll: 5_000 });
  for await (const batch of source.batches({ after, since: 0 }, stopping.signal)) {
    batches.push({ ...batch, entries: entriesOf(batch.records) });
    seen += batch.records.length;
    if (seen >= count) stopping.abort();
  }
  return batches;
}

/** The lines of batches, those of each file in their order: files are read side by side. */
function linesOf(batches: readonly ReadBatch[]): string[] {
  return batches.flatMap(({ entries }) => entries.map(({ message }) => message)).sort();
}

/** Numbered lines that sort in their order; more than is read in one go. */
function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name} ${String(i).padStart(6, "0")} ${"x".repeat(50)}`);
}

/** Reads all logs to their ends, and then from the position of each batch on: that gives what came behind it. */
async function assertResumable(
  logs: LogDirectory,
  { after, lines }: { after: string | null; lines: string[] },
): Promise<void> {
  const pattern = logs.at("*.log*");
  const batches = await batchesFrom(pattern, { after, count: lines.length });
  assert.deepEqual(linesOf(batches), lines.toSorted());
  assert.ok(batches.length > 5, `only ${batches.length} batches`);
  for (const [index, { position }] of batches.entries()) {
    const rest = linesOf(batches.slice(index + 1));
    const again = await batchesFrom(pattern, { after: position, count: rest.length });
    assert.deepEqual(linesOf(again), rest, `after batch ${index}`);
  }
}

/** Gives `a.log` and `b.log` the first of their lines, and the position behind these. */
async function begin(logs: LogDirectory): Promise<string> {
  logs.write("a.log", "a begins\n");
  logs.write("b.log", "b begins\n");
  const batches = await batchesFrom(logs.at("*.log*"), { after: null, count: 2 });
  return batches.at(-1)!.position;
}

Deno.test("a backlog of several files can be resumed behind each of its batches", async () => {
  using logs = new LogDirectory();
  const files = ["a", "b", "c"].map((name, index) => numbered(name, 10_000 + 5_000 * index));
  files.forEach((lines, index) => logs.write(`${index}.log`, lines.join("\n") + "\nunfinished"));
  await assertResumable(logs, { after: null, lines: files.flat() });
});

for (const compress of [false, true]) {
  const how = compress ? "renamed and compressed" : "renamed";
  Deno.test(`a backlog of files that were ${how} can be resumed behind each of its batches`, async () => {
    using logs = new LogDirectory();
    const after = await begin(logs);
    const files = ["a old", "a mid", "a new", "b old"].map((name) => numbered(name, 5_000));
    const texts = files.map((lines) => lines.join("\n") + "\n");
    logs.append("a.log", texts[0]!);
    logs.append("b.log", texts[3]!);
    logs.rename("a.log", "a.log.2");
    logs.write("a.log.1", texts[1]!);
    logs.write("a.log", texts[2]!);
    if (compress) ["a.log.2", "a.log.1"].forEach((name) => logs.gzip(name));
    await assertResumable(logs, { after, lines: files.flat() });
  });
}

Deno.test("a backlog of files that were copied and truncated can be resumed behind each of its batches", async () => {
  using logs = new LogDirectory();
  const after = await begin(logs);
  const files = ["a old", "a new", "b old", "b new"].map((name) => numbered(name, 5_000));
  for (const [index, name] of ["a.log", "b.log"].entries()) {
    logs.append(name, files[2 * index]!.join("\n") + "\n");
    logs.copy(name, `${name}.1`);
    logs.truncate(name);
    logs.append(name, files[2 * index + 1]!.join("\n") + "\n");
  }
  await assertResumable(logs, { after, lines: files.flat() });
});

Deno.test("files that were empty when they were rotated away, and have lines by the next start, are read once each", async () => {
  using logs = new LogDirectory();
  const options = { timeOf: () => 1, since: 0, inotify: false, poll: 5_000 };
  logs.write("a.log", "one\n");
  await using before = new Following(logs.at("a.log*"), options);
  await before.saw("one");
  for (const count of [2, 3]) {
    shift(logs, count - 1);
    logs.write("a.log", "");
    await eventually(() => JSON.parse(before.position!).files.length === count);
  }
  const after = await before.stop();
  logs.append("a.log.1", "two\n");
  logs.append("a.log", "three\n");
  shift(logs, 3);
  logs.write("a.log", "four\n");
  await using again = new Following(logs.at("a.log*"), { ...options, after });
  await again.saw("two", "three", "four");
  logs.append("a.log", "five\n");
  await again.saw("two", "three", "four", "five");
});

/** Rotates `a.log` and those of its generations away, `count` files. */
function shift(logs: LogDirectory, count: number): void {
  for (let number = count - 1; number > 0; number--) logs.rename(`a.log.${number}`, `a.log.${number + 1}`);
  logs.rename("a.log", "a.log.1");
}

for (const how of ["renamed", "compressed", "copied and truncated"]) {
  Deno.test(`lines of a file behind a link are not lost when it was ${how} while nobody read`, async () => {
    using logs = new LogDirectory();
    Deno.mkdirSync(logs.at("pods"));
    Deno.mkdirSync(logs.at("containers"));
    logs.write("pods/0.log", "begins\n");
    Deno.symlinkSync("../pods/0.log", logs.at("containers/web.log"));
    const pattern = logs.at("containers/*.log");
    const { position } = (await batchesFrom(pattern, { after: null, count: 1 })).at(-1)!;
    logs.append("pods/0.log", "before\n");
    const rotated = "pods/0.log.20261129-101010";
    if (how === "copied and truncated") {
      logs.copy("pods/0.log", rotated);
      logs.truncate("pods/0.log");
    } else logs.rename("pods/0.log", rotated);
    if (how === "compressed") logs.gzip(rotated);
    logs.append("pods/0.log", "behind\n");
    assert.deepEqual(linesOf(await batchesFrom(pattern, { after: position, count: 2 })), [
      "before",
      "behind",
    ]);
  });
}
