import { strict as assert } from "node:assert";
import { temporaryState } from "./support/helpers.ts";
import { MAIN, program } from "./support/program.ts";

/** Commands, and their exit codes, which those keep whose code is a verdict. */
const UNREAD: readonly (readonly [args: string, code: number])[] = [
  ["--help", 0],
  ["ban --help", 0],
  ["bans --state STATE", 0],
  ["status --state STATE", 69],
  ["status --json --state STATE", 69],
  ["check --config /nowhere", 66],
  ["doctor --config /nowhere --state STATE", 1],
];

for (const [args, code] of UNREAD) {
  Deno.test(`\`${args}\` ends quietly with ${code} when nobody reads on`, async () => {
    using temporary = temporaryState();
    const words = args.replace("STATE", temporary.directory);
    // `true` has gone, and the pipe with it, before the program is there to write.
    const line = `{ sleep 0.2; "$DENO" run -A --quiet "$MAIN" ${words}; echo "code $?" >&2; } | true`;
    const { stderr } = await new Deno.Command("sh", {
      args: ["-c", line],
      env: { DENO: Deno.execPath(), MAIN },
    }).output();
    assert.equal(new TextDecoder().decode(stderr), `code ${code}\n`);
  });
}

Deno.test("a SIGHUP that comes while the program still starts reloads once it can", async () => {
  const code = `
    import { listenToSignals } from "${MAIN}";
    const signals = listenToSignals();
    const heard = Promise.withResolvers();
    Deno.addSignalListener("SIGHUP", heard.resolve);
    Deno.kill(Deno.pid, "SIGHUP");
    await heard.promise;
    signals.onReload(() => console.log("reload"));
    Deno.exit(0);`;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
  assert.equal(new TextDecoder().decode(stdout), "reload\n");
});

Deno.test("a SIGHUP that comes while modules load does not end `run`", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const { imports } = JSON.parse(Deno.readTextFileSync(new URL("../deno.json", import.meta.url)));
    const commander = `Deno.kill(Deno.pid, "SIGHUP");\nexport * from "${imports.commander}";\n`;
    Deno.writeTextFileSync(`${directory}/commander.js`, commander);
    // The map of deno.json finds modules in packages by itself, others need the packages' folders.
    const folders = Object.entries<string>(imports).map(([name, target]) =>
      [`${name}/`, `${target.replace(/^npm:/, "npm:/")}/`] as const
    );
    const all = { ...imports, ...Object.fromEntries(folders), commander: `${directory}/commander.js` };
    const map = { imports: all };
    Deno.writeTextFileSync(`${directory}/imports.json`, JSON.stringify(map));
    const { code, signal, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", `--import-map=${directory}/imports.json`, MAIN]
        .concat(["run", "--config", "/nowhere"]),
    }).output();
    assert.deepEqual([code, signal], [66, null], new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

/** Wrong usage, and the sentence that the program says about it. */
const WRONG: readonly (readonly [args: string, sentence: string])[] = [
  ["frobnicate", "unknown command 'frobnicate': see strongmonitor --help"],
  ["start", "unknown command 'start': did you mean 'run'?"],
  ["stop", "unknown command 'stop': did you mean 'systemctl stop strongmonitor'?"],
  ["statsu", "unknown command 'statsu': did you mean 'status'?"],
  ["whitelist ad", "unknown command 'ad': did you mean add?"],
  ["whitelist foo", "unknown command 'foo': see strongmonitor whitelist --help"],
  ["help foo", "unknown command 'foo': see strongmonitor --help"],
  ["help statsu", "unknown command 'statsu': did you mean 'status'?"],
  ["statsu --help", "unknown command 'statsu': did you mean 'status'?"],
  ["status extra", "status takes no argument, got 1: see strongmonitor status --help"],
  ["why 192.0.2.1 192.0.2.2", "why takes 1 argument, got 2: see strongmonitor why --help"],
  ["bans --nonsense", "unknown option '--nonsense': see strongmonitor bans --help"],
  ["bans --export", "--export needs <format>: see strongmonitor bans --help"],
  [
    "top --by x",
    "--by is one of address, network, user, path, rule, module, got 'x': see strongmonitor top --help",
  ],
  [
    "top --by adress",
    "--by is one of address, network, user, path, rule, module, got 'adress': did you mean address?",
  ],
  ["whitelist add", "<targets> is missing: see strongmonitor whitelist add --help"],
  ["whitelist list x", "list takes no argument, got 1: see strongmonitor whitelist list --help"],
  [
    "whitelist remove 192.0.2.7 --nonsense",
    "unknown option '--nonsense': see strongmonitor whitelist remove --help",
  ],
  ["bans --jso", "unknown option '--jso': did you mean --json?"],
  ["ban", "<addresses> is missing: see strongmonitor ban --help"],
  ["status --state ", "--state needs <directory>: see strongmonitor status --help"],
  ["whitelist --config ", "--config needs <file>: see strongmonitor whitelist list --help"],
  ["report --html ", "--html needs <file>: see strongmonitor report --help"],
  ["replay auth.log ", "[files...] has an empty name: see strongmonitor replay --help"],
];

for (const [args, sentence] of WRONG) {
  Deno.test(`wrong usage \`${args}\` is one sentence and code 64`, async () => {
    assert.deepEqual(await program(args.split(" ")), {
      code: 64,
      stdout: "",
      stderr: `strongmonitor: ${sentence}\n`,
    });
  });
}

Deno.test("with `--json` what failed is an object of one form, whoever complains", async () => {
  for (
    const [args, code] of [["bans --nonsense --json", 64], [
      "bans --json -c /nowhere -s /nowhere",
      69,
    ]] as const
  ) {
    const result = await program(args.split(" "));
    const { error, ...rest } = JSON.parse(result.stdout);
    assert.deepEqual([result.code, rest, result.stderr], [code, { code }, `strongmonitor: ${error}\n`]);
  }
});

Deno.test("`help` tells what `--help` does, of the program and of a command", async () => {
  for (const [asked, same] of [["help", "--help"], ["help ban", "ban --help"], ["help help", "--help"]]) {
    const [told, expected] = await Promise.all([asked!, same!].map((args) => program(args.split(" "))));
    assert.deepEqual(told, expected);
    assert.equal(told!.code, 0);
    assert.match(told!.stdout, /^Usage: strongmonitor/);
  }
});

Deno.test("options may stand in front of a command", async () => {
  for (const args of ["--state /nowhere bans", "-s /nowhere --json whitelist list"]) {
    const { code, stderr } = await program(args.split(" "));
    assert.equal(code, 69, stderr);
    assert.match(stderr, /Cannot open the state \/nowhere: the monitor has not run yet/);
  }
});

Deno.test("a full disk behind standard output is one sentence, also where JSON was to say so", async () => {
  for (const words of ["--help", "init --json"]) {
    const { code, stderr } = await new Deno.Command("sh", {
      args: ["-c", `"$DENO" run -A --quiet "$MAIN" ${words} > /dev/full`],
      env: { DENO: Deno.execPath(), MAIN },
    }).output();
    assert.equal(code, 1);
    assert.match(
      new TextDecoder().decode(stderr),
      /^strongmonitor: Cannot write to standard output: No space left on device[^\n]*\n$/,
    );
  }
});

Deno.test("what Node.js has deprecated is no business of whoever runs the program", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  try {
    const config = `${directory}/config.jsonc`;
    const rules = [{ name: "a", str: "x", limit: 1 }];
    Deno.writeTextFileSync(
      config,
      JSON.stringify({ whitelist: "localhost", state: directory, modules: { SSHD: { rules } } }),
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "run", "--config", config],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    let said = "";
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      if (said.includes("whitelisting localhost")) break;
    }
    if (said.includes("whitelisting")) child.kill("SIGKILL");
    await child.status;
    assert.match(said, /whitelisting localhost: /);
    assert.doesNotMatch(said, /Deprecat/);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

for (const [command, prefix] of [["bans", "strongmonitor: "], ["run", "<3>"]] as const) {
  Deno.test(`\`${command}\` shows the stack of an error that nobody expected, each line for itself`, async () => {
    using temporary = temporaryState();
    const config = `${temporary.directory}/config.jsonc`;
    const modules = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };
    Deno.writeTextFileSync(config, JSON.stringify({ state: temporary.directory, modules }));
    temporary.exec("ALTER TABLE ban RENAME COLUMN until TO ending");
    const { code, stderr } = await program([command, "--config", config]);
    assert.equal(code, 1, stderr);
    const [first, ...frames] = stderr.trimEnd().split("\n").filter((line) => line.startsWith(prefix));
    // Deno 2.4 does not name the column.
    assert.match(first!, /no such column: until|failed to prepare statement/);
    assert.ok(frames.some((line) => line.startsWith(`${prefix}    at `)), stderr);
  });
}
