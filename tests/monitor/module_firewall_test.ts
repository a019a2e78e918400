/** The program with a module that has a firewall of its own. */
import { strict as assert } from "node:assert";
import { eventually, script } from "../support/helpers.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";
import { program } from "../support/program.ts";

Deno.test("the program bans for a module by the module's own command, by hand by the outer one, and lifts likewise", async () => {
  await using scene = new Scene();
  const told = (file: string) =>
    Deno.readTextFileSync(`${scene.directory}/${file}`).split("\n").filter((line) => line !== "");
  Deno.writeTextFileSync(`${scene.directory}/own`, "");
  script(scene.directory, { name: "deny", body: 'echo "$*" >> "$(dirname "$0")/own"' });
  const SSHD = {
    ...CONFIG.modules.SSHD,
    ban_command: "./deny ban %s",
    unban_command: "./deny unban %s",
  };
  scene.configure({ ...CONFIG, unban_command: "./ban %s", modules: { SSHD } });
  const [attacker, other] = ["203.0.113.1", "198.51.100.9"];
  const run = (...args: string[]) =>
    program([...args, "--config", scene.config, "--state", scene.stateDirectory]);
  scene.start();
  await scene.said(/banning by \S*\/ban %s; for SSHD banning by \S*\/deny ban %s/);
  scene.say(...Array(3).fill(attack(attacker)));
  await eventually(() => told("own").length === 1);
  assert.equal((await run("ban", other)).code, 0);
  assert.deepEqual([told("own"), scene.banned()], [[`ban ${attacker}`], [other]]);
  assert.match((await run("status")).stdout, /^ {10}for SSHD command$/m);
  scene.kill("SIGHUP");
  await eventually(() => scene.lines(/monitoring SSHD/).length === 2);
  const lifted = await run("unban", attacker, "--json");
  assert.equal(lifted.code, 0, lifted.stderr);
  assert.equal(JSON.parse(lifted.stdout).scope, "module SSHD");
  assert.deepEqual([told("own"), scene.banned()], [[`ban ${attacker}`, `unban ${attacker}`], [other]]);
  scene.kill("SIGTERM");
  assert.equal(await scene.end(), 0);
});
