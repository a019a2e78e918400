import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { Runner, type RunResult } from "../../lib/core/child_process.ts";
import { exists } from "../support/probes.ts";

const PROGRAM = fileURLToPath(new URL("../support/run_program.ts", import.meta.url));

/** What `Runner.run(argv)` gives in a process with these permissions and variables. */
async function run(
  argv: readonly string[],
  { permissions, env }: { permissions: readonly string[]; env: Record<string, string> },
): Promise<RunResult> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", ...permissions, PROGRAM, ...argv],
    env,
    stderr: "inherit",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)) as RunResult;
}

const LOADER = { LD_LIBRARY_PATH: "/nowhere", LD_PRELOAD_NOTE: "x", SECRET: "hunter2" };
const SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

Deno.test("`Runner.run()` hands on nothing of the environment, so that variables of the loader keep no program from running", async () => {
  const { error, output } = await run(["env"], { permissions: ["--allow-run=env"], env: LOADER });
  assert.equal(error, null);
  assert.deepEqual(output.trim().split("\n").toSorted(), ["LC_ALL=C.UTF-8", SEARCH_PATH]);
});

const FAULTS: readonly (readonly [program: string, permission: string, error: string])[] = [
  ["/opt/none", "--allow-all", "/opt/none or its interpreter does not exist"],
  ["none-here", "--allow-all", "none-here or its interpreter does not exist"],
  ["/etc/passwd", "--allow-all", "this user may not run /etc/passwd"],
  ["/bin/true", "--allow-run=env", "this program may not run /bin/true"],
];
for (const [program, permission, sentence] of FAULTS) {
  Deno.test(`\`Runner.run()\` with ${permission} says "${sentence}"`, async () => {
    const { error } = await run([program], { permissions: [permission], env: {} });
    assert.equal(error, sentence);
  });
}

Deno.test("`Runner.run()` looks for programs in this process's PATH where it may read it", async () => {
  const PATH = `/opt/none:${Deno.env.get("PATH")}`;
  const { output } = await run(["env"], { permissions: ["--allow-all"], env: { ...LOADER, PATH } });
  assert.deepEqual(output.trim().split("\n").toSorted(), ["LC_ALL=C.UTF-8", `PATH=${PATH}`]);
});

Deno.test("`Runner.run()` leaves nothing behind on a signal that outlives it", async () => {
  const { signal } = new AbortController();
  const left = new Set<unknown>();
  const { any } = AbortSignal;
  const { addEventListener, removeEventListener } = signal;
  AbortSignal.any = (signals) => {
    left.add(signals);
    return any.call(AbortSignal, signals);
  };
  signal.addEventListener = (type: string, listener: EventListener) => {
    left.add(listener);
    addEventListener.call(signal, type, listener);
  };
  signal.removeEventListener = (type: string, listener: EventListener) => {
    left.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  try {
    const { error } = await new Runner().run(["true"], { timeout: 10_000_000, signal });
    assert.equal(error, null);
  } finally {
    AbortSignal.any = any;
  }
  assert.equal(left.size, 0);
});

Deno.test("`Runner.run()` starts programs in `/`, because its user may not enter every working directory", async () => {
  assert.notEqual(Deno.cwd(), "/");
  const { error, output } = await run(["pwd"], { permissions: ["--allow-run=pwd"], env: {} });
  assert.equal(error, null);
  assert.equal(output, "/\n");
});

/** The directories of an ordinary user on Debian: `ip` stands in more than these. */
const USER_PATH = "/usr/local/bin:/usr/bin:/bin";

Deno.test({
  name: "the task `start` may run its programs, whatever directories its user's PATH has",
  ignore: !["/usr/bin/ip", "/usr/sbin/ip"].every((path) => exists(path)),
  fn: async () => {
    const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("../../deno.json", import.meta.url)));
    const permissions = tasks.start.split(" ").filter((word: string) => word.startsWith("--allow-"));
    for (const PATH of [USER_PATH, `/usr/sbin:${USER_PATH}`]) {
      assert.equal((await run(["ip", "-Version"], { permissions, env: { PATH } })).error, null, PATH);
    }
  },
});
