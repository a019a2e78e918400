import { strict as assert } from "node:assert";
import { MINUTE, now, SECOND } from "../../lib/core/time.ts";
import { Notifier } from "../../lib/monitor/notifier.ts";
import type { Problem } from "../../lib/monitor/problems.ts";
import { Totals } from "../../lib/monitor/totals.ts";
import { eventually, memoryLog, script, type TemporaryState, temporaryState } from "../support/helpers.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";
import { program } from "../support/program.ts";

const STOPPED: Problem = { kind: "source_stopped", subject: "journal", text: "journal is read no longer" };
const UNKNOWN: Problem = { kind: "firewall_unknown", subject: "", text: "no nft" };

/** A notifier with a hook of shell, in a directory where `$D` leads. */
function notifying(
  { directory, state }: TemporaryState,
  { body, timeout = MINUTE }: { body: string; timeout?: number },
) {
  const log = memoryLog();
  const hook = script(directory, { name: "hook", body: `D='${directory}'\n${body}` });
  const notifier = new Notifier({
    config: { program: hook, bans: 0, timeout },
    state,
    sender: { host: "web1", firewall: "nftables" },
    log,
    clock: now,
    firstRetry: 50,
    totals: new Totals().notices,
  });
  return { notifier, log, told: () => notices(`${directory}/told`) };
}

/** The notices that a hook appended to a file. */
// deno-lint-ignore no-explicit-any
function notices(file: string): any[] {
  try {
    return Deno.readTextFileSync(file).split("\n").slice(0, -1).map((line) => JSON.parse(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

Deno.test("`Notifier.look()` gives the hook JSON on its standard input, once", async () => {
  using temporary = temporaryState();
  const { notifier, told } = notifying(temporary, { body: 'cat >> "$D/told"' });
  temporary.state.bans.add({
    address: "192.0.2.7",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD a" },
    reason: "[SSHD] a",
    count: 3,
    start: now(),
    until: null,
  });
  notifier.look([STOPPED]);
  await eventually(() => notifier.status.told === 1);
  notifier.look([STOPPED]);
  await notifier.end(null);
  const [notice, ...others] = told();
  assert.deepEqual(others, []);
  assert.equal(notice.problems[0].kind, "source_stopped");
  assert.deepEqual([notice.ban_count, notice.bans[0].address, notice.bans[0].name], [
    1,
    "192.0.2.7",
    "SSHD a",
  ]);
});

Deno.test("a hook that fails is tried again after growing pauses until it takes the same notice, and the log tells once", async () => {
  using temporary = temporaryState();
  const { notifier, log, told } = notifying(temporary, {
    body:
      'echo x >> "$D/runs"\n[ $(wc -l < "$D/runs") -ge 4 ] || { echo no network >&2; exit 7; }\ncat >> "$D/told"',
  });
  const tries: number[] = [];
  await eventually(() => {
    const { failed } = notifier.status;
    if (failed > tries.length) tries.push(performance.now());
    notifier.look([STOPPED]);
    return notifier.status.told === 1;
  });
  await notifier.end(null);
  assert.equal(told()[0].problems[0].kind, "source_stopped");
  assert.equal(notifier.status.failed, 3);
  assert.ok(tries[1]! - tries[0]! >= 40 && tries[2]! - tries[1]! >= 140, `${tries}`);
  assert.equal(log.lines.length, 2);
  assert.match(
    log.lines[0]!,
    /^warn: Cannot notify by .*\/hook, trying again in 0\.05 s: exit status 7: no network$/,
  );
  assert.match(log.lines[1]!, /^info: .* takes notices again$/);
});

Deno.test("a hook that is missing is a failure like any other", async () => {
  using temporary = temporaryState();
  const { notifier, log } = notifying(temporary, { body: "" });
  Deno.removeSync(`${temporary.directory}/hook`);
  notifier.look([STOPPED]);
  await eventually(() => notifier.status.failed === 1);
  await notifier.end(null);
  assert.match(log.lines[0]!, /Cannot notify by .*hook or its interpreter does not exist/);
});

Deno.test("one hook runs at a time, and the next is told of all that came meanwhile", async () => {
  using temporary = temporaryState();
  const { notifier, told } = notifying(temporary, {
    body: 'cat >> "$D/told"\nwhile [ ! -e "$D/go" ]; do sleep 0.01; done',
  });
  notifier.look([STOPPED]);
  await eventually(() => told().length === 1);
  for (let i = 0; i < 50; i++) notifier.look([STOPPED, UNKNOWN]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(told().length, 1);
  Deno.writeTextFileSync(`${temporary.directory}/go`, "");
  await eventually(() => {
    notifier.look([STOPPED, UNKNOWN]);
    return notifier.status.told === 2;
  });
  await notifier.end(null);
  assert.deepEqual(told()[1].problems.map(({ kind }: Problem) => kind), ["firewall_unknown"]);
});

Deno.test("a hook that hangs is ended with its children when its time is up, and has failed", async () => {
  using temporary = temporaryState();
  const { notifier, log } = notifying(temporary, {
    body: 'sleep 1000 & echo $! > "$D/child"\nsleep 1000',
    timeout: SECOND / 2,
  });
  notifier.look([STOPPED]);
  await eventually(() => notifier.status.failed === 1);
  assert.match(log.lines[0]!, /still running after 0\.5 s/);
  const child = Deno.readTextFileSync(`${temporary.directory}/child`).trim();
  await eventually(() => !isRunning(child));
  await notifier.end(null);
});

Deno.test("a hook that neither reads nor ends for a while does not hold up who looks, nor the end for long", async () => {
  using temporary = temporaryState();
  const { notifier } = notifying(temporary, { body: "sleep 1000" });
  notifier.look([{ ...STOPPED, text: "x".repeat(100_000) }]);
  await notifier.end(null);
  assert.equal(notifier.status.told, 0);
  assert.ok(temporary.state.noticeMemory()!.includes('"told":[]'));
});

/** Whether a process is there and no zombie. */
function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** A program with a hook that appends what it is told to the file `told`. */
class NotifiedScene extends Scene {
  constructor(body = 'cat >> "$(dirname "$0")/told"') {
    super();
    script(this.directory, { name: "notify", body });
    this.configure({ ...CONFIG, notify: { program: "./notify", bans: "at once" } });
  }

  told() {
    return notices(`${this.directory}/told`);
  }

  /** Has an address banned. */
  async ban(address: string): Promise<void> {
    for (let i = 0; i < 3; i++) this.say(attack(address));
    await eventually(() => this.banned().includes(address));
  }
}

Deno.test("the program tells of a ban at once, and `status` of the hook", async () => {
  await using scene = new NotifiedScene();
  scene.start();
  await scene.said(/monitoring SSHD/);
  await scene.ban("203.0.113.1");
  await eventually(() => scene.told().length === 1);
  const [notice] = scene.told();
  assert.equal(notice.host, Deno.hostname());
  assert.equal(notice.firewall, "command");
  assert.deepEqual(notice.bans.map(({ address }: { address: string }) => address), ["203.0.113.1"]);
  assert.match(notice.text, /^Banned 203\.0\.113\.1 for good: \[SSHD\] invalid, 3 hits$/);
  const ask = (...options: string[]) =>
    program(["status", "-c", scene.config, "-s", scene.stateDirectory, ...options]);
  await eventually(async () => {
    const { stdout } = await ask("--json");
    return JSON.parse(stdout).notify.told === 1;
  });
  assert.match((await ask()).stdout, /^notices +1 told by .*\/notify, the last at /m);
});

Deno.test("a monitor that is killed while the hook runs tells again what it could not know to be told", async () => {
  await using scene = new NotifiedScene(
    'cat >> "$(dirname "$0")/told"\nuntil [ -e "$(dirname "$0")/go" ] || [ ! -e "$0" ]; do sleep 0.05; done',
  );
  scene.start();
  await scene.said(/monitoring SSHD/);
  await scene.ban("203.0.113.1");
  await eventually(() => scene.told().length === 1);
  scene.kill("SIGKILL");
  await scene.end();
  Deno.writeTextFileSync(`${scene.directory}/go`, "");
  scene.start();
  await eventually(() => scene.told().length === 2);
  assert.deepEqual(scene.told().map(({ bans }) => bans[0].address), ["203.0.113.1", "203.0.113.1"]);
  await eventually(() => scene.ask((state) => state.noticeMemory()?.includes('"lastBan":1')) ?? false);
});

Deno.test("a monitor whose last source fails says so before it ends, and once however often it starts again", async () => {
  await using scene = new NotifiedScene();
  Deno.writeTextFileSync(`${scene.directory}/dead`, "");
  for (let start = 0; start < 2; start++) {
    scene.start();
    assert.equal(await scene.end(), 1);
  }
  const told = scene.told().flatMap(({ problems }) => problems.map(({ kind }: Problem) => kind));
  assert.equal(told.filter((kind) => kind === "monitor_failed").length, 1);
  assert.match(scene.told().at(-1).text, /The monitor has stopped: .*journal on fire/);
});

Deno.test("a hook that hangs does not keep the program from reading and banning", async () => {
  await using scene = new NotifiedScene("sleep 1000");
  scene.start();
  await scene.said(/monitoring SSHD/);
  await scene.ban("203.0.113.1");
  await eventually(() => scene.ask((state) => state.noticeMemory() !== null) ?? false);
  await scene.ban("203.0.113.2");
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
});

Deno.test("the program tells that its state was lost and a new one begun, and no ban again that it told before", async () => {
  await using scene = new NotifiedScene();
  scene.start();
  await scene.said(/monitoring SSHD/);
  await scene.ban("203.0.113.1");
  await eventually(() => scene.told().length === 1);
  for (const side of ["", "-wal", "-shm"]) Deno.removeSync(`${scene.stateDirectory}/state.db${side}`);
  await eventually(() => scene.told().length === 2);
  const [, { problems, bans }] = scene.told();
  assert.deepEqual(problems.map(({ kind }: Problem) => kind), ["state_lost"]);
  assert.match(problems[0].text, /^The state .*\/state\.db is damaged .*beginning a new one with 1 bans/);
  assert.deepEqual(bans, []);
});
