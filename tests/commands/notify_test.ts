import { strict as assert } from "node:assert";
import { script } from "../support/helpers.ts";
import { program } from "../support/program.ts";

const MODULES = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };

/** Runs `notify` by a configuration with these keys beside a hook of shell. */
async function notify(
  keys: unknown,
  { body, rights, more = [] }: { body: string; rights?: string[]; more?: string[] },
) {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const hook = script(directory, { name: "hook", body });
    const config = `${directory}/config.jsonc`;
    Deno.writeTextFileSync(config, JSON.stringify({ modules: MODULES, ...keys as object }));
    const { code, stdout, stderr } = await program(["notify", "-c", config, ...more], rights);
    const read = () => Deno.readTextFileSync(`${directory}/told`);
    return { code, stdout, stderr: stderr.replaceAll(hook, "HOOK"), told: code === 0 ? read() : "" };
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}
const HOOK = { notify: { program: "./hook", timeout: "10s" } };

Deno.test("`notify` has the hook told a test in the form of every notice, and says that it took that", async () => {
  const { code, stdout, told } = await notify(HOOK, { body: 'cat > "$(dirname "$0")/told"' });
  assert.equal(code, 0);
  assert.match(stdout, /\/hook took the notice\n$/);
  const { version, host, title, text, problems, bans } = JSON.parse(told);
  assert.deepEqual([version, host, title], [1, Deno.hostname(), `${Deno.hostname()}: test`]);
  assert.deepEqual([text, problems, bans], ["This is a test: notices of StrongMonitor arrive.", [], []]);
});

Deno.test("`notify --json` says in one object that the hook took the notice, or why it did not", async () => {
  const more = ["--json"];
  const taken = await notify(HOOK, { body: 'cat > "$(dirname "$0")/told"', more });
  const { done, program } = JSON.parse(taken.stdout);
  assert.deepEqual([taken.code, done, program.endsWith("/hook")], [0, "notified", true]);
  const refused = await notify(HOOK, { body: "exit 3", more });
  const { error, code } = JSON.parse(refused.stdout);
  assert.deepEqual([refused.code, code], [1, 1]);
  assert.match(error, /exit status 3/);
});

Deno.test("`notify` tells the last words of a hook that fails, harmless, and exits with 1", async () => {
  const { code, stderr } = await notify(HOOK, { body: "printf 'one\\n\\033[31mtwo' >&2; exit 3" });
  assert.deepEqual([code, stderr], [
    1,
    "strongmonitor: Cannot notify by HOOK: exit status 3: \\x1b[31mtwo\n",
  ]);
});

Deno.test("`notify` refuses a configuration that notifies nobody, and a program that may not run the hook, with 78", async () => {
  const nobody = await notify({}, { body: "" });
  assert.equal(nobody.code, 78);
  assert.match(
    nobody.stderr,
    /^strongmonitor: Cannot notify: .*config\.jsonc does not set "notify": true\n$/,
  );
  const rights = ["--allow-read", "--allow-run=journalctl", "--allow-sys", "--allow-write", "--allow-env"];
  const forbidden = await notify(HOOK, { body: "", rights });
  assert.equal(forbidden.code, 78);
  assert.match(
    forbidden.stderr,
    /^strongmonitor: Cannot load notify: this program may not run HOOK \(.*config\.jsonc:1:\d+\)$/m,
  );
});

Deno.test("`notify` names the places that the program for everybody may use for hook and metrics", async () => {
  const run = "journalctl,ip,getent,sudo,kill,/etc/strongmonitor/notify";
  const rights = [
    `--allow-run=${run}`,
    "--allow-write=/var/lib/strongmonitor",
    "--allow-read",
    "--allow-sys",
  ];
  const { code, stderr } = await notify({ ...HOOK, metrics_file: "/srv/a.prom" }, { body: "", rights });
  assert.equal(code, 78);
  assert.match(stderr, /program may not run HOOK .*; put it at \/etc\/strongmonitor\/notify$/m);
  assert.match(
    stderr,
    /program may not write \/srv\/a\.prom .*; write it to \/var\/lib\/strongmonitor, from where a link may lead on$/m,
  );
});
