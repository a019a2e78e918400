import { strict as assert } from "node:assert";
import { notifyProblem, programProblems } from "../../../lib/commands/check/programs.ts";
import type { Config } from "../../../lib/config/types.ts";
import { script, temporaryState } from "../../support/helpers.ts";
import { findingsIn, Machine } from "../../support/machine.ts";
import { program } from "../../support/program.ts";

/** A section of a module that reads a file alone. */
const MINE = {
  match: { file: "/var/log/mine.log" },
  pattern: "^x <ADDR>$",
  rules: [{ name: "x", limit: 5 }],
};

/** A configuration with these commands, as far as `programProblems()` looks at it. */
const commands = (command: string[] | null, unban: string[] | null = null) =>
  ({ moduleBans: [], ban: { command, unban, timeout: 1, concurrency: 1 } }) as unknown as Config;

Deno.test("`programProblems()` names programs that are missing or cannot be executed, behind sudo too", () => {
  using temporary = temporaryState();
  const path = temporary.directory;
  const root = Deno.uid() === 0 ? "" : "sudo ";
  const good = script(path, { name: "good", body: "true" });
  const flat = `${path}/flat`;
  Deno.writeTextFileSync(flat, "", { mode: 0o644 });
  const cases: [command: string[], faults: string[]][] = [
    [[good, "%s"], []],
    [["cat", "%s"], []],
    [["sudo", good, "%s"], []],
    [[flat, "%s"], [`ban_command cannot run ${flat}: it is not executable; ${root}chmod +x ${flat}`]],
    [[path, "%s"], [`ban_command cannot run ${path}: it is not a file`]],
    [[`${path}/none`, "%s"], [`ban_command cannot run ${path}/none: there is no such file`]],
    [["no-such-program", "%s"], ["ban_command cannot run no-such-program: it is not installed"]],
    [["/bin/cat", `${path}/none`, "%s"], []],
  ];
  for (const [command, faults] of cases) assert.deepEqual(programProblems(commands(command)), faults);
  assert.deepEqual(programProblems(commands(null, ["/usr/bin/sudo", "-n", `${path}/none`, "%s"])).slice(-1), [
    `unban_command cannot run ${path}/none: there is no such file`,
  ]);
});

Deno.test("`doctor` names the package of an nft that is not installed", async () => {
  using machine = new Machine();
  machine.configure({ firewall: "nftables", nft_command: "nft" });
  // Of this machine's programs only Deno's own.
  const [env, path, ...words] = machine.words("doctor", "--json", "--config", machine.config);
  const { stdout } = await new Deno.Command(env!, {
    args: [path!.replace(/:.*/, ""), ...words],
    stdin: "null",
  }).output();
  const found = findingsIn(new TextDecoder().decode(stdout)).find(({ subject }) => subject === "firewall");
  assert.deepEqual(found, {
    subject: "firewall",
    result: "failure",
    text: "nft_command cannot run nft: it is not installed",
    remedy: "install the package nftables",
  });
});

Deno.test("`check` and `doctor` name a program of `notify` that is missing or cannot be executed", async () => {
  using temporary = temporaryState();
  const path = temporary.directory;
  const notify = `${path}/notify`;
  const config = `${path}/config.jsonc`;
  const keys = { notify: { program: notify }, state: path, modules: { mine: MINE } };
  Deno.writeTextFileSync(config, JSON.stringify(keys));
  const said = async (command: string) => (await program([command, "--config", config, "--json"])).stdout;
  assert.match(await said("check"), /notify cannot run \S+\/notify: there is no such file/);
  assert.match(
    await said("doctor"),
    /"failure","text":"notify cannot run \S+\/notify: there is no such file"/,
  );
  Deno.writeTextFileSync(notify, "", { mode: 0o644 });
  assert.match(await said("check"), /notify cannot run \S+\/notify: it is not executable/);
  Deno.chmodSync(notify, 0o755);
  assert.doesNotMatch(await said("check"), /notify cannot run/);
  assert.equal(notifyProblem({ notify: null } as Config), null);
});

Deno.test("`check` names a program that is not installed, also where it may read neither PATH nor directories", async () => {
  using temporary = temporaryState();
  const path = temporary.directory;
  const config = `${path}/config.jsonc`;
  const keys = { nft_command: "no-such-nft", firewall: "nftables", state: path, modules: { mine: MINE } };
  Deno.writeTextFileSync(config, JSON.stringify(keys));
  const rights = [
    `--allow-read=${path},/var/log`,
    `--allow-write=${path}`,
    "--allow-run=no-such-nft",
    "--allow-sys",
  ];
  const { code, stdout } = await program(["check", "--config", config], rights);
  assert.match(stdout, /^Problem: nft_command cannot run no-such-nft: it is not installed$/m);
  assert.equal(code, 78);
});
