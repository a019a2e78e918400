/** Logs that are copied and truncated under names that no rotation is known by, and that the pattern has, too. */
import { strict as assert } from "node:assert";
import { Following, LogDirectory, resume } from "../../support/file_following.ts";

/** Longer than a head. */
const LONG = Array.from({ length: 40 }, (_, i) => `line ${i} ${"x".repeat(40)}`);
const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");

/** Waits until a copy rests for long enough, and a survey has found it. */
const rest = () => new Promise((done) => setTimeout(done, 3_500));

for (const name of ["a.1.log", "a-29-11-2026.log", "a_2026_W48.log", "29.11.2026.log"]) {
  Deno.test(`a short log that is copied to ${name} and truncated is read once`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    await using following = await new Following(logs.at("*.log")).begun();
    logs.append("a.log", "one\ntwo\n");
    await following.saw("one", "two");
    logs.copy("a.log", name);
    await new Promise((done) => setTimeout(done, 200));
    logs.truncate("a.log");
    logs.append("a.log", "behind\n");
    await rest();
    assert.deepEqual(following.lines, ["one", "two", "behind"]);
  });

  Deno.test(`a log that is copied to ${name} and truncated is read once`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    await using following = await new Following(logs.at("*.log")).begun();
    logs.append("a.log", text(LONG));
    await following.saw(...LONG);
    logs.copy("a.log", name);
    logs.truncate("a.log");
    logs.append("a.log", "behind\n");
    await following.saw(...LONG, "behind");
    await rest();
    assert.deepEqual(following.lines, [...LONG, "behind"]);
    const after = await following.stop();
    logs.append("a.log", "later\n");
    await resume(logs.at("*.log"), { after, lines: ["later"] });
  });

  Deno.test(`the rest of a log that was copied to ${name} and truncated while nobody read is in the copy`, async () => {
    using logs = new LogDirectory();
    logs.write("a.log", "");
    const first = await new Following(logs.at("*.log")).begun();
    logs.append("a.log", text(LONG));
    await first.saw(...LONG);
    const after = await first.stop();
    logs.append("a.log", "rest\n");
    logs.copy("a.log", name);
    logs.truncate("a.log");
    await using following = new Following(logs.at("*.log"), { after });
    await following.saw("rest");
    await rest();
    logs.append("a.log", "behind\n");
    await following.saw("rest", "behind");
  });
}

Deno.test("a log that is copied and truncated twice, where the older copy makes room, is read once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("*.log")).begun();
  const lines: string[] = [];
  for (const round of ["first", "second"]) {
    const more = LONG.map((line) => `${round} ${line}`);
    logs.append("a.log", text(more));
    lines.push(...more);
    await following.saw(...lines);
    if (round === "second") logs.rename("a.1.log", "a.2.log");
    logs.copy("a.log", "a.1.log");
    logs.truncate("a.log");
    await rest();
    assert.deepEqual(following.lines, lines);
  }
  logs.append("a.log", "behind\n");
  await following.saw(...lines, "behind");
});

Deno.test("a new log that begins like another is read from its beginning once they differ", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await using following = await new Following(logs.at("*.log")).begun();
  logs.append("a.log", "begins\n");
  await following.saw("begins");
  logs.write("b.log", "begins\n");
  await new Promise((done) => setTimeout(done, 200));
  logs.append("b.log", "other\n");
  await following.saw("begins", "begins", "other");
});

Deno.test("a new log that begins like none that was read is read from its beginning at once", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", text(LONG));
  await using following = await new Following(logs.at("*.log")).begun();
  logs.write("a.1.log", text(["other", ...LONG]));
  await following.saw("other", ...LONG);
});
