import { strict as assert } from "node:assert";
import { CommandFirewall } from "../../lib/firewall/command.ts";
import { SECOND } from "../../lib/core/time.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import { eventually, MANUAL, script } from "../support/helpers.ts";

const NEVER = new AbortController().signal;

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
  });
});

Deno.test({
  name: "`CommandFirewall.ban()` gives up on a command that hangs, whoever still holds its output open",
  // What it gives up on is left to itself: it may run as root, out of reach.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: () =>
    withCommand("sleep 600 & echo $! $$ > $(dirname $0)/pids; wait", async (firewall, directory) => {
      const [outcome] = await firewall.ban([ban("192.0.2.1")], NEVER);
      assert.match(outcome!.error!, /still running after 0\.5 s/);
      const [sleep, shell] = Deno.readTextFileSync(`${directory}/pids`).trim().split(" ");
      Deno.kill(Number(sleep), "SIGKILL");
      await eventually(() => Deno.stat(`/proc/${shell}`).then(() => false, () => true));
    }, SECOND / 2),
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
