import { MILLISECOND, SECOND } from "../../../lib/core/time.ts";
import { strict as assert } from "node:assert";
import { pause } from "../../../lib/core/async.ts";
import { absence, readDenial } from "../../../lib/core/read_denial.ts";
import { entriesOf } from "../../support/records.ts";
import { openFiles } from "../../../lib/sources/files/files.ts";
import { Glob } from "../../../lib/sources/files/glob.ts";
import { Logs } from "../../../lib/sources/files/logs.ts";
import { Opener } from "../../../lib/sources/files/opening.ts";
import { MAX_CHUNK, Tail } from "../../../lib/sources/files/tail.ts";
import { RecordBuffer } from "../../../lib/core/record_buffer.ts";
import { MAX_LINE } from "../../../lib/sources/line_splitter.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";

Deno.test("a file's lines are handed over as they are written, with the time at which they came", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "old\n");
  await using following = await new Following(logs.at("a.log"), { clock: () => 42 }).begun();
  logs.append("a.log", "one\ntwo\r\n");
  await following.saw("one", "two");
  assert.deepEqual(following.entries[0], {
    time: 42,
    identifier: null,
    pid: null,
    message: "one",
    sender: null,
  });
});

Deno.test("a line written in pieces is one line, and none until its end comes", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "before ");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", "o");
  logs.append("b.log", "");
  logs.append("a.log", "ne\nt");
  await following.saw("before one");
  logs.append("a.log", "wo \u20ac".slice(0, 3));
  logs.append("a.log", Uint8Array.of(0xe2, 0x82));
  logs.append("a.log", Uint8Array.of(0xac, 13));
  logs.append("a.log", "\n");
  await following.saw("before one", "two \u20ac");
});

Deno.test("bytes that are no UTF-8 become U+FFFD, and NULs before a line are left out", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", Uint8Array.of(0, 0, 0, 97, 0xff, 98, 10, 0, 0));
  logs.append("a.log", Uint8Array.of(0, 99, 0, 10));
  await following.saw("a\ufffdb", "c\0");
});

/** Returns the bytes in use by this test file: resident memory is that of all files that run beside it. */
function memory(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

Deno.test("a long line is cut and counted, and a hundred megabytes without an end cost no memory", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", `${"x".repeat(MAX_LINE)}\n${"\u20ac".repeat(MAX_LINE + 1)}\n`);
  await following.saw("x".repeat(MAX_LINE), "\u20ac".repeat(MAX_LINE));
  assert.equal(following.damaged, 1);
  const part = new Uint8Array(1024 * 1024).fill("y".charCodeAt(0));
  const before = memory();
  for (let i = 0; i < 100; i++) logs.append("a.log", part);
  logs.append("a.log", "\nlast\n");
  await eventually(() => following.entries.length === 4);
  assert.equal(following.lines[2], "y".repeat(MAX_LINE));
  assert.equal(following.lines[3], "last");
  assert.equal(following.damaged, 2);
  assert.ok(memory() - before < 60_000_000, `${memory() - before} bytes more`);
});

Deno.test("after a stop reading goes on just behind the last whole line", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using first = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", "one\ntw");
  await first.saw("one");
  const after = await first.stop();
  logs.append("a.log", "o\nthree\n");
  logs.touch("a.log", 1_000_000);
  await using second = new Following(logs.at("a.log"), { after });
  await second.saw("two", "three");
  assert.equal(second.entries[0]!.time, 1_000_000_000_000);
});

Deno.test("lines that came while nobody read are dated between the last look and the file's last change", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using first = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", "one\n");
  logs.touch("a.log", 1_000_000);
  await first.saw("one");
  await eventually(() => first.position!.includes("1000000000000"));
  const after = await first.stop();
  logs.append("a.log", "day 1\nday 2\nday 3\nday 4\n");
  logs.touch("a.log", 1_345_600.001);
  await using second = new Following(logs.at("a.log"), { after });
  await eventually(() => second.entries.length === 4);
  const days = second.entries.map(({ time }) => (time - 1_000_000 * SECOND) / (86_400 * SECOND));
  assert.deepEqual(days.map((day) => Math.round(day)), [1, 2, 3, 4]);
  assert.ok(second.entries.every(({ time }) => Number.isInteger(time)));
  logs.append("a.log", "live\n");
  await eventually(() => second.entries.length === 5);
  assert.ok(second.entries[4]!.time > Date.now() * MILLISECOND - 60 * SECOND);
});

Deno.test("a first start without lines still gives a position to go on from", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "old\n");
  await using first = await new Following(logs.at("a.log")).begun();
  const after = await first.stop();
  assert.deepEqual(first.entries, []);
  logs.append("a.log", "new\n");
  await using second = new Following(logs.at("a.log"), { after });
  await second.saw("new");
});

Deno.test("files that appear later are read from their beginning", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "old\n");
  await using following = await new Following(logs.at("*.log")).begun();
  logs.write("b.log", "one\n");
  await following.saw("one");
  logs.write(".c.log", "hidden\n");
  logs.write("c.txt", "other\n");
  logs.write("d.log", "two\n");
  logs.append("a.log", "three\n");
  await eventually(() => following.entries.length === 3);
  assert.deepEqual(following.lines.sort(), ["one", "three", "two"]);
});

Deno.test("a directory that does not exist yet is followed once it does, also below a wildcard", async () => {
  using logs = new LogDirectory();
  await using following = new Following(logs.at("sites/*/access.log"), { poll: 20 * MILLISECOND });
  await eventually(() => following.problems.length > 0);
  assert.deepEqual(following.problems, [
    `Cannot read ${logs.at("sites/*/access.log")}: ${absence(logs.at("sites/*/access.log"))}`,
  ]);
  Deno.mkdirSync(logs.at("sites/a"), { recursive: true });
  logs.write("sites/a/access.log", "one\n");
  await following.saw("one");
  Deno.mkdirSync(logs.at("sites/b"));
  logs.write("sites/b/access.log", "two\n");
  await following.saw("one", "two");
  Deno.removeSync(logs.at("sites"), { recursive: true });
  Deno.mkdirSync(logs.at("sites/a"), { recursive: true });
  logs.write("sites/a/access.log", "three\n");
  await following.saw("one", "two", "three");
});

Deno.test("what is no regular file is told of once and left alone", async () => {
  using logs = new LogDirectory();
  Deno.mkdirSync(logs.at("a.log"));
  assert.ok(new Deno.Command("mkfifo", { args: [logs.at("b.log")] }).outputSync().success);
  logs.write("c.log", "");
  await using following = await new Following(logs.at("*.log"), { poll: 10 * MILLISECOND }).begun();
  logs.append("c.log", "one\n");
  await following.saw("one");
  for (const line of ["two", "three"]) {
    logs.append("c.log", `${line}\n`);
    await eventually(() => following.lines.at(-1) === line);
  }
  assert.deepEqual(following.problems, [
    `Cannot read ${logs.at("a.log")}: it is not a regular file`,
    `Cannot read ${logs.at("b.log")}: it is not a regular file`,
  ]);
});

Deno.test("a file under two names is read once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  Deno.linkSync(logs.at("a.log"), logs.at("b.log"));
  Deno.symlinkSync(logs.at("a.log"), logs.at("c.log"));
  await using following = await new Following(logs.at("*.log")).begun();
  logs.append("b.log", "one\n");
  logs.append("c.log", "two\n");
  await following.saw("one", "two");
});

Deno.test("lines that several logs have at the same time are one commit", async () => {
  using logs = new LogDirectory();
  const names = ["a.log", "b.log", "c.log", "d.log"];
  for (const name of names) logs.write(name, "");
  await using first = await new Following(logs.at("*.log")).begun();
  const after = await first.stop();
  for (const name of names.slice(0, 3)) logs.append(name, `${name}\n`);
  const stop = new AbortController();
  const seen: [lines: number, isMore: boolean][] = [];
  for await (
    const { records, isMore } of openFiles(logs.at("*.log")).batches({ after, since: 0 }, stop.signal)
  ) {
    seen.push([records.length, isMore ?? false]);
    if (!isMore) stop.abort();
  }
  assert.deepEqual(seen, [[1, true], [1, true], [1, true], [0, false]]);
});

Deno.test("a start with many logs in a directory looks at each a few times, also the next one", async () => {
  using logs = new LogDirectory();
  const names = Array.from({ length: 200 }, (_, i) => `a${i}.log`);
  for (const name of names) logs.write(name, "old\n");
  const { statSync } = Deno;
  let looks = 0;
  Deno.statSync = (path) => {
    looks++;
    return statSync(path);
  };
  using _ = { [Symbol.dispose]: () => void (Deno.statSync = statSync) };
  await using first = await new Following(logs.at("*.log"), { poll: 60 * SECOND }).begun();
  const after = await first.stop();
  await using second = await new Following(logs.at("*.log"), { after, poll: 60 * SECOND }).begun();
  await second.stop();
  assert.ok(looks < 20 * names.length, `${looks} looks`);
});

Deno.test("without inotify looking from time to time will do", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const { watchFs } = Deno;
  Deno.watchFs = () => {
    throw new Error("no watches left");
  };
  try {
    await using following = await new Following(logs.at("*.log"), { poll: 5 * MILLISECOND }).begun();
    logs.append("a.log", "one\n");
    await following.saw("one");
    logs.write("b.log", "two\n");
    await following.saw("one", "two");
  } finally {
    Deno.watchFs = watchFs;
  }
});

Deno.test("an abort ends the batches at once, whenever it comes", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "one\n".repeat(100_000));
  const source = openFiles(logs.at("a.log"), { timeOf: () => 1 });
  assert.equal(source.name, `file:${logs.at("a.log")}`);
  for await (const _ of source.batches({ after: null, since: 0 }, AbortSignal.abort())) {
    assert.fail("a batch");
  }
  const stopping = new AbortController();
  let batches = 0;
  for await (const _ of source.batches({ after: null, since: 0 }, stopping.signal)) {
    batches++;
    stopping.abort();
  }
  assert.equal(batches, 1);
});

Deno.test("a position of something else is refused", async () => {
  const source = openFiles("/var/log/a.log");
  for (const after of ["", "{}", "s=1;i=2", '{"files":[["a"]]}']) {
    await assert.rejects(
      async () => {
        for await (const _ of source.batches({ after, since: 0 }, new AbortController().signal));
      },
      /Cannot resume log files/,
      after,
    );
  }
  assert.throws(() => openFiles("a.log"), /must begin with \//);
});

Deno.test("a flood is read in bulk, in order, and stopping anywhere in it loses nothing", async () => {
  using logs = new LogDirectory();
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i} ${"x".repeat(i % 100)}`);
  logs.write("a.log", lines.join("\n") + "\n");
  const seen: string[] = [];
  let after: string | null = null;
  while (seen.length < lines.length) {
    const stopping = new AbortController();
    const source = openFiles(logs.at("a.log"), { timeOf: () => 1 });
    for await (const { records, position } of source.batches({ after, since: 0 }, stopping.signal)) {
      seen.push(...entriesOf(records).map(({ message }) => message));
      after = position;
      if (entriesOf(records).length > 0) stopping.abort();
    }
  }
  assert.deepEqual(seen, lines);
});

Deno.test("a file that may not be opened is told of once, and read from where it was left when it may", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using first = await new Following(logs.at("*.log")).begun();
  logs.append("a.log", "one\n");
  await first.saw("one");
  const after = await first.stop();
  logs.append("a.log", "two\n");
  logs.write("b.log", "three\n");
  const denied = denyOpening(() => true);
  await using second = new Following(logs.at("*.log"), { after, poll: 5 * MILLISECOND });
  try {
    await eventually(() => second.problems.length >= 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(JSON.parse(second.position!), JSON.parse(after));
  } finally {
    denied[Symbol.dispose]();
  }
  await second.saw("two", "three");
  assert.deepEqual(second.problems, [
    `Cannot read ${logs.at("a.log")}: ${readDenial(logs.at("a.log"))}`,
    `Cannot read ${logs.at("b.log")}: ${readDenial(logs.at("b.log"))}`,
  ]);
});

/** Lets nobody open files for which `isDenied` is true, until the end of the scope. */
function denyOpening(isDenied: (path: string) => boolean): Disposable {
  const { openSync } = Deno;
  Deno.openSync = (path, options) => {
    if (isDenied(String(path))) throw new Deno.errors.PermissionDenied("permission denied");
    return openSync(path, options);
  };
  return { [Symbol.dispose]: () => void (Deno.openSync = openSync) };
}

/** Makes `a.log`, of which "one" is read and "two" is not. Returns the position and the file's inode. */
async function halfRead(logs: LogDirectory): Promise<{ after: string; ino: number }> {
  logs.write("a.log", "");
  await using first = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", "one\n");
  await first.saw("one");
  const after = await first.stop();
  logs.append("a.log", "two\n");
  return { after, ino: Deno.statSync(logs.at("a.log")).ino! };
}

Deno.test("the problem of a rotated file ends when another file has its name", async () => {
  using logs = new LogDirectory();
  const { after, ino } = await halfRead(logs);
  using _ = denyOpening((path) => Deno.statSync(path).ino === ino);
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "three\n");
  await using second = new Following(logs.at("a.log"), { after, poll: 5 * MILLISECOND });
  await second.saw("three");
  const problem = (name: string) => `Cannot read ${logs.at(name)}: ${readDenial(logs.at(name))}`;
  assert.deepEqual(second.present, [problem("a.log.1")]);
  logs.rename("a.log.1", "a.log.2");
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "four\n");
  await second.saw("three", "four");
  await eventually(() => second.present.length === 1);
  assert.deepEqual(second.present, [problem("a.log.2")]);
});

Deno.test("a rotated file that may be read again later is not taken for the last one of its name", async () => {
  using logs = new LogDirectory();
  const { after, ino } = await halfRead(logs);
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "three\n");
  const denied = denyOpening((path) => Deno.statSync(path).ino === ino);
  await using second = new Following(logs.at("a.log"), { after, poll: 5 * MILLISECOND });
  await second.saw("three");
  denied[Symbol.dispose]();
  await second.saw("three", "two");
  using _ = denyOpening((path) => path.endsWith(".1"));
  logs.append("a.log", "four\n");
  await second.saw("three", "two", "four");
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "five\n");
  await second.saw("three", "two", "four", "five");
  assert.deepEqual(second.present, []);
  const files = JSON.parse(await second.stop()).files as [string, number, number][];
  assert.equal(files[0]![2], ino);
});

Deno.test("a new log that begins as another one does is read all the same", async () => {
  using logs = new LogDirectory();
  const beginning = Array.from({ length: 40 }, (_, i) => `heading ${i} of every log of this kind`);
  logs.write("a.log", `${beginning.join("\n")}\n`);
  await using following = await new Following(logs.at("*.log"), { timeOf: () => 0, since: 1 }).begun();
  logs.write("b.log", `${beginning.join("\n")}\nand this\n`);
  await following.saw(...beginning, "and this");
});

Deno.test("a pipe that appears among the logs is told of once, and holds up nothing, also after a restart", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "old\n");
  // Deno's own watcher opens the pipe too: it tells of nothing any more, and closing it would wait for a writer.
  const { watchFs } = Deno;
  Deno.watchFs = () => {
    const close = () => assert.fail("the watcher was closed");
    const events = { next: () => new Promise<never>(() => {}), [Symbol.asyncIterator]: () => events };
    return { ...events, close, [Symbol.dispose]: close } as unknown as Deno.FsWatcher;
  };
  try {
    const options = { poll: 5 * MILLISECOND };
    await using first = await new Following(logs.at("*.log"), options).begun();
    await new Deno.Command("mkfifo", { args: [logs.at("b.log")] }).output();
    logs.append("a.log", "one\n");
    await first.saw("one");
    await eventually(() => first.problems.length > 0);
    const after = await first.stop();
    logs.append("a.log", "two\n");
    await using second = new Following(logs.at("*.log"), { ...options, after });
    await second.saw("two");
    const told = [`Cannot read ${logs.at("b.log")}: it is not a regular file`];
    assert.deepEqual([first.problems, second.problems], [told, told]);
  } finally {
    Deno.watchFs = watchFs;
  }
});

Deno.test("files of another pattern are not read, though they were before, and nobody waits for more", async () => {
  using logs = new LogDirectory();
  const options = { poll: 5 * MILLISECOND };
  logs.write("access.log", "");
  logs.write("access_ssl", "");
  await using both = await new Following(logs.at("access*"), options).begun();
  const after = await both.stop();
  const others = { others: [logs.at("*.log"), logs.at("*/access_ssl")] };
  await using one = await new Following(logs.at("access*"), { ...options, ...others, after }).begun();
  logs.append("access.log", "one\n");
  logs.append("access_ssl", "two\n");
  await one.saw("two");
  logs.remove("access_ssl");
  await using none = await new Following(logs.at("access*"), { ...options, ...others }).begun();
  assert.deepEqual(none.problems, []);
});

for (const name of ["access.log.1", "access.log-20261123", "access.log.old"]) {
  Deno.test(`a file of another pattern is not read as ${name} either`, async () => {
    using logs = new LogDirectory();
    const options = { poll: 5 * MILLISECOND, others: [logs.at("*.log")] };
    logs.write("access.log", "");
    logs.write("access_ssl", "");
    await using following = await new Following(logs.at("access*"), options).begun();
    logs.append("access.log", "one\n");
    logs.rename("access.log", name);
    logs.append("access_ssl", "two\n");
    await following.saw("two");
    logs.write("access.log", "");
    await pause(50);
    logs.append("access_ssl", "three\n");
    await following.saw("two", "three");
  });
}

Deno.test("a check looks at each of many idle files a few times, not once for each other", async () => {
  using directory = new LogDirectory();
  for (let i = 0; i < 100; i++) directory.write(`${i}.log`, `line ${i}\n`);
  const shared = {
    timeOf: undefined,
    learnZone: undefined,
    clock: () => 42,
    buffer: new RecordBuffer(MAX_CHUNK),
  };
  const opener = new Opener(shared, () => {});
  using logs = new Logs(new Glob(directory.at("*.log")), { opener, linger: 60_000 });
  await logs.begin({ after: null, since: 0 });
  assert.equal(logs.tails.length, 100);
  const inode = Object.getOwnPropertyDescriptor(Tail.prototype, "ino")!;
  let looks = 0;
  Object.defineProperty(Tail.prototype, "ino", {
    ...inode,
    get() {
      looks++;
      return inode.get!.call(this);
    },
  });
  try {
    await logs.survey();
  } finally {
    Object.defineProperty(Tail.prototype, "ino", inode);
  }
  assert.ok(looks < 1_000, `${looks} looks`);
});

Deno.test("lines at the end of a page wait until what is being written there has come, or for two seconds", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  const page = `${"a".repeat(4_090)}\nlast\n`;
  logs.append("a.log", page);
  await pause(200);
  assert.deepEqual(following.lines, []);
  await following.saw(page.split("\n")[0]!, "last");
  logs.append("a.log", `first ${"b".repeat(4_084)}\nhead\n`);
  logs.append("a.log", "tail\n");
  await following.saw(page.split("\n")[0]!, "last", `first ${"b".repeat(4_084)}`, "head", "tail");
});

Deno.test("a log that was read and stays away is a problem until it comes back; one that never was is awaited", async () => {
  using logs = new LogDirectory();
  const options = { poll: 5 * MILLISECOND, linger: 20 * MILLISECOND };
  logs.write("read.log", "");
  await using read = await new Following(logs.at("read.log"), options).begun();
  await using never = await new Following(logs.at("never.log"), options).begun();
  logs.append("read.log", "one\n");
  await read.saw("one");
  for (const _ of ["rotation", "again"]) {
    logs.rename("read.log", "read.log.1");
    logs.write("read.log", "");
    await pause(200);
    assert.deepEqual(read.present, []);
    logs.remove("read.log");
    logs.remove("read.log.1");
    await eventually(() => read.present.length > 0);
    assert.match(
      read.present[0]!,
      /^Cannot read .*read\.log: it was read before and is gone for minutes; see /,
    );
    assert.deepEqual([read.isWaiting, never.isWaiting], [false, true]);
    // An empty file is not read before its first line, and is there all the same.
    logs.write("read.log", "");
    await eventually(() => read.present.length === 0);
  }
  assert.equal(read.problems.length, 2, "each loss is told once");
  assert.deepEqual(never.present, []);
  logs.write("never.log", "");
  await eventually(() => !never.isWaiting);
});

Deno.test("a log that is gone when the reader starts again is a problem after the same time", async () => {
  using logs = new LogDirectory();
  const options = { poll: 5 * MILLISECOND, linger: 20 * MILLISECOND };
  logs.write("a.log", "one\n");
  const after = await (await new Following(logs.at("a.log"), options).begun()).stop();
  logs.remove("a.log");
  await using following = await new Following(logs.at("a.log"), { ...options, after }).begun();
  assert.deepEqual(following.present, []);
  await eventually(() => following.present.length > 0);
});
