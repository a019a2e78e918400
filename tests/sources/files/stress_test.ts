import { strict as assert } from "node:assert";
import { eventually } from "../../support/helpers.ts";
import { Following, LogDirectory } from "../../support/file_following.ts";
import { exists } from "../../support/probes.ts";

const ROTATIONS = 12;
const LOGROTATE = "/usr/sbin/logrotate";
const WRITER = new URL("../../support/file_writer.ts", import.meta.url).pathname;
/** What of a line tells that it is whole: copying and truncating tears some apart. */
const WHOLE = /^line (\d+) x* end$/;
/** Waits, in logrotate(8), until the writer has the new file: what it adds to a compressed one is lost to everybody. */
const NOTICED = `postrotate
  until test -s $1; do sleep 0.01; done
endscript`;

/** Milliseconds after which what has not come is taken for lost. */
const MAX_READING = 120_000;

/** How `a.log` is written and rotated. */
interface Scene {
  readonly mode: "keep" | "reopen";
  /** Called while the writer is at work and `a.log` has lines. */
  readonly rotate: () => void | Promise<void>;
}

/** Runs a program that writes numbered lines to `a.log`, and rotates it now and then; returns how many it wrote. */
async function write(logs: LogDirectory, { mode, rotate }: Scene): Promise<number> {
  const rights = [`--allow-read=${logs.path}`, `--allow-write=${logs.path}`];
  const args = ["run", ...rights, WRITER, logs.at("a.log"), mode];
  const writer = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "piped" }).spawn();
  try {
    for (let turn = 0; turn < ROTATIONS; turn++) {
      await eventually(() => exists(logs.at("a.log")) && Deno.statSync(logs.at("a.log")).size > 10_000);
      await rotate();
    }
  } finally {
    logs.write("stop", "");
  }
  return Number(new TextDecoder().decode((await writer.output()).stdout));
}

/** Reads until the writer is done and all that is wanted came, stopping and going on again and again. */
async function readOnAndOff(
  logs: LogDirectory,
  { writing, wanted }: { writing: Promise<number>; wanted: () => Promise<number[]> },
): Promise<number[]> {
  const numbers: number[] = [];
  let position: string | null = null;
  let isWriting = true;
  writing.finally(() => isWriting = false).catch(() => {});
  const end = performance.now() + MAX_READING;
  for (let [stops, idle] = [0, 0]; performance.now() < end; stops++) {
    const wasWriting = isWriting;
    const enough = 1 + 997 * (stops % 7);
    await using following: Following = new Following(logs.at("a.log*"), {
      after: position,
      since: 0,
      timeOf: () => 1,
      poll: 5_000,
      // Deno.watchFs() waits while a flood in a directory that is watched already keeps its thread busy, and closed
      // watchers go on costing: too much for so many starts in one process.
      inotify: false,
    });
    // A busy machine may take longer to begin.
    const deadline = performance.now() + 300 * (1 + idle);
    await eventually(() => following.lines.length > enough || performance.now() > deadline);
    position = await following.stop();
    numbers.push(...numbersOf(following.lines));
    idle = wasWriting || following.lines.length > 0 ? 0 : idle + 1;
    if (idle >= 3 && includes(numbers, await wanted())) break;
  }
  return numbers;
}

function includes(numbers: readonly number[], wanted: readonly number[]): boolean {
  const seen = new Set(numbers);
  return wanted.every((number) => seen.has(number));
}

function numbersOf(lines: readonly string[]): number[] {
  return lines.flatMap((line) => WHOLE.exec(line)?.[1] ?? []).map(Number);
}

/** Numbers of the whole lines in all files there are. */
function kept(logs: LogDirectory): number[] {
  return [...Deno.readDirSync(logs.path)]
    .flatMap(({ name }) => numbersOf(Deno.readTextFileSync(logs.at(name)).split("\n")));
}

function assertOnce(numbers: readonly number[]): void {
  const seen = new Set<number>();
  assert.deepEqual(numbers.filter((number) => seen.size === seen.add(number).size), [], "came twice");
}

/** All lines came, each once, and went back only where two files are written at a time. */
async function assertAll(logs: LogDirectory, scene: Scene): Promise<void> {
  const writing = write(logs, scene);
  const wanted = async () => Array.from({ length: await writing }, (_, i) => i);
  const numbers = await readOnAndOff(logs, { writing, wanted });
  assertOnce(numbers);
  assert.equal(numbers.length, await writing);
  const back = numbers.filter((number, index) => index > 0 && number < numbers[index - 1]!).length;
  assert.ok(back <= ROTATIONS, `${back} steps back`);
}

/** What was not lost in the truncation came, and nothing twice. */
async function assertKept(logs: LogDirectory, scene: Scene): Promise<void> {
  const writing = write(logs, scene);
  const numbers = await readOnAndOff(logs, { writing, wanted: () => Promise.resolve(kept(logs)) });
  await writing;
  assertOnce(numbers);
  const seen = new Set(numbers);
  assert.deepEqual(kept(logs).filter((number) => !seen.has(number)), [], "never came");
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
  await assertAll(logs, {
    mode: "reopen",
    rotate: async () => {
      // The new file has lines: the writer is done with the old one.
      if (exists(logs.at("a.log.1"))) await run("gzip", logs.at("a.log.1"));
      shift(logs);
      logs.rename("a.log", "a.log.1");
      logs.write("a.log", "");
    },
  });
});

Deno.test("under a flood and copying with truncation, on and off, nothing comes twice and what was copied comes", async () => {
  using logs = new LogDirectory();
  logs.write("a.log", "");
  await assertKept(logs, {
    mode: "keep",
    rotate: () => {
      shift(logs);
      logs.copy("a.log", "a.log.1");
      logs.truncate("a.log");
    },
  });
});

const DIRECTIVES = {
  "rename": "create",
  "compression": `create\n compress\n ${NOTICED}`,
  "delayed compression": `create\n compress\n delaycompress\n ${NOTICED}`,
  // Names must differ, and tell seconds.
  "dated names": "create\n dateext\n dateformat -%Y%m%d-%s\n prerotate\n sleep 1.01\n endscript",
  "copytruncate": "copytruncate",
};

for (const [name, directives] of Object.entries(DIRECTIVES)) {
  Deno.test({
    name: `under the real logrotate with ${name}, on and off, nothing comes twice and what it keeps comes`,
    ignore: !exists(LOGROTATE),
    fn: async () => {
      using logs = new LogDirectory();
      using tool = new LogDirectory();
      logs.write("a.log", "");
      tool.write("conf", `${logs.at("a.log")} {\n rotate 100\n missingok\n ${directives}\n}\n`);
      const rotate = () => run(LOGROTATE, "--force", "--state", tool.at("state"), tool.at("conf"));
      if (name === "copytruncate") await assertKept(logs, { mode: "keep", rotate });
      else await assertAll(logs, { mode: "reopen", rotate });
    },
  });
}
