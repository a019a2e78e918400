import { strict as assert } from "node:assert";
import { openContent } from "../../../lib/sources/files/content.ts";
import { countNuls, findData } from "../../../lib/sources/files/hole.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";

const MIB = 1_024 * 1_024;

/** A program that does not append: it writes on at its old offset whatever becomes of the file. */
class Writer implements Disposable {
  readonly #file: Deno.FsFile;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true });
  }

  write(...lines: string[]): void {
    this.#file.writeSync(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
  }

  skip(bytes: number): void {
    this.#file.seekSync(bytes, Deno.SeekMode.Current);
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i} ${"x".repeat(40)}`);
}

/** The file under another name, the hole as NULs or as a hole. */
function rotate(logs: LogDirectory): void {
  if (logs.has("a.log.1")) logs.rename("a.log.1", "a.log.2");
  logs.copy("a.log", "a.log.1");
  logs.truncate("a.log");
}

Deno.test("countNuls() counts what a buffer begins with, wherever it ends", () => {
  for (let size = 0; size < 12; size++) {
    for (let nuls = 0; nuls <= size; nuls++) {
      const bytes = new Uint8Array(size).fill(7, nuls);
      assert.equal(countNuls(bytes, size), nuls);
      assert.equal(
        countNuls(new Uint8Array(bytes.buffer, Math.min(1, size)), Math.max(0, size - 1)),
        Math.max(0, nuls - 1),
      );
    }
  }
});

Deno.test("findData() finds the first byte behind a hole, and each byte within", async () => {
  for (const size of [0, 1, 4_095, 4_096, 300_000, 17 * MIB, 40 * MIB + 5, 3_000 * MIB + 4_000]) {
    using logs = new LogDirectory();
    using writer = new Writer(logs.at("a.log"));
    writer.skip(size);
    writer.write("one", "two");
    using content = openContent(logs.at("a.log"));
    assert.equal(await findData(content, 0), size);
    assert.equal(await findData(content, size + 1), size + 1);
  }
  using logs = new LogDirectory();
  using writer = new Writer(logs.at("a.log"));
  writer.skip(30 * MIB);
  writer.write("one");
  writer.skip(30 * MIB);
  writer.write("two");
  using content = openContent(logs.at("a.log"));
  assert.equal(await findData(content, 0), 30 * MIB);
  assert.equal(await findData(content, 30 * MIB + 4), 60 * MIB + 4);
});

Deno.test("a log with a hole of 3 GB is read behind it, at the first start and later", async () => {
  using logs = new LogDirectory();
  using writer = new Writer(logs.at("a.log"));
  writer.skip(3_000 * MIB);
  writer.write("one", "two");
  await using first = new Following(logs.at("a.log"), { timeOf: () => 1, since: 0 });
  await first.saw("one", "two");
  const after = await first.stop();
  writer.skip(1_000 * MIB);
  writer.write("three");
  await using second = new Following(logs.at("a.log"), { after });
  await second.saw("three");
  logs.truncate("a.log");
  writer.write("four");
  await second.saw("three", "four");
});

for (const times of [1, 2]) {
  Deno.test(`a log copied and truncated ${times === 1 ? "once" : "twice"} under a writer that does not append, while nobody looks, loses no line`, async () => {
    using logs = new LogDirectory();
    using writer = new Writer(logs.at("a.log"));
    await using before = await new Following(logs.at("a.log*")).begun();
    writer.write(...numbered(1, 100));
    await before.saw(...numbered(1, 100));
    // From now on both the log and its copies begin with holes.
    rotate(logs);
    writer.write(...numbered(101, 150));
    await before.saw(...numbered(1, 150));
    const after = await before.stop();
    let count = 150;
    for (let i = 0; i < times; i++) {
      writer.write(...numbered(count + 1, count += 9_100));
      rotate(logs);
    }
    writer.write(...numbered(count + 1, count += 50));
    await using following = new Following(logs.at("a.log*"), { after });
    await following.saw(...numbered(151, count));
    rotate(logs);
    writer.write("the end");
    await following.saw(...numbered(151, count), "the end");
  });
}

Deno.test("a hole that becomes longer while it is read, and one between lines, are passed over", async () => {
  using logs = new LogDirectory();
  using writer = new Writer(logs.at("a.log"));
  await using following = await new Following(logs.at("a.log")).begun();
  writer.write("one");
  writer.skip(200 * MIB);
  writer.write("two");
  await following.saw("one", "two");
  Deno.truncateSync(logs.at("a.log"), 300 * MIB);
  await eventually(() => JSON.parse(following.position!).files.length === 1);
  writer.skip(300 * MIB);
  writer.write("three");
  await following.saw("one", "two", "three");
});
