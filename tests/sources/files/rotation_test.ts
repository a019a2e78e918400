import { MILLISECOND } from "../../../lib/core/time.ts";
import { pause } from "../../../lib/core/async.ts";
import { strict as assert } from "node:assert";
import { isRotated } from "../../../lib/sources/files/names.ts";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory, resume } from "../../support/file_following.ts";
import { exists } from "../../support/probes.ts";

/** Longer than a head. */
const LONG = Array.from({ length: 40 }, (_, i) => `line ${i} ${"x".repeat(40)}`);

/** Begins to follow `a.log`, hands over `lines` and stops; gives the position. */
async function readBefore(logs: LogDirectory, ...lines: string[]): Promise<string> {
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", lines.map((line) => `${line}\n`).join(""));
  await following.saw(...lines);
  return await following.stop();
}

/** Sets when a file was last changed, if it is there: `by` seconds from now. */
function age(logs: LogDirectory, files: Record<string, number>): void {
  const now = Date.now() / 1_000;
  for (const [name, by] of Object.entries(files)) if (exists(logs.at(name))) logs.touch(name, now + by);
}

/** How many files a position holds. */
function filesIn(position: string): number {
  return JSON.parse(position).files.length;
}

Deno.test("isRotated() knows the names that rotations give, and no others", () => {
  const logs = new Set(["/v/access.log", "/v/app", "/v/app-1.log", "/v/current"]);
  const rotated = [
    "access.log.1",
    "access.log.2.gz",
    "access.log-20261123",
    "access.log-20261123.gz",
    "access.log-2026-11-23-1795392000",
    "access.log-20261123.1",
    "access-20261123.log",
    "access-20261123.log.gz",
    "access-2026-11-23.log",
    "access__2026-11-23_00-00-00.log",
    "access.log.old",
    "access.log-2026112306.backup",
    "access.log~",
    "app.1",
    "app-20261123",
    "app-1.log.3",
    "@40000000692cae2f1f6a2c14.s",
    "@40000000692cae2f1f6a2c14.u",
    "@40000000692cae2f1f6a2c14",
    "anything.gz",
    "anything.xz",
  ];
  const own = [
    "access.log",
    "access.log.json",
    "access-2.log",
    "error.log.1",
    "error-20261123.log",
    "app-1.log",
    "app-a.log",
    "app",
    "access.logs",
    "@40000000692c.s",
    "@web-current",
  ];
  assert.deepEqual(rotated.filter((name) => !isRotated(`/v/${name}`, logs)), []);
  assert.deepEqual(own.filter((name) => isRotated(`/v/${name}`, logs)), []);
});

Deno.test("after a rename the old file is read on beside the new one, and let go when it is quiet", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log"), { linger: 300 * MILLISECOND, poll: 50_000 })
    .begun();
  logs.append("a.log", "one\n");
  await following.saw("one");
  logs.rename("a.log", "a.log.1");
  logs.append("a.log.1", "two\n");
  logs.write("a.log", "three\n");
  await following.saw("one", "two", "three");
  logs.append("a.log.1", "four\nunfinish");
  await following.saw("one", "two", "three", "four");
  assert.equal(filesIn(following.position!), 2);
  logs.append("a.log.1", "ed");
  await following.saw("one", "two", "three", "four", "unfinished");
  await eventually(() => filesIn(following.position!) === 1);
});

Deno.test("a log that was let go is read on when it gets its name back, and a new one from its beginning", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log"), { linger: 200 * MILLISECOND, poll: 20_000 })
    .begun();
  logs.append("a.log", "one\ntwo\n");
  await following.saw("one", "two");
  logs.rename("a.log", "elsewhere");
  await eventually(() => filesIn(following.position!) === 0);
  logs.append("elsewhere", "three\n");
  logs.rename("elsewhere", "a.log");
  await following.saw("one", "two", "three");
  logs.append("a.log", "four\n");
  await following.saw("one", "two", "three", "four");
  logs.remove("a.log");
  await eventually(() => filesIn(following.position!) === 0);
  logs.write("a.log", "one\n");
  await following.saw("one", "two", "three", "four", "one");
});

Deno.test("logs numbered from the oldest are read once each", async () => {
  using logs = new LogDirectory();
  await using following = await new Following(logs.at("a.log"), { linger: 200 * MILLISECOND }).begun();
  const seen = ["file 0"];
  logs.write("a.log", "file 0\n");
  await following.saw(...seen);
  for (let number = 1; number <= 4; number++) {
    logs.rename("a.log", `a.log.${number}`);
    age(logs, { [`a.log.${number}`]: number - 10 });
    logs.write("a.log", `file ${number}\n`);
    seen.push(`file ${number}`);
    await following.saw(...seen);
    // The old one is quiet until it is let go.
    await eventually(() => filesIn(following.position!) === 1);
  }
});

Deno.test("logs numbered from the oldest that were rotated away while nobody looked are read in order, once each", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "0\n");
  await using first = await new Following(logs.at("a.log"), { since: 0 }).begun();
  const after = await first.stop();
  const began = Date.now() / 1_000 - 100;
  for (let day = 1; day < 12; day++) {
    logs.append("a.log", `last of ${day}\n`);
    logs.touch("a.log", began + day);
    // Inodes are younger by a tick of the file system's clock.
    await pause(20);
    logs.rename("a.log", `a.log.${day}`);
    logs.write("a.log", `first after ${day}\n`);
  }
  const all = Array.from({ length: 11 }, (_, i) => [`last of ${i + 1}`, `first after ${i + 1}`]).flat();
  await using second = new Following(logs.at("a.log"), { after });
  await second.saw(...all);
});

Deno.test("files that multilog labelled and put aside while nobody looked are read in order, once each", async () => {
  using logs = new LogDirectory();
  logs.write("current", "");
  const before = await new Following(logs.at("current")).begun();
  logs.append("current", `${LONG.join("\n")}\n`);
  await before.saw(...LONG);
  const after = await before.stop();
  const [first, second] = ["@40000000692cae2f1f6a2c14.s", "@40000000692cae3a0b6a2c14.u"];
  logs.append("current", "in the first\n");
  logs.rename("current", first);
  logs.write("current", "in the second\n");
  logs.rename("current", second);
  logs.write("current", "in the newest\n");
  age(logs, { [first]: -2, [second]: -1 });
  await resume(logs.at("current"), { after, lines: ["in the first", "in the second", "in the newest"] });
});

Deno.test("a log that is missing for a while, or deleted and made anew, goes on", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", "one\n");
  logs.remove("a.log");
  await following.saw("one");
  logs.write("a.log", "two\n");
  await following.saw("one", "two");
  logs.write("new", "two\n");
  logs.rename("new", "a.log");
  await following.saw("one", "two", "two");
});

Deno.test("what an editor writes anew is not read again", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", LONG.join("\n") + "\n");
  await following.saw(...LONG);
  logs.copy("a.log", "edited");
  logs.rename("edited", "a.log");
  logs.append("a.log", "one\n");
  await following.saw(...LONG, "one");
});

for (const [name, before] of [["short", ["one", "two"]], ["long", LONG]] as const) {
  Deno.test(`a ${name} file that is copied and truncated goes on at its beginning`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    await using following = await new Following(logs.at("a.log*")).begun();
    logs.append("a.log", before.join("\n") + "\n");
    await following.saw(...before);
    logs.copy("a.log", "a.log.1");
    logs.truncate("a.log");
    logs.append("a.log", "three\n");
    await following.saw(...before, "three");
    logs.rename("a.log.1", "a.log.2");
    logs.copy("a.log", "a.log.1");
    logs.truncate("a.log");
    logs.append("a.log", "four\n");
    await following.saw(...before, "three", "four");
  });

  Deno.test(`a ${name} file that is truncated and longer than before in between is read from its beginning`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    const after = await readBefore(logs, ...before);
    const more = Array.from({ length: 100 }, (_, i) => `again ${i}`);
    logs.write("a.log", more.join("\n") + "\n");
    await resume(logs.at("a.log"), { after, lines: more });
  });

  Deno.test(`a ${name} file that was copied and truncated while nobody looked is read to the end of the copy first`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    const after = await readBefore(logs, ...before);
    logs.append("a.log", "rest\n");
    logs.copy("a.log", "a.log.1");
    logs.truncate("a.log");
    logs.append("a.log", "new\n");
    const reached = await resume(logs.at("a.log*"), { after, lines: ["rest", "new"] });
    logs.append("a.log", "newer\n");
    await resume(logs.at("a.log*"), { after: reached, lines: ["newer"] });
  });

  for (const [kind, second] of [["a.log.1", "a.log.2"], ["a.log-20261123", "a.log-20261122"]] as const) {
    for (const compressed of ["", "compressed ", "delayed compressed "]) {
      Deno.test(`a ${name} file, ${compressed}rotated twice to ${kind} while nobody looked, is read from where it was left`, async () => {
        using logs = new LogDirectory();
        logs.write("a.log", "");
        const after = await readBefore(logs, ...before);
        logs.append("a.log", "rest\n");
        logs.rename("a.log", second);
        logs.write(kind, "between\n");
        logs.write("a.log", "current\n");
        logs.write(kind === "a.log.1" ? "a.log.3" : "a.log-20261121", "older\n");
        age(logs, { "a.log.3": -60, "a.log-20261121": -60, [second]: 60, [kind]: 120 });
        if (compressed) logs.gzip(second);
        if (compressed === "compressed ") logs.gzip(kind);
        const reached = await resume(logs.at("a.log*"), { after, lines: ["rest", "between", "current"] });
        logs.append("a.log", "next\n");
        await resume(logs.at("a.log*"), { after: reached, lines: ["next"] });
      });
    }
  }
}

Deno.test("a big rest in a compressed file is read in parts, and each part once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  let after = await readBefore(logs, ...LONG);
  const rest = Array.from({ length: 40_000 }, (_, i) => `rest ${i}`);
  logs.append("a.log", rest.join("\n"));
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "new\n");
  logs.gzip("a.log.1");
  const seen: string[] = [];
  for (let turn = 0; seen.at(-1) !== "new"; turn++) {
    await using following = new Following(logs.at("a.log"), { after });
    await eventually(() => following.entries.length > 0);
    after = await following.stop();
    seen.push(...following.lines);
    if (turn === 0) logs.rename("a.log.1.gz", "a.log.2.gz");
  }
  assert.deepEqual(seen, [...rest, "new"]);
});

Deno.test("a compressed file that is damaged keeps nobody from reading the new one", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const after = await readBefore(logs, ...LONG);
  logs.append("a.log", "rest\n".repeat(50_000));
  logs.rename("a.log", "a.log.1");
  logs.gzip("a.log.1");
  const whole = Deno.readFileSync(logs.at("a.log.1.gz"));
  logs.write("a.log.1.gz", whole.subarray(0, whole.length - 20));
  logs.write("a.log", "new\n");
  await using following = new Following(logs.at("a.log"), { after, linger: 0, poll: 20 * MILLISECOND });
  await eventually(() => following.lines.includes("new"));
  await eventually(() => filesIn(following.position!) === 1);
  assert.match(following.problems.join("\n"), /Cannot read .*a\.log.*: /);
});

Deno.test("an inode that another file has by now is not taken for the old file", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const after = await readBefore(logs, ...LONG);
  logs.write("a.log", LONG.map((line) => line.replace("line", "other")).join("\n") + "\n");
  await resume(logs.at("a.log"), { after, lines: LONG.map((line) => line.replace("line", "other")) });
});

Deno.test("a file with a hole of NULs, left by a writer that did not append, is read behind the hole", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  using writer = Deno.openSync(logs.at("a.log"), { write: true });
  const write = (text: string) => writer.writeSync(new TextEncoder().encode(text));
  write("x".repeat(3_000_000) + "\n");
  await eventually(() => following.entries.length === 1);
  logs.copy("a.log", "a.log.1");
  logs.truncate("a.log");
  write("one\n");
  await eventually(() => following.entries.length === 2);
  write("two\n");
  await eventually(() => following.entries.length === 3);
  assert.deepEqual(following.lines.slice(1), ["one", "two"]);
});

Deno.test("date-named logs: each is read to its end, and those that are deleted leave the position", async () => {
  using logs = new LogDirectory();
  logs.write("app-2026-11-01.log", "old\n");
  const options = { linger: 0, poll: 20 * MILLISECOND };
  await using first = await new Following(logs.at("app-*.log"), options).begun();
  const seen: string[] = [];
  for (let day = 2; day <= 9; day++) {
    logs.append(`app-2026-11-0${day - 1}.log`, `late ${day}\n`);
    logs.write(`app-2026-11-0${day}.log`, `early ${day}\n`);
    seen.push(`late ${day}`, `early ${day}`);
    await eventually(() => first.entries.length === seen.length);
  }
  assert.deepEqual(first.lines.sort(), seen.sort());
  for (let day = 1; day <= 7; day++) logs.remove(`app-2026-11-0${day}.log`);
  await eventually(() => filesIn(first.position!) === 2);
  const after = await first.stop();
  logs.remove("app-2026-11-08.log");
  await using second = await new Following(logs.at("app-*.log"), { after, ...options }).begun();
  await eventually(() => filesIn(second.position!) === 1);
  assert.deepEqual([second.lines, second.problems], [[], []]);
});

Deno.test("a copy that fits the pattern is not read as a log of its own", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", LONG.join("\n") + "\n");
  await using following = await new Following(logs.at("*.log")).begun();
  logs.copy("a.log", "b.log");
  logs.append("a.log", "one\n");
  await following.saw("one");
  logs.write("c.log", "two\n");
  await following.saw("one", "two");
});

Deno.test("a rename within the pattern changes nothing", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("*.log")).begun();
  logs.append("a.log", "one\n");
  await following.saw("one");
  logs.rename("a.log", "b.log");
  logs.append("b.log", "two\n");
  logs.write("a.log", "three\n");
  await eventually(() => following.entries.length === 3);
  assert.deepEqual(following.lines.slice(1).sort(), ["three", "two"]);
});

Deno.test("a position stands while the directory is away", async () => {
  using logs = new LogDirectory();
  Deno.mkdirSync(logs.at("d"));
  logs.write("d/a.log", "");
  await using first = await new Following(logs.at("d/a.log")).begun();
  logs.append("d/a.log", "one\n");
  await first.saw("one");
  const after = await first.stop();
  logs.append("d/a.log", "two\n");
  logs.rename("d", "away");
  await using second = await new Following(logs.at("d/a.log"), { after, poll: 20 * MILLISECOND }).begun();
  assert.deepEqual(JSON.parse(second.position!), JSON.parse(after));
  logs.rename("away", "d");
  await second.saw("two");
});

Deno.test("an old file is read for as long as the one that took its name is empty", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const options = { linger: 0, poll: 10 * MILLISECOND };
  await using first = await new Following(logs.at("a.log"), options).begun();
  logs.append("a.log", "one\n");
  await first.saw("one");
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "");
  await eventually(() => filesIn(first.position!) === 2);
  await new Promise((resolve) => setTimeout(resolve, 100));
  logs.append("a.log.1", "two\n");
  await first.saw("one", "two");
  const after = await first.stop();
  await using second = await new Following(logs.at("a.log"), { after, ...options }).begun();
  logs.append("a.log", "three\n");
  await second.saw("three");
  await eventually(() => filesIn(second.position!) === 1);
});

Deno.test("a file that was empty, then written, copied and truncated while nobody looked, is read from the copy", async () => {
  using logs = new LogDirectory();
  logs.write("a.log.1", "older\n");
  logs.write("a.log", "");
  age(logs, { "a.log.1": -60, "a.log": -60 });
  await using first = await new Following(logs.at("a.log")).begun();
  const after = await first.stop();
  logs.rename("a.log.1", "a.log.2");
  logs.append("a.log", "one\n");
  logs.copy("a.log", "a.log.1");
  logs.truncate("a.log");
  logs.append("a.log", "two\n");
  await resume(logs.at("a.log"), { after, lines: ["one", "two"] });
});

Deno.test("a file that is empty again at each look is read from the copies made in between", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  age(logs, { "a.log": -60 });
  await using following = await new Following(logs.at("a.log"), { poll: 10 * MILLISECOND }).begun();
  const seen: string[] = [];
  for (const line of ["one", "two", "three"]) {
    for (let i = seen.length; i > 0; i--) logs.rename(`a.log.${i}`, `a.log.${i + 1}`);
    logs.append("a.log", `${line}\n`);
    logs.copy("a.log", "a.log.1");
    logs.truncate("a.log");
    await following.saw(...seen, line);
    seen.push(line);
  }
});

for (const compressed of [false, true]) {
  Deno.test(`files rotated away while there is no new file yet are read once${compressed ? ", compressed" : ""}`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    const after = await readBefore(logs, ...LONG);
    logs.rename("a.log", "a.log.2");
    logs.write("a.log.1", "one\n");
    age(logs, { "a.log.1": 60 });
    if (compressed) logs.gzip("a.log.2");
    const options = { linger: 0, poll: 10 * MILLISECOND };
    await using following = new Following(logs.at("a.log*"), { after, ...options });
    await following.saw("one");
    await new Promise((resolve) => setTimeout(resolve, 100));
    logs.write("a.log", "two\n");
    await following.saw("one", "two");
    await eventually(() => filesIn(following.position!) === 1);
  });
}

Deno.test("a younger file that has the inode of one that was empty is not taken for it", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using first = await new Following(logs.at("a.log")).begun();
  const position = JSON.parse(await first.stop());
  logs.append("a.log", "one\n");
  logs.rename("a.log", "a.log.1");
  logs.gzip("a.log.1");
  logs.write("a.log", "two\n");
  // The position holds path, device, inode and more of each file.
  position.files[0][2] = Deno.statSync(logs.at("a.log")).ino;
  await resume(logs.at("a.log"), { after: JSON.stringify(position), lines: ["one", "two"] });
});

/** Reads `a.log.1`, which is still empty, and `a.log` as far as it is written; returns the position. */
async function readBesideEmpty(logs: LogDirectory): Promise<string> {
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "one\n");
  await following.saw("one");
  return await following.stop();
}

Deno.test("a file that was empty beside a newer one, then written and compressed while nobody looked, is read", async () => {
  using logs = new LogDirectory();
  const after = await readBesideEmpty(logs);
  logs.append("a.log.1", "late\n");
  logs.gzip("a.log.1");
  logs.append("a.log", "two\n");
  await resume(logs.at("a.log*"), { after, lines: ["late", "two"] });
});

Deno.test("a compressed file that has the inode of one that was compressed after it is read", async () => {
  using logs = new LogDirectory();
  const position = JSON.parse(await readBesideEmpty(logs));
  logs.append("a.log.1", "late\n");
  logs.append("a.log", "two\n");
  logs.rename("a.log.1", "a.log.2");
  logs.rename("a.log", "a.log.1");
  logs.gzip("a.log.2");
  logs.gzip("a.log.1");
  logs.write("a.log", "three\n");
  position.files[1][2] = Deno.statSync(logs.at("a.log.2.gz")).ino;
  await resume(logs.at("a.log*"), { after: JSON.stringify(position), lines: ["late", "two", "three"] });
});

for (
  const [directory, isCompressed] of [["web/archive", false], ["web/archive", true], ["old", true]] as const
) {
  const how = isCompressed ? "compressed " : "";
  Deno.test(`files rotated ${how}from web to ${directory} while nobody read are read to their ends`, async () => {
    using logs = new LogDirectory();
    for (const each of ["web", directory, "web/other"]) Deno.mkdirSync(logs.at(each));
    await using before = await new Following(logs.at("web/*.log")).begun();
    logs.append("web/a.log", `${LONG.join("\n")}\n`);
    await before.saw(...LONG);
    const after = await before.stop();
    const rotate = (lines: string, number: number) => {
      const name = `${directory}/a.log.${number}`;
      logs.append("web/a.log", lines);
      logs.rename("web/a.log", name);
      if (isCompressed) logs.gzip(name);
      age(logs, { [name]: 3 - number, [`${name}.gz`]: 3 - number });
    };
    const later = LONG.map((line) => `later ${line}`);
    rotate("one\n", 2);
    rotate(`${later.join("\n")}\ntwo\n`, 1);
    logs.append("web/a.log", "three\n");
    // The log of another service that is called like this one.
    logs.append("web/other/a.log.1", "stranger\n");
    age(logs, { "web/other/a.log.1": 3, "web/a.log": 3 });
    await using following = new Following(logs.at("web/*.log"), { after });
    await following.saw("one", ...later, "two", "three");
    assert.deepEqual(following.problems, []);
  });
}

for (
  const [what, mode, others] of [["anybody may write", 0o1777, 0], [
    "has very many beside it",
    0o755,
    100,
  ]] as const
) {
  Deno.test(`files in a directory nearby that ${what} are not read`, async () => {
    using logs = new LogDirectory();
    for (const each of ["web", "tmp", ...Array.from({ length: others }, (_, i) => `${i}`)]) {
      Deno.mkdirSync(logs.at(each));
    }
    Deno.chmodSync(logs.at("tmp"), mode);
    await using before = await new Following(logs.at("web/*.log")).begun();
    logs.append("web/a.log", `${LONG.join("\n")}\n`);
    await before.saw(...LONG);
    const after = await before.stop();
    logs.rename("web/a.log", "tmp/a.log.2");
    logs.write("tmp/a.log.1", "forged\n");
    logs.write("web/a.log", "one\n");
    age(logs, { "tmp/a.log.2": 1, "tmp/a.log.1": 2, "web/a.log": 3 });
    await using following = new Following(logs.at("web/*.log"), { after });
    await following.saw("one");
  });
}
