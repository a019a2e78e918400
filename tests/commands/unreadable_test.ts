import { strict as assert } from "node:assert";
import { guardState } from "../../lib/core/state_files.ts";
import { inspectFiles } from "../../lib/sources/files/inspection.ts";
import { takeLock } from "../../lib/state/lock.ts";
import { eventually, temporaryState } from "../support/helpers.ts";
import { exists } from "../support/probes.ts";
import { MAIN, program } from "../support/program.ts";

const SETPRIV = "/usr/bin/setpriv";
/** Root without the right to read what modes forbid. */
const AS_OTHERS = ["--bounding-set=-dac_override,-dac_read_search", "--"];
const ignore = Deno.uid() !== 0 || !exists(SETPRIV);

/** A configuration that reads `logs/*.log` of its own directory, among which is `secret.log`; gone at the end of the scope. */
function scene(): { readonly path: string; readonly config: string; readonly secret: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  Deno.mkdirSync(`${path}/logs`);
  const [config, secret] = [`${path}/config.jsonc`, `${path}/logs/secret.log`];
  const rules = [{ name: "a", str: "login failed", limit: 1, window: "10m", ban_time: "1h" }];
  const module = {
    match: { file: [`${path}/logs/*.log`, `${path}/later.log`] },
    pattern: "^login failed from <ADDR>$",
    rules,
  };
  Deno.writeTextFileSync(
    config,
    JSON.stringify({ firewall: "observe", state: `${path}/state`, modules: { APP: module } }),
  );
  Deno.writeTextFileSync(`${path}/logs/open.log`, "");
  Deno.writeTextFileSync(secret, "");
  Deno.chownSync(secret, 1, 4);
  Deno.chmodSync(secret, 0o640);
  return { path, config, secret, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

function command(...args: string[]): Deno.Command {
  return new Deno.Command(SETPRIV, {
    args: [...AS_OTHERS, Deno.execPath(), "run", "--quiet", "--allow-all", MAIN, ...args],
    env: { NO_COLOR: "1", TZ: "UTC" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

const REMEDY = /^Cannot read .*\/secret\.log: user \w+ may not read it; let it with: sudo usermod -aG adm /;

Deno.test({
  name: "`check` tells which log files this user may not read, with the remedy, and exits with 1",
  ignore,
  fn: async () => {
    using directory = scene();
    const { config, path } = directory;
    const json = await command("check", "--json", "--config", config).output();
    const { ok, files } = JSON.parse(new TextDecoder().decode(json.stdout));
    assert.deepEqual([json.code, ok, files.length], [1, false, 2]);
    assert.deepEqual([files[0].pattern, files[0].found, files[0].problems.length], [
      `${path}/logs/*.log`,
      1,
      1,
    ]);
    assert.match(files[0].problems[0], REMEDY);
    assert.deepEqual(files[1], { pattern: `${path}/later.log`, found: 0, problems: [] });
    const text = await command("check", "--config", config).output();
    assert.match(new TextDecoder().decode(text.stdout), /^Problem: Cannot read .*secret\.log/m);
    const asRoot = await program(["check", "--json", "--config", config]);
    assert.deepEqual([asRoot.code, JSON.parse(asRoot.stdout).files[0].found], [0, 2]);
  },
});

Deno.test({
  name: "`status` tells of a log file that cannot be read and exits with 1, until it can be and is",
  ignore,
  fn: async () => {
    using directory = scene();
    const { config, path, secret } = directory;
    const monitor = command("run", "--config", config).spawn();
    const status = async () => {
      const { code, stdout } = await program(["status", "--json", "--state", `${path}/state`]);
      const { running = false, sources = [] } = stdout === "" ? {} : JSON.parse(stdout);
      return { code, running, sources };
    };
    try {
      await eventually(async () =>
        (await status()).sources.some((one: { problems: string[] }) => one.problems.length > 0)
      );
      const { code, sources } = await status();
      assert.equal(code, 1);
      assert.deepEqual(sources.map(({ waiting }: { waiting: boolean }) => waiting), [false, true]);
      assert.match(sources[0].problems[0], REMEDY);
      const text = await program(["status", "--state", `${path}/state`]);
      assert.match(text.stdout, /^problem +Cannot read .*secret\.log: .*usermod/m);
      assert.match(text.stdout, /^awaited +.*later\.log: there is no such file yet; with PrivateTmp=yes/m);
      Deno.chmodSync(secret, 0o644);
      Deno.writeTextFileSync(secret, "login failed from 203.0.113.5\n", { append: true });
      await eventually(async () => {
        const now = await status();
        return now.code === 0 && now.sources[0].last_batch !== null;
      });
    } finally {
      monitor.kill("SIGTERM");
      await monitor.output();
    }
  },
});

Deno.test({
  name: "a user without rights is told so once, and no verdict on the configuration",
  ignore,
  fn: async () => {
    using directory = scene();
    const { config, path } = directory;
    Deno.mkdirSync(`${path}/state`);
    Deno.writeTextFileSync(`${path}/state/state.db`, "");
    for (const one of [config, `${path}/state`]) Deno.chownSync(one, 1, 1);
    Deno.chmodSync(config, 0o600);
    Deno.chmodSync(`${path}/state`, 0o700);
    const said = async (word: string) => {
      const { code, stdout, stderr } = await command(
        ...word.split(" "),
        "--config",
        config,
        "--state",
        `${path}/state`,
      )
        .output();
      return {
        code,
        lines: new TextDecoder().decode(word === "check" ? stdout : stderr).trimEnd().split("\n"),
      };
    };
    for (const word of ["status", "why 192.0.2.1", "unban --all"]) {
      const { code, lines } = await said(word);
      assert.deepEqual([code, lines.length], [69, 1], lines.join("\n"));
      assert.match(lines[0]!, /^strongmonitor: Cannot open the state .*: user \w+ may not use it; .*sudo/);
    }
    const { code, lines } = await said("check");
    assert.equal(code, 66);
    assert.match(
      lines.join("\n"),
      /^Problem: Cannot read .*: user \w+ may not .*\n {2}use sudo\nNo verdict on /,
    );
    // A state that this user may use: the configuration alone is missing.
    Deno.chmodSync(`${path}/state`, 0o777);
    Deno.chmodSync(`${path}/state/state.db`, 0o666);
    assert.match(
      (await said("why 192.0.2.1")).lines[0]!,
      /^Warning: Cannot read the configuration: .* alone$/,
    );
  },
});

Deno.test({
  name:
    "a state that is damaged or another user's is told with a remedy, by commands and by a monitor that starts",
  ignore,
  fn: async () => {
    using directory = scene();
    const { config, path } = directory;
    const file = `${path}/state/state.db`;
    Deno.mkdirSync(`${path}/state`);
    Deno.writeTextFileSync(file, "no database, but as long as its head is, which SQLite reads\n".repeat(100));
    const said = async (word: string) => {
      const { code, stderr } = await command(word, "--config", config).output();
      return [code, new TextDecoder().decode(stderr)] as const;
    };
    const damaged = await said("bans");
    assert.equal(damaged[0], 69);
    assert.match(
      damaged[1],
      /state\.db: file is not a database; the monitor makes a new one of all that can be read/,
    );
    Deno.chownSync(file, 1, 1);
    Deno.chmodSync(file, 0o600);
    for (const word of ["bans", "run"]) {
      const [code, stderr] = await said(word);
      assert.equal(code, 69, word);
      assert.match(
        stderr,
        /Cannot \w+ the state .*: unable to open database file.*; let the monitor's user own it/,
      );
    }
  },
});

Deno.test("links to files of the state are read neither as logs nor as a whitelist, and the monitor keeps its locks", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const [config, logs, friends] = ["config.jsonc", "logs", "friends"].map((name) => `${directory}/${name}`);
  Deno.mkdirSync(logs!);
  const module = { pattern: "^login failed from <ADDR>$", match: { file: `${logs}/*.log` } };
  const rules = [{ name: "a", str: "login failed", limit: 1 }];
  const keys = { state: directory, modules: { ftp: { ...module, rules } } };
  const write = (over: object) => Deno.writeTextFileSync(config!, JSON.stringify({ ...keys, ...over }));
  write({});
  using _lock = held(directory);
  Deno.symlinkSync(`${directory}/state.db`, `${logs}/linked.log`);
  Deno.linkSync(`${directory}/lock.db`, `${logs}/same.log`);
  Deno.symlinkSync(`${directory}/lock.db`, friends!);
  const why = "it is a file of the state: reading it would end its locks";
  const { code, stdout } = await program(["check", "--json", "--config", config!]);
  assert.deepEqual([code, JSON.parse(stdout).files[0]], [1, {
    pattern: `${logs}/*.log`,
    found: 0,
    problems: ["linked", "same"].map((name) => `Cannot read ${logs}/${name}.log: ${why}`),
  }]);
  // A monitor reads in the process that holds the locks.
  guardState(directory);
  assert.equal(inspectFiles(`${logs}/*.log`).problems.length, 2);
  assert.equal(JSON.parse((await program(["status", "--json", "--config", config!])).stdout).running, true);
  write({ whitelist_files: "friends" });
  const refused = await program(["check", "--config", config!]);
  assert.equal(refused.code, 78);
  assert.ok(refused.stdout.includes(`Cannot read the whitelist file: ${friends}: ${why}`), refused.stdout);
});

function held(directory: string): Disposable {
  const lock = takeLock(directory)!;
  return { [Symbol.dispose]: () => lock.release() };
}

Deno.test({
  name: "`doctor` sends a user to root who may not read the configuration, and claims nothing of its logs",
  ignore,
  fn: async () => {
    using directory = scene();
    const { config, path } = directory;
    Deno.chownSync(config, 1, 1);
    Deno.chmodSync(config, 0o600);
    const state = ["--state", `${path}/state`];
    const { code, stdout } = await command("doctor", "--json", "--config", config, ...state).output();
    const findings = new TextDecoder().decode(stdout).trim().split("\n").map((line) => JSON.parse(line));
    assert.equal(code, 1);
    const { text, remedy } = findings.filter(({ subject }) => subject === "config").at(-1);
    assert.equal(text, "what follows leaves out what the configuration names");
    assert.equal(remedy, "ask as root: sudo strongmonitor doctor");
    const examined = new Set(findings.map(({ subject }) => subject));
    for (const subject of ["journal", "logs", "service"]) assert.ok(!examined.has(subject), subject);
  },
});
