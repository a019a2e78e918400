import { strict as assert } from "node:assert";
import { readReport } from "../../lib/monitor/report.ts";
import { prepareStateDirectory, wakeMonitor } from "../../lib/monitor/control.ts";
import { State } from "../../lib/state/state.ts";
import { eventually, MANUAL, script } from "../support/helpers.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";
import { MAIN, program } from "../support/program.ts";

Deno.test("the program bans past the limit, and a crash neither loses nor doubles a line", async () => {
  await using scene = new Scene();
  scene.say(attack("203.0.113.1"), attack("203.0.113.1"));
  scene.start();
  await scene.said(/monitoring SSHD/);
  await eventually(() => scene.recorded() === 2);
  scene.kill("SIGKILL");
  await scene.end();
  scene.start();
  scene.say(attack("203.0.113.1"), attack("203.0.113.2"));
  // journalctl may print the second entry after the first one's ban.
  await eventually(() => scene.banned().length > 0 && scene.recorded() > 3);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  assert.deepEqual(scene.banned(), ["203.0.113.1"]);
  assert.equal(scene.recorded(), 4);
});

for (const when of ["while the program runs", "while it is stopped"]) {
  Deno.test(`an address that was unbanned ${when} is counted from zero after a restart`, async () => {
    await using scene = new Scene();
    const [one, two] = ["203.0.113.1", "203.0.113.2"];
    const bannedOf = (address: string) => scene.banned().filter((banned) => banned === address).length;
    const restart = async () => {
      scene.kill("SIGTERM");
      assert.equal(await scene.end(), 0);
    };
    scene.say(...Array(3).fill(attack(one)), ...Array(2).fill(attack(two)));
    scene.start();
    await eventually(() => bannedOf(one) === 1 && scene.recorded() === 5);
    if (when === "while it is stopped") await restart();
    const { code } = await program(["unban", one, "--config", scene.config, "--state", scene.stateDirectory]);
    assert.equal(code, 1, "without an unban_command the ban stays");
    if (when === "while the program runs") await restart();
    scene.say(attack(one), attack(one), attack(two));
    scene.start();
    // Who was not unbanned is counted on: two hits from before and one more.
    await eventually(() => bannedOf(two) === 1 && scene.recorded() === 8);
    assert.equal(bannedOf(one), 1, "two hits since the unban pass no limit");
    scene.say(attack(one));
    await eventually(() => bannedOf(one) === 2);
    scene.kill("SIGTERM");
    await scene.end();
  });
}

Deno.test("the program bans by lines of a log file that only its configuration knows, and tells how fresh each rule is", async () => {
  await using scene = new Scene();
  const file = `${scene.directory}/ftp.log`;
  const say = (...lines: string[]) =>
    Deno.writeTextFileSync(file, lines.map((line) => `${line}\n`).join(""), { append: true });
  scene.configure({
    ban_command: "./ban %s",
    modules: {
      ftp: {
        match: { file },
        pattern: "^login of (?<user>.*) refused to <ADDR>$",
        rules: [{ name: "refused", limit: 2, window: "10m" }, { name: "other", str: "never", limit: 2 }],
      },
    },
  });
  scene.start();
  // What lay there before, without a time of its own, would be none of the monitor's business.
  await eventually(() => scene.ask((state) => state.position(`file:${file}`)) !== null);
  say("login of a refused to 203.0.113.1", "login of b refused to 203.0.113.1", "hello");
  await eventually(() => scene.recorded() === 2);
  scene.kill("SIGKILL");
  await scene.end();
  Deno.renameSync(file, `${file}.1`);
  say("login of x refused to 198.51.100.7 refused to 203.0.113.1");
  scene.start();
  await eventually(() => scene.banned().length > 0);
  assert.deepEqual(scene.banned(), ["203.0.113.1"]);
  assert.equal(scene.recorded(), 3);
  await eventually(() => {
    const [module] = scene.ask((state) => readReport(state.report()))!.modules;
    const [refused, other] = module!.rules;
    return module!.lastLine !== null && refused!.lastHit !== null && other!.lastHit === null;
  });
});

Deno.test("a log that is followed by another pattern and then by the first one again is read once", async () => {
  await using scene = new Scene();
  const file = `${scene.directory}/auth.log`;
  let lines = 0;
  /** Follows the log by a pattern, and writes a line. */
  const follow = async (pattern: string) => {
    const match = { file: `${scene.directory}/${pattern}` };
    const rules = [{ name: "invalid", str: "Invalid user", limit: 4, window: "10m" }];
    scene.configure({ ban_command: "./ban %s", modules: { SSHD: { match, rules } } });
    if (lines === 0) scene.start();
    else scene.kill("SIGHUP");
    await eventually(() => scene.ask((state) => state.position(`file:${match.file}`)) !== null);
    const line = `${new Date().toISOString()} web sshd[7]: Invalid user u from 203.0.113.1 port 4`;
    Deno.writeTextFileSync(file, `${line}${lines++}\n`, { append: true });
    await eventually(() => scene.recorded() === lines);
  };
  for (const pattern of ["auth.log", "a*.log", "auth.log", "a*.log"]) await follow(pattern);
  assert.deepEqual(scene.banned(), []);
});

Deno.test("the program takes a right new configuration at SIGHUP, and keeps the old one over a wrong one", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.said(/monitoring SSHD/);
  scene.configure('{ "modules": {} , ');
  scene.kill("SIGHUP");
  await scene.said(/config\.jsonc:1/);
  await scene.said(/the old configuration stays in force/);
  const refusal = () => scene.ask((state) => readReport(state.report())?.refused?.error);
  await eventually(() => /config\.jsonc:1/.test(refusal() ?? ""));
  scene.configure({ ...CONFIG, whitelist: "203.0.113.1" });
  scene.kill("SIGHUP");
  await scene.said(/configuration reloaded/);
  await eventually(() => refusal() === undefined);
  scene.say(...Array(3).fill(attack("203.0.113.1")), ...Array(3).fill(attack("203.0.113.2")));
  await eventually(() => scene.banned().length > 0);
  assert.deepEqual(scene.banned(), ["203.0.113.2"]);
  await scene.said(/not banning 203\.0\.113\.1, whitelisted by configuration/);
});

Deno.test("the program keeps who stood in a whitelist file that is away at a reload or a start", async () => {
  await using scene = new Scene();
  const friends = `${scene.directory}/friends`;
  Deno.writeTextFileSync(friends, "203.0.113.1\n");
  scene.configure({ ...CONFIG, whitelist_files: "friends" });
  scene.start();
  await scene.said(/friends read: 1 entry/);
  Deno.removeSync(friends);
  scene.kill("SIGHUP");
  await scene.said(/configuration reloaded/);
  scene.say(...Array(3).fill(attack("203.0.113.1")), ...Array(3).fill(attack("203.0.113.2")));
  await eventually(() => scene.banned().length > 0);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  scene.start();
  scene.say(...Array(3).fill(attack("203.0.113.1")), ...Array(3).fill(attack("203.0.113.3")));
  await eventually(() => scene.banned().length > 1);
  assert.deepEqual(scene.banned(), ["203.0.113.2", "203.0.113.3"]);
  await scene.said(/not banning 203\.0\.113\.1, whitelisted by whitelist file/);
});

Deno.test("`run --verbose` tells positions, commits, commands and changes with priority 7, `run` does not", async () => {
  await using scene = new Scene();
  scene.say(...Array(3).fill(attack("203.0.113.1")));
  scene.start("--verbose");
  await scene.said(/^<7>journal: reading lines written since \d{4}-/m);
  await scene.said(/^<7>203\.0\.113\.1 passed the limit of \[SSHD\] invalid with 3 hits$/m);
  await scene.said(/^<7>committed \d lines? of journal: \d recorded, \d hits?, 1 ban; position 3$/m);
  await scene.said(/^<7>command bans 203\.0\.113\.1$/m);
  await scene.said(/^<7>command answered within \d+ ms: 1 done, 0 refused$/m);
  scene.ask((state) =>
    state.addToWhitelist("command", { address: "203.0.113.9", note: "", until: null, since: 0 })
  );
  wakeMonitor(scene.stateDirectory);
  await scene.said(/^<7>a command changed the state$/m);
  await scene.said(/^<7>whitelisted: .*1 by command/m);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  const before = scene.lines(/^<7>/).length;
  assert.ok(before > 0);
  scene.start();
  scene.say(attack("203.0.113.2"));
  await eventually(() => scene.recorded() === 4);
  assert.equal(scene.lines(/^<7>/).length, before);
});

Deno.test("the program ends with an error when its only source fails three times in a row", async () => {
  await using scene = new Scene();
  Deno.writeTextFileSync(`${scene.directory}/dead`, "");
  scene.start();
  assert.equal(await scene.end(), 1);
  await scene.said(/journal failed 3 times in a row and is given up: .*journal on fire/);
});

Deno.test("a source that is given up beside another is told once to log, hook and `status`, until a reload reads it again", async () => {
  await using scene = new Scene();
  const [dead, told] = ["dead", "told"].map((name) => `${scene.directory}/${name}`) as [string, string];
  const log = `${scene.directory}/app.log`;
  for (const file of [dead, log, told]) Deno.writeTextFileSync(file, "");
  script(scene.directory, { name: "notify", body: `cat >> ${told}` });
  const app = { match: { file: log }, pattern: "^bad <ADDR>$", rules: [{ name: "bad", limit: 1 }] };
  scene.configure({ ...CONFIG, notify: { program: "./notify" }, modules: { ...CONFIG.modules, app } });
  scene.start();
  await scene.said(/journal failed 3 times in a row and is given up: .*journal on fire/);
  Deno.writeTextFileSync(log, "bad 203.0.113.1\nbad 203.0.113.1\n", { append: true });
  await eventually(() => scene.banned().length === 1);
  await eventually(() => /"source_stopped"/.test(Deno.readTextFileSync(told)));
  const status = (...words: string[]) =>
    program(["status", "--config", scene.config, "--state", scene.stateDirectory, ...words]);
  const { code, stdout } = await status();
  assert.equal(code, 1);
  assert.match(stdout, /^problem +journal is not being read since .*, until a reload or restart: .*on fire/m);
  const [{ stopped }] = JSON.parse((await status("--json")).stdout).sources;
  assert.match(stopped.since, /^20.*Z$/);
  assert.match(stopped.error, /journal on fire/);
  assert.equal(scene.lines(/given up/).length, 1);
  Deno.removeSync(dead);
  scene.kill("SIGHUP");
  await eventually(async () => (await status()).code === 0);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  assert.equal(Deno.readTextFileSync(told).match(/"text":"journal is not being read since/g)?.length, 1);
});

Deno.test("a second program on the same state is turned away with 69", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.said(/monitoring SSHD/);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      MAIN,
      "-c",
      scene.config,
      "-s",
      scene.stateDirectory,
    ],
  }).output();
  assert.equal(code, 69);
  assert.match(
    new TextDecoder().decode(stderr),
    /^<3>Another monitor runs on the state [^\n]*, with pid \d+\n$/,
  );
});

Deno.test("a banned address that goes on sending lines is warned of once, and `status` fails", async () => {
  await using scene = new Scene();
  scene.start();
  await scene.said(/monitoring SSHD/);
  scene.say(attack("203.0.113.1"), attack("203.0.113.1"), attack("203.0.113.1"));
  const isConfirmed = () =>
    scene.ask((state) => state.bans.inForceOf(["203.0.113.1"]).some(({ appliedAt }) => appliedAt !== null));
  await eventually(() => isConfirmed() === true);
  const status = () => program(["status", "--config", scene.config, "--state", scene.stateDirectory]);
  assert.equal((await status()).code, 0);
  const began = Date.now();
  await eventually(() => Date.now() > began + 5_500);
  scene.say(attack("203.0.113.1"), attack("203.0.113.1"), attack("203.0.113.1"), attack("203.0.113.2"));
  await scene.said(/203\.0\.113\.1 is banned since .* and still getting through: 3 lines of SSHD/);
  const known = () => scene.ask((state) => readReport(state.report())?.leaks);
  await eventually(() => known()?.length === 1);
  const { code, stdout } = await status();
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^problem +203\.0\.113\.1 is banned since .* and still getting through: 3 lines of SSHD, the last at /m,
  );
  scene.say(attack("203.0.113.1"));
  await eventually(() => known()?.[0]?.lines === 4);
  assert.deepEqual(known()?.map(({ address }) => address), ["203.0.113.1"]);
  assert.equal(scene.lines(/getting through/).length, 1);
});

Deno.test("the program leaves bans as they are when it starts under a clock that is behind", async () => {
  await using scene = new Scene();
  prepareStateDirectory(scene.stateDirectory);
  const start = (Date.now() + 365 * 86_400_000) * 1_000;
  const until = start + 30 * 86_400_000_000;
  const before = new State(scene.stateDirectory);
  const address = "203.0.113.9";
  before.bans.add({ address, scope: "all", provenance: MANUAL, reason: "x", count: 0, start, until });
  before.close();
  scene.start();
  await eventually(() => scene.banned().includes(address));
  const found = scene.ask((state) => state.bans.inForce().map((ban) => [ban.start, ban.until]));
  assert.deepEqual(found, [[start, until]]);
});

Deno.test("a line counts once for a module two of whose patterns its file has", async () => {
  await using scene = new Scene();
  const log = `${scene.directory}/ssh.log`;
  Deno.writeTextFileSync(log, "");
  const file = [`${scene.directory}/*.log`, `${scene.directory}/ssh*`];
  scene.configure({ ...CONFIG, modules: { SSHD: { match: { file }, rules: CONFIG.modules.SSHD.rules } } });
  scene.start();
  await scene.said(/monitoring SSHD/);
  const attacks = (count: number) =>
    `${new Date().toISOString()} host sshd[7]: ${attack("203.0.113.1")}\n`.repeat(count);
  Deno.writeTextFileSync(log, attacks(2), { append: true });
  await eventually(() => scene.recorded() === 2);
  assert.deepEqual(scene.banned(), []);
  Deno.writeTextFileSync(log, attacks(1), { append: true });
  await eventually(() => scene.banned().length > 0);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
  assert.equal(scene.recorded(), 3);
});
