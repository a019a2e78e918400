import { strict as assert } from "node:assert";
import { temporaryState } from "../../support/helpers.ts";
import { MAIN, program } from "../../support/program.ts";

/** A directory with a configuration that has `keys` beside one module; gone at the end of the scope. */
function scene(
  keys: Record<string, unknown> = {},
): { readonly path: string; readonly config: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const config = `${path}/config.jsonc`;
  const rules = [{ name: "a", str: "I", limit: 3, window: "10m", ban_time: "1h" }, {
    name: "b",
    str: "F",
    limit: 1,
  }];
  Deno.writeTextFileSync(config, JSON.stringify({ state: "/s", modules: { SSHD: { rules } }, ...keys }));
  return { path, config, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

Deno.test("`check` and `run` refuse in the same words what the program was not built for", async () => {
  using directory = scene({ ban_command: "/bin/cat %s", metrics_file: "/m/a.prom" });
  const { config } = directory;
  const rights = [
    `--allow-read=${config},/s,/etc/resolv.conf,/run/systemd/resolve/resolv.conf`,
    "--allow-sys",
    "--allow-run=ip,getent",
  ];
  const problems = [
    `Cannot load ban_command: this program may not run /bin/cat (${config}:1:157)`,
    `Cannot load metrics_file: this program may not read and write /m/a.prom (${config}:1:186)`,
    `Cannot load modules.SSHD: this program may not run journalctl (${config}:1:33)`,
    `Cannot load state: this program may not write /s (${config}:1:10)`,
  ].toSorted();
  const advice = `build one that may, where its source is, with: deno task build --config ${config} ` +
    `(or, without Deno: npx -y deno@2 task build --config ${config})`;
  const run = await program(["run", "--config", config], rights);
  const sentences = run.stderr.trimEnd().split("\n");
  assert.deepEqual([run.code, sentences.slice(0, -1).toSorted(), sentences.at(-1)], [
    78,
    problems.map((sentence) => `<3>${sentence}`),
    `<3>Or ${advice}`,
  ]);
  const check = await program(["check", "--quiet", "--config", config], rights);
  const lines = check.stdout.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 4).toSorted(), problems.map((sentence) => `Problem: ${sentence}`));
  assert.deepEqual([check.code, check.stderr, lines.at(4)], [78, "", `  or ${advice}`]);
  assert.equal(lines.at(-1), `${config} is NOT good: 4 problems, with 2 warnings`);
  const json = await program(["check", "--json", "--config", config], rights);
  const { ok, error } = JSON.parse(json.stdout);
  assert.deepEqual([json.code, ok, error], [78, false, sentences.map((line) => line.slice(3)).join("\n")]);
});

Deno.test("`run` names at once a missing password and what the program was not built for, as `check` does", async () => {
  using directory = scene({ DB: { host: "db", user: "u", database: "d" } });
  const { config, path } = directory;
  const rights = [`--allow-read=${path},/s`, "--allow-sys", "--allow-env=PG*", "--allow-run=getent"];
  const { stderr } = await program(["run", "--config", config], rights);
  const { stdout } = await program(["check", "--json", "--config", config], rights);
  assert.equal(stderr.replaceAll("<3>", "").trimEnd(), JSON.parse(stdout).error);
  assert.match(stderr, /^<3>Cannot read the database password: .*\n(?:<3>.*\n)*<3>Cannot load state: /);
});

Deno.test("`check` names all mistakes in one pass, each with its remedies below it", async () => {
  using directory = scene({
    modules: { APP: { ...FILES_ALONE.modules.APP, match: { file: "/nowhere/app.log" } } },
    DB: { host: "db", user: "u", database: "d" },
    ban_command: "sudo /nowhere/ban %s",
    whitelist_files: "friends",
  });
  const { config, path } = directory;
  const { code, stdout, stderr } = await program(["check", "--quiet", "--config", config], [
    `--allow-read=${path},/s,/nowhere,/etc/resolv.conf,/run/systemd/resolve/resolv.conf`,
    "--allow-net=db:5432",
    "--allow-env=PG*",
    "--allow-sys",
    "--allow-run=ip,getent,sudo",
  ]);
  const problems = stdout.split("\n").filter((line) => line.startsWith("Problem: "));
  assert.deepEqual([code, stderr], [78, ""]);
  assert.deepEqual(problems.map((line) => line.replaceAll(path, "").replace(/ \(.*/, "")), [
    "Problem: Cannot read the database password: /db_password.secret does not exist",
    "Problem: Cannot read the whitelist file: /friends does not exist",
    "Problem: Cannot load state: this program may not write /s",
    "Problem: ban_command cannot run /nowhere/ban: there is no such file",
  ]);
  assert.match(stdout, /^ {2}type the password, .*: sudo install .* \/dev\/stdin \S+\/db_password\.secret$/m);
  assert.match(stdout, / is NOT good: 4 problems, with \d+ warnings?\n$/);
});

Deno.test("`check` warns of a module that reads files alone while none exists, and `--syntax` does not look", async () => {
  using directory = scene();
  const { path, config } = directory;
  const file = `${path}/nothere.log`;
  const rules = [{ name: "a", str: "I", limit: 3 }];
  const write = (match: unknown) =>
    Deno.writeTextFileSync(config, JSON.stringify({ modules: { SSHD: { match, rules } } }));
  const told = async (...args: string[]) => {
    const { code, stdout } = await program([
      "check",
      "--quiet",
      ...args,
      "--config",
      config,
      "--state",
      path,
    ]);
    assert.equal(code, 0, stdout);
    return stdout.split("\n").filter((line) => line.includes("nothere"));
  };
  const warning = `Warning: [SSHD] there is no file ${file} yet: see whether the path in match is right`;
  write({ file });
  assert.deepEqual(await told(), [warning]);
  assert.deepEqual(await told("--syntax"), []);
  Deno.writeTextFileSync(file, "");
  assert.deepEqual(await told(), []);
});

Deno.test("`check` folds the rules, explains them with `--rules`, and ends with problems, warnings and verdict", async () => {
  using directory = scene({ ...FILES_ALONE, whitelist: ["0.0.0.0/0"] });
  const { config } = directory;
  const folded = (await program(["check", "--config", config])).stdout;
  assert.match(folded, /^ {2}1 rule: a$/m);
  assert.ok(folded.split("\n").length < 24, folded);
  const full = (await program(["check", "--rules", "--config", config])).stdout;
  assert.match(
    full,
    /^ {2}a: bans for 1h at more than 1 hit within 10m; a hit is a line that starts with\n {4}"login failed"$/m,
  );
  const end = "Warning: whitelist 0.0.0.0/0 is so large that few or none are ever banned\n" +
    `${config} is good, with 1 warning\n`;
  for (const text of [folded, full]) assert.ok(text.endsWith(end), text);
  const quiet = await program(["check", "--quiet", "--config", config]);
  assert.equal(quiet.code, 0);
  assert.ok(quiet.stdout.startsWith("Warning: ") && quiet.stdout.endsWith(end), quiet.stdout);
});

Deno.test("`check --json` tells modules, rules and warnings, spans in seconds and no password", async () => {
  using directory = scene({
    whitelist: ["0.0.0.0/0", "example.org"],
    ban_command: "/nowhere/ban %s",
    DB: { host: "h", user: "u", database: "d" },
  });
  const { path, config } = directory;
  Deno.writeTextFileSync(`${path}/db_password.secret`, "s3cret", { mode: 0o600 });
  const { code, stdout, stderr } = await program(["check", "--json", "--config", config]);
  assert.equal(code, 1, stderr);
  const { ok, error, database, modules, warnings, problems, ...rest } = JSON.parse(stdout);
  assert.deepEqual([ok, error, rest.config, rest.state], [false, null, config, "/s"]);
  assert.deepEqual(database, { host: "h", port: 5432, user: "u", database: "d" });
  const steady = { scope: "all", ban_time_factor: 1, max_ban_time: null, forget_after: null };
  assert.deepEqual(modules, [{
    name: "SSHD",
    rules: [
      { name: "a", limit: 3, window: 600, ban_time: 3600, ...steady },
      { name: "b", limit: 1, window: null, ban_time: null, ...steady },
    ],
  }]);
  assert.deepEqual(warnings.map((sentence: string) => sentence.slice(0, 22)), [
    "bans by [SSHD] a end a",
    "whitelist 0.0.0.0/0 is",
    "[SSHD] b: bans are for",
  ]);
  assert.equal(problems[0], "ban_command cannot run /nowhere/ban: there is no such file");
  assert.doesNotMatch(stdout, /s3cret/);
  for (const key of Object.keys(JSON.parse(stdout))) assert.match(key, /^[a-z0-9_]+$/);
});

Deno.test("`check` says that the file of authorities for the database cannot be read", async () => {
  using directory = scene({
    DB: { host: "db", user: "u", database: "d", sslmode: "verify-full", sslrootcert: "ca.pem" },
  });
  const { path, config } = directory;
  Deno.writeTextFileSync(`${path}/db_password.secret`, "s3cret", { mode: 0o600 });
  const { code, stdout } = await program(["check", "--config", config]);
  assert.equal(code, 1);
  assert.match(stdout, /^Database: d on db:5432 as u, sslmode verify-full$/m);
  assert.ok(stdout.includes(`Problem: Cannot read sslrootcert: ${path}/ca.pem does not exist\n`), stdout);
  const syntax = await program(["check", "--syntax", "--config", config]);
  assert.equal(syntax.code, 0, syntax.stderr);
});

Deno.test("`check` says nothing of programs where it may not look", async () => {
  using directory = scene({ ban_command: "/nowhere/ban %s" });
  const { config } = directory;
  const { stdout } = await program(["check", "--config", config], [`--allow-read=${config}`, "--allow-sys"]);
  assert.doesNotMatch(stdout, /cannot run/);
});

for (const [command, name] of [["match --module SSHD", "lines"], ["replay", "lines.gz"]] as const) {
  Deno.test(`\`${command}\` says that ${name} is missing, and both causes where it may not look`, async () => {
    using directory = scene();
    const { path, config } = directory;
    const words = [...command.split(" "), `${path}/${name}`, "--config", config];
    const missing = await program(words);
    assert.deepEqual([missing.code, missing.stderr], [
      69,
      `strongmonitor: Cannot read ${path}/${name}: there is no such file\n`,
    ]);
    const blind = await program(words, [`--allow-read=${config}`]);
    assert.equal(blind.code, 69);
    const remedy = name.endsWith(".gz")
      ? `zcat ${path}/${name} | strongmonitor replay - --config ${config}`
      : `strongmonitor match --module SSHD - --config ${config} < ${path}/${name}`;
    assert.equal(
      blind.stderr,
      `strongmonitor: Cannot read ${path}/${name}: there is no such file, or this program may not read it; if it exists: ${remedy}\n`,
    );
  });
}

/** A configuration of a log file alone, which needs no journal. */
const FILES_ALONE = {
  modules: {
    APP: {
      match: { file: MAIN },
      pattern: "^login failed from <ADDR>$",
      rules: [{ name: "a", str: "login failed", limit: 1, window: "10m", ban_time: "1h" }],
    },
  },
};

Deno.test("`check --syntax` looks at the configuration alone, and refuses what `run` would refuse", async () => {
  const check = async (keys: Record<string, unknown>) => {
    using directory = scene(keys);
    const { code, stdout } = await program(["check", "--syntax", "--quiet", "--config", directory.config]);
    return { code, stdout };
  };
  const good = await check({ ban_command: "/nowhere/ban %s" });
  assert.equal(good.code, 0);
  assert.match(good.stdout, /^(?:Warning: .*\n)+.* is good, with \d warnings\n$/);
  const wrong = await check({ ban_comand: "/nowhere/ban %s" });
  assert.equal(wrong.code, 78);
  assert.match(wrong.stdout, /is NOT good: 1 problem\n$/);
});

Deno.test("`check --syntax` lets a unit start without a whitelist file of which the state has a copy", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  using place = scene({ state: directory, whitelist_files: "friends" });
  const check = (...words: string[]) => program(["check", "--quiet", "--config", place.config, ...words]);
  const unread = `Cannot read the whitelist file: ${place.path}/friends does not exist`;
  assert.equal((await check("--syntax")).code, 78);
  state.storeWhitelistCopy(`${place.path}/friends`, new Uint8Array(1));
  const { code, stdout } = await check("--syntax");
  assert.equal(code, 0, stdout);
  assert.ok(stdout.includes(`Warning: ${unread} (its last entries stay whitelisted)\n`), stdout);
  // Who asks by hand is told of a problem.
  const asked = await check();
  assert.equal(asked.code, 1);
  assert.ok(asked.stdout.includes(`Problem: ${unread}`), asked.stdout);
});

Deno.test("`check --config -` calls an empty standard input by its name", async () => {
  const { code, stdout } = await program(["check", "--syntax", "--quiet", "--config", "-"]);
  assert.equal(code, 78);
  assert.match(stdout, /\nstandard input is NOT good: \d+ problems?\n$/);
});

Deno.test("`check` ends with a verdict, and with `--quiet` says only what is wrong", async () => {
  using good = scene(FILES_ALONE);
  const told = await program(["check", "--config", good.config]);
  assert.deepEqual([told.code, told.stdout.trimEnd().split("\n").at(-1)], [0, `${good.config} is good`]);
  assert.deepEqual(await program(["check", "--quiet", "--config", good.config]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  using bad = scene({ ...FILES_ALONE, ban_command: "/nowhere/ban %s", unban_command: "/bin/cat %s" });
  assert.deepEqual(await program(["check", "--quiet", "--config", bad.config]), {
    code: 1,
    stdout: "Problem: ban_command cannot run /nowhere/ban: there is no such file\n" +
      `${bad.config} is NOT good: 1 problem\n`,
    stderr: "",
  });
  using wrong = scene({ modul: {} });
  const { code, stdout, stderr } = await program(["check", "--config", wrong.config]);
  assert.deepEqual([code, stderr], [78, ""]);
  assert.match(stdout, /^Problem: Cannot load modul: is an unknown key.*\n.* is NOT good: 1 problem\n$/);
});

Deno.test("`check` gives no verdict on a configuration that it cannot read", async () => {
  using directory = scene({});
  const missing = `${directory.config}.missing`;
  for (const path of [missing, Deno.makeTempDirSync({ dir: directory.path })]) {
    const { code, stdout } = await program(["check", "--config", path]);
    assert.equal(code, 66);
    assert.match(
      stdout,
      /^Problem: Cannot read the configuration: .*\n(?: {2}.*\n)?No verdict on .*: it cannot be read\n$/,
    );
    const json = await program(["check", "--json", "--config", path]);
    assert.deepEqual([json.code, JSON.parse(json.stdout).code], [66, 66]);
  }
  const forbidden = await program(["check", "--config", directory.config], ["--allow-sys"]);
  assert.equal(forbidden.code, 77);
  assert.match(forbidden.stdout, /\nNo verdict on .*: it cannot be read\n$/);
});

Deno.test("`check` takes no semicolon within quotes for the beginning of a remedy", async () => {
  using wrong = scene({ firewall: 'x"; y' });
  const { stdout } = await program(["check", "--quiet", "--config", wrong.config]);
  assert.match(stdout, /^Problem: Cannot load firewall: .*, got "x\\"; y" .*\n.* is NOT good: 1 problem\n$/);
});

Deno.test("`check --config -` reads a draft that the program may not open itself", async () => {
  using directory = scene(FILES_ALONE);
  const refused = await program(["check", "--config", directory.config], ["--allow-sys"]);
  assert.equal(refused.code, 77);
  assert.ok(refused.stdout.includes(`--config - < ${directory.config}\n`), refused.stdout);
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", '"$DENO" run -A --quiet "$MAIN" check --config - < "$DRAFT"'],
    env: { DENO: Deno.execPath(), MAIN, DRAFT: directory.config },
  }).output();
  assert.match(
    new TextDecoder().decode(stdout),
    /^Configuration: standard input\n[^]*\nstandard input is good\n$/,
  );
});
