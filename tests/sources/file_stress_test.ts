import { strict as assert } from "node:assert";
import { eventually } from "../helpers.ts";
import { Following, LogDirectory } from "./file_following.ts";
import { exists } from "./journal_files.ts";

const LINES = 150_000;
const LOGROTATE = "/usr/sbin/logrotate";
const WRITER = new URL("file_writer.ts", import.meta.url).pathname;
/** For logrotate(8): waits until the writer has noticed, as what comes later is not in the compressed file. */
const NOTICED = `postrotate
  for i in $(seq 200); do test -s $1 && break; sleep 0.02; done
endscript`;
/** What of a line tells that it is whole: copying and truncating tears some apart. */
const WHOLE = /^line (\d+) x* end$/;

/** Runs a program that writes numbered lines to `a.log`; `rotate` is called until it is done and returned how often. */
async function write(
  logs: LogDirectory,
  { mode, rotate }: { mode: "keep" | "reopen"; rotate: (turn: number) => Promise<void> },
): Promise<number> {
  const rights = [`--allow-read=${logs.path}`, `--allow-write=${logs.path}`];
  const args = ["run", ...rights, WRITER, logs.at("a.log"), String(LINES), mode];
  const writer = new Deno.Command(Deno.execPath(), { args, stdin: "null" }).spawn();
  let isWriting = true;
  const done = writer.status.finally(() => isWriting = false);
  let turns = 0;
  for (; isWriting; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 40));
    await rotate(turns);
  }
  assert.ok((await done).success);
  assert.ok(turns > 3, `only ${turns} rotations`);
  return turns;
}

/** Reads until the writer is done and nothing more comes, stopping and going on again and again. */
async function readOnAndOff(logs: LogDirectory, writing: Promise<number>): Promise<number[]> {
  const numbers: number[] = [];
  let position: string | null = null;
  let [isWriting, stops] = [true, 0];
  writing.finally(() => isWriting = false).catch(() => {});
  for (let idle = 0; isWriting || idle < 3; stops++) {
    const wasWriting = isWriting;
    const wanted = 1 + 997 * (stops % 7);
    await using following: Following = new Following(logs.at("a.log*"), {
      after: position,
      since: 0,
      timeOf: () => 1,
    });
    const deadline = performance.now() + 300;
    await eventually(() => following.lines.length > wanted || performance.now() > deadline);
    position = await following.stop();
    numbers.push(...following.lines.flatMap((line) => WHOLE.exec(line)?.[1] ?? []).map(Number));
    idle = wasWriting || following.lines.length > 0 ? 0 : idle + 1;
  }
  return numbers;
}

/** Numbers of the whole lines in all files there are. */
function written(logs: LogDirectory): Set<number> {
  const texts = [...Deno.readDirSync(logs.path)].map(({ name }) => Deno.readTextFileSync(logs.at(name)));
  return new Set(
    texts.flatMap((text) => text.split("\n")).flatMap((line) => WHOLE.exec(line)?.[1] ?? []).map(Number),
  );
}

function assertOnce(numbers: readonly number[]): void {
  const seen = new Set<number>();
  const twice = numbers.filter((number) => seen.size === seen.add(number).size);
  assert.deepEqual(twice, [], "lines handed over twice");
}

/** Moves each generation one on, the oldest first. */
function shift(logs: LogDirectory): void {
  const names = [...Deno.readDirSync(logs.path)].map(({ name }) => /^a\.log\.(\d+)(\.gz)?$/.exec(name));
  for (const match of names.filter((one) => one !== null).sort((a, b) => Number(b[1]) - Number(a[1]))) {
    logs.rename(match[0], `a.log.${Number(match[1]) + 1}${match[2] ?? ""}`);
  }
}

async function run(command: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, stdin: "null" }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}

Deno.test("under a flood and renames, on and off, every line comes once and in the order of its file", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const writing = write(logs, {
    mode: "reopen",
    rotate: async () => {
      // Once there is a new file, the writer is done with the old one.
      if (!exists(logs.at("a.log"))) return;
      if (exists(logs.at("a.log.1"))) await run("gzip", logs.at("a.log.1"));
      shift(logs);
      logs.rename("a.log", "a.log.1");
    },
  });
  const numbers = await readOnAndOff(logs, writing);
  const turns = await writing;
  assertOnce(numbers);
  assert.equal(numbers.length, LINES);
  const back = numbers.filter((number, index) => index > 0 && number < numbers[index - 1]!).length;
  assert.ok(back <= 2 * turns, `${back} steps back at ${turns} rotations`);
});

Deno.test("under a flood and copying with truncation, on and off, no line comes twice and none is lost that was copied", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  const writing = write(logs, {
    mode: "keep",
    rotate: (turn) => {
      if (turn % 3 > 0) return Promise.resolve();
      shift(logs);
      logs.copy("a.log", "a.log.1");
      logs.truncate("a.log");
      return Promise.resolve();
    },
  });
  const numbers = await readOnAndOff(logs, writing);
  await writing;
  assertOnce(numbers);
  const seen = new Set(numbers);
  assert.deepEqual([...written(logs)].filter((number) => !seen.has(number)), [], "lines that never came");
});

for (
  const [name, directives, mode] of [
    ["rename and create", "create", "reopen"],
    ["compression", "create\n compress", "reopen"],
    ["delayed compression", "create\n compress\n delaycompress", "reopen"],
    ["dated names", "create\n dateext\n dateformat -%Y%m%d-%s\n prerotate\n sleep 1.1\n endscript", "reopen"],
    ["copytruncate", "copytruncate", "keep"],
  ] as const
) {
  Deno.test({
    name: `under the real logrotate with ${name}, on and off, every line that it keeps comes once`,
    ignore: !exists(LOGROTATE),
    fn: async () => {
      using logs = new LogDirectory();
      using tool = new LogDirectory();
      logs.write("a.log", "");
      tool.write(
        "conf",
        `${logs.at("a.log")} {\n rotate 100\n missingok\n ${directives}\n ${
          mode === "reopen" ? NOTICED : ""
        }\n}\n`,
      );
      const writing = write(logs, {
        mode,
        rotate: async (turn) => {
          if (turn % 5 === 4) await run(LOGROTATE, "--force", "--state", tool.at("state"), tool.at("conf"));
        },
      });
      const numbers = await readOnAndOff(logs, writing);
      await writing;
      assertOnce(numbers);
      if (mode === "reopen") return assert.equal(numbers.length, LINES);
      const seen = new Set(numbers);
      assert.deepEqual(
        [...written(logs)].filter((number) => !seen.has(number)),
        [],
        "lines that never came",
      );
    },
  });
}
