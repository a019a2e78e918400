import { NEVER } from "../../lib/core/async.ts";
import { strict as assert } from "node:assert";
import { CommandFirewall } from "../../lib/firewall/command.ts";
import { lookAt } from "../../lib/core/file_identity.ts";
import { SECOND } from "../../lib/core/time.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import { eventually, MANUAL, script } from "../support/helpers.ts";

function ban(address: string): Ban {
  return {
    id: 1,
    address,
    reason: "",
    scope: "all",
    provenance: MANUAL,
    count: 1,
    start: 0,
    until: null,
    ended: null,
    endReason: null,
  };
}

async function withCommand(
  body: string,
  work: (firewall: CommandFirewall, directory: string) => Promise<void>,
  timeout = 20 * SECOND,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const program = script(directory, { name: "ban", body });
  try {
    await work(
      new CommandFirewall({ ban: [program, "add", "--ip=%s"], unban: null, timeout, concurrency: 2 }),
      directory,
    );
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("`CommandFirewall.ban()` passes the address as one word, without a shell", async () => {
  await withCommand(`printf '%s|' "$@" >> "$(dirname "$0")/calls"`, async (firewall, directory) => {
    const outcomes = await firewall.ban([ban("2001:db8::1"), ban("198.51.100.0/24")], NEVER);
    assert.deepEqual(outcomes.map(({ error }) => error), [null, null]);
    const calls = Deno.readTextFileSync(`${directory}/calls`).split("|").filter((word) => word !== "add");
    assert.deepEqual(calls.sort(), ["", "--ip=198.51.100.0/24", "--ip=2001:db8::1"]);
    assert.equal(firewall.canUnban, false);
  });
});

Deno.test("`CommandFirewall.ban()` tells exit status and last words of a command that failed", async () => {
  await withCommand("echo first >&2; echo no such set >&2; exit 3", async (firewall) => {
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.match(outcome!.error!, /ban add --ip=192\.0\.2\.1: exit status 3: no such set$/);
    assert.match(outcome!.failure!, /ban add --ip=%s: exit status 3$/, "the same for all addresses");
  });
});

Deno.test("`CommandFirewall.ban()` tells why sudo refuses, and not its advice on containers", async () => {
  const said = [
    'sudo: The "no new privileges" flag is set, which prevents sudo from running as root.',
    "sudo: If sudo is running in a container, you may need to adjust the container configuration to disable the flag.",
  ];
  await withCommand(`cat >&2 <<'END'\n${said.join("\n")}\nEND\nexit 1`, async (firewall) => {
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.ok(outcome!.error!.endsWith(`: exit status 1: ${said[0]}`), outcome!.error!);
  });
});

/** Leaves children that outlive it behind, one of which holds no output of its own; notes the pids of all. */
const HANGS =
  `sleep 600 & one=$!; sleep 600 >/dev/null 2>&1 & echo $one $! $$ >> "$(dirname "$0")/pids"; wait`;

function pidsIn(directory: string): string[] {
  return Deno.readTextFileSync(`${directory}/pids`).trim().split(/\s/);
}

function isAlive(pid: string): boolean {
  try {
    // A dead one that nobody has waited for yet is a zombie.
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

Deno.test("`CommandFirewall.ban()` ends a command that exceeds its time with all of its children", async () => {
  await withCommand(HANGS, async (firewall, directory) => {
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.match(outcome!.error!, /still running after 0\.5 s/);
    assert.equal(outcome!.uncertain, true);
    await eventually(() => pidsIn(directory).every((pid) => !isAlive(pid)));
    await eventually(() => firewall.parallel === 2);
  }, SECOND / 2);
});

Deno.test("`CommandFirewall.ban()` ends what a command that failed leaves behind", async () => {
  const daemon = `setsid sleep 600 & echo $! > "$(dirname "$0")/daemon"`;
  await withCommand(`${daemon}; ${HANGS.replace("wait", "exit 1")}`, async (firewall, directory) => {
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.match(outcome!.error!, /exit status 1/);
    assert.equal(outcome!.uncertain, undefined);
    await eventually(() => pidsIn(directory).every((pid) => !isAlive(pid)));
    assert.equal(firewall.parallel, 2, "a daemon in another session takes no slot");
    Deno.kill(Number(Deno.readTextFileSync(`${directory}/daemon`)), "SIGKILL");
  });
});

Deno.test("`CommandFirewall.ban()` ends a command that leaves no process for kill(1) as soon as there is one", async () => {
  const { kill } = Deno;
  let refusals = 2;
  Deno.kill = (pid, signal) => {
    if (pid > 0 || refusals-- <= 0) return kill(pid, signal);
    throw new Error("Failed to spawn 'kill': Resource temporarily unavailable (os error 11)");
  };
  try {
    await withCommand(HANGS, async (firewall, directory) => {
      await firewall.ban([ban("192.0.2.1")], NEVER);
      await eventually(() => pidsIn(directory).every((pid) => !isAlive(pid)));
      await eventually(() => firewall.parallel === 2);
    }, SECOND / 2);
  } finally {
    Deno.kill = kill;
  }
});

/** The process group of a process, see proc(5). */
function groupOf(stat: string): string {
  return stat.slice(stat.lastIndexOf(")")).split(" ")[3]!;
}

Deno.test("`CommandFirewall.ban()` has a command lead a process group, but none that sudo starts as another user", async () => {
  const directory = Deno.makeTempDirSync();
  const own = groupOf(Deno.readTextFileSync("/proc/self/stat"));
  try {
    for (const [name, isLeader] of [["ban", true], ["sudo", false]] as const) {
      const program = script(directory, { name, body: `cat /proc/$$/stat > "$0.stat"` });
      const options = { unban: null, timeout: 20 * SECOND, concurrency: 1 };
      await new CommandFirewall({ ban: [program, "%s"], ...options }).ban([ban("192.0.2.1")], NEVER);
      const stat = Deno.readTextFileSync(`${program}.stat`);
      assert.equal(groupOf(stat), isLeader ? stat.split(" ")[0] : own);
    }
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("`CommandFirewall.ban()` ends a command that sudo started by a signal that sudo passes on", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const body = `trap 'kill $!; touch "$0.passed"; exit' TERM; sleep 600 2>&- & wait`;
    const program = script(directory, { name: "sudo", body });
    const options = { unban: null, timeout: SECOND / 2, concurrency: 1 };
    const firewall = new CommandFirewall({ ban: [program, "%s"], ...options });
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.equal(outcome!.uncertain, true);
    await eventually(() => firewall.parallel === 1);
    assert.ok(lookAt(`${program}.passed`));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** Lets `command_program.ts` ban with a command that hangs, with the right to run `programs` and that. */
async function hang(
  programs: readonly string[],
  work: (calls: number, rest: { directory: string; room(): Promise<number> }) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync();
  const command = script(directory, { name: "ban", body: HANGS });
  const main = new URL("../support/command_program.ts", import.meta.url).pathname;
  const run = `--allow-run=${[command, ...programs]}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "--no-prompt", run, main, command, "60"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const number = async () => Number((await lines.read()).value);
  const writer = child.stdin.getWriter();
  try {
    const room = async () => {
      await writer.write(new TextEncoder().encode("\n"));
      return number();
    };
    await work(await number(), { directory, room });
  } finally {
    await writer.close().catch(() => {});
    // It prints at its end: without a reader it would die of that.
    while (!(await lines.read()).done);
    await child.status;
    for (const pid of pidsIn(directory)) if (isAlive(pid)) Deno.kill(Number(pid), "SIGKILL");
    Deno.removeSync(directory, { recursive: true });
  }
}

Deno.test("`CommandFirewall` that may not end what hangs never has more of it than may run at once", () =>
  hang([], async (calls, { directory, room }) => {
    assert.equal(calls, 3);
    const left = pidsIn(directory).filter(isAlive);
    assert.equal(left.length, 6, "the two children of each");
    for (const pid of left) Deno.kill(Number(pid), "SIGKILL");
    assert.equal(await room(), 3, "there is room again when they have ended");
  }));

Deno.test("`CommandFirewall` that may run kill ends what hangs with all of its children", () =>
  hang(["kill"], async (calls, { directory }) => {
    assert.equal(calls, 10);
    assert.equal(pidsIn(directory).length, 30);
    await eventually(() => pidsIn(directory).every((pid) => !isAlive(pid)));
  }));

Deno.test("`CommandFirewall.ban()` leaves alone what a command that is done leaves behind, and listens to it no more", async () => {
  await withCommand(`sleep 600 & echo $! > "$(dirname "$0")/pids"`, async (firewall, directory) => {
    assert.deepEqual(await firewall.ban([ban("192.0.2.1")], NEVER), [{ address: "192.0.2.1", error: null }]);
    const [pid] = pidsIn(directory);
    assert.ok(isAlive(pid!));
    assert.equal(firewall.parallel, 2);
    Deno.kill(Number(pid), "SIGKILL");
  });
});

Deno.test("`CommandFirewall.ban()` drains a command that never stops talking", async () => {
  await withCommand("yes error | head -c 3000000 >&2; exit 1", async (firewall) => {
    const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
    assert.match(outcome!.error!, /ban add --ip=192\.0\.2\.1: /);
  });
});

Deno.test("`CommandFirewall.ban()` says that a program is missing", async () => {
  const firewall = new CommandFirewall({
    ban: ["/nonexistent/ban", "%s"],
    unban: null,
    timeout: SECOND,
    concurrency: 1,
  });
  const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
  assert.match(outcome!.error!, /nonexistent/);
});
