import { strict as assert } from "node:assert";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";

/** Lines longer than what a file is known by. */
function numbered(name: string): string[] {
  return Array.from({ length: 40 }, (_, i) => `${name} ${i} ${"x".repeat(40)}`);
}

/** The position behind `lines` of a new `a.log`. */
async function readBefore(logs: LogDirectory, lines: readonly string[]): Promise<string> {
  logs.write("a.log", "");
  await using following = await new Following(logs.at("a.log")).begun();
  logs.append("a.log", lines.join("\n") + "\n");
  await following.saw(...lines);
  return await following.stop();
}

Deno.test("a copy of a log that is not truncated yet is not read beside it", async () => {
  using logs = new LogDirectory();
  const after = await readBefore(logs, numbered("first"));
  const second = numbered("second");
  logs.rename("a.log", "a.log.2");
  logs.write("a.log", second.join("\n") + "\n");
  logs.copy("a.log", "a.log.1");
  await using following = new Following(logs.at("a.log"), { after });
  await following.saw(...second);
  logs.truncate("a.log");
  logs.append("a.log", "third\n");
  await following.saw(...second, "third");
});

Deno.test("what is being compressed is read from the plain file beside it, and then left alone", async () => {
  using logs = new LogDirectory();
  const after = await readBefore(logs, numbered("first"));
  logs.append("a.log", "rest\n");
  logs.rename("a.log", "a.log.1");
  logs.write("a.log", "new\n");
  logs.copy("a.log.1", "whole");
  logs.gzip("whole");
  const whole = Deno.readFileSync(logs.at("whole.gz"));
  logs.write("a.log.1.gz", whole.subarray(0, 20));
  await using following = new Following(logs.at("a.log"), { after, linger: 0, poll: 10_000 });
  await following.saw("rest", "new");
  logs.write("a.log.1.gz", whole);
  logs.remove("a.log.1");
  await eventually(() => JSON.parse(following.position!).files.length === 1);
  logs.append("a.log", "newer\n");
  await following.saw("rest", "new", "newer");
  assert.deepEqual(following.problems, []);
});
