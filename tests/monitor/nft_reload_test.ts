/** Bans of the program after a reload of nftables.service, which flushes everything, and after a change of the firewall. */
import { strict as assert } from "node:assert";
import { eventually, script } from "../support/helpers.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";
import { inNamespace, lacking } from "../support/namespace.ts";
import { program } from "../support/program.ts";

/** Seconds, well below the minute after which the firewall is compared in any case. */
const SOON = 25;
const ignore = lacking("nft");

const nftIn = (namespace: string) => ["ip", "netns", "exec", namespace, "nft"];

/** Starts a monitor and attacks it until somebody is banned. */
async function startBanning(scene: Scene, isBanned: () => Promise<boolean>): Promise<void> {
  scene.start();
  scene.say(...Array(3).fill(attack("203.0.113.1")));
  await eventually(isBanned);
}

Deno.test({
  name: `bans are back after nftables was flushed, long before the next comparison${
    ignore ? " (needs root and nft)" : ""
  }`,
  ignore,
  fn: () =>
    inNamespace(async (run, namespace) => {
      await using scene = new Scene();
      const nft = nftIn(namespace);
      scene.configure({ firewall: "nftables", nft_command: nft, modules: CONFIG.modules });
      const isBanned = async () =>
        (await run(["nft", "list", "ruleset"])).stdout.includes("elements = { 203.0.113.1 }");
      await startBanning(scene, isBanned);
      await eventually(() => scene.ask((state) => /"holding":\{/.test(state.report() ?? "")) ?? false);
      for (let round = 1; round <= 2; round++) {
        // As nftables.conf does, in one transaction.
        assert.equal((await run(["nft", "-f", "-"], "flush ruleset\ntable inet filter {}\n")).code, 0);
        await eventually(isBanned, SOON);
      }
      await eventually(() => scene.lines(/1 ban was gone from the firewall: putting it back/).length === 2);
      scene.kill("SIGTERM");
      assert.equal(await scene.end(), 0);
    }),
});

Deno.test({
  name: `a ban that finds the table gone brings all others back, where nft reports no deleted table${
    ignore ? " (needs root and nft)" : ""
  }`,
  ignore,
  fn: () =>
    inNamespace(async (run, namespace) => {
      await using scene = new Scene();
      const body = `[ "$1" = monitor ] && exit 1\nexec ${nftIn(namespace).join(" ")} "$@"`;
      const nft = script(scene.directory, { name: "quiet_nft", body });
      scene.configure({ firewall: "nftables", nft_command: nft, modules: CONFIG.modules });
      const ruleset = async () => (await run(["nft", "list", "ruleset"])).stdout;
      await startBanning(scene, async () => (await ruleset()).includes("203.0.113.1"));
      await eventually(() => scene.ask((state) => /"holding":\{/.test(state.report() ?? "")) ?? false);
      await run(["nft", "delete", "table", "inet", "strongmonitor"]);
      scene.say(...Array(3).fill(attack("203.0.113.2")));
      const areBanned = (text: string) => text.includes("203.0.113.1") && text.includes("203.0.113.2");
      await eventually(async () => areBanned(await ruleset()), SOON);
      scene.kill("SIGTERM");
      assert.equal(await scene.end(), 0);
    }),
});

Deno.test({
  name: `a reload from nftables to "observe" lifts all bans, and one back puts them back${
    ignore ? " (needs root and nft)" : ""
  }`,
  ignore,
  fn: () =>
    inNamespace(async (run, namespace) => {
      await using scene = new Scene();
      const nft = nftIn(namespace);
      const use = (firewall: string) =>
        scene.configure({ firewall, nft_command: nft, modules: CONFIG.modules });
      const ask = async (...words: string[]) =>
        (await program([...words, "--config", scene.config, "--state", scene.stateDirectory])).stdout;
      const ruleset = async () => (await run(["nft", "list", "ruleset"])).stdout;
      const isBanned = async () => (await ruleset()).includes("elements = { 203.0.113.1 }");
      const holder = () => scene.ask((state) => state.bans.latest("203.0.113.1")?.appliedBy);
      use("nftables");
      await startBanning(scene, isBanned);
      use("observe");
      scene.kill("SIGHUP");
      await eventually(() => holder() === "observe");
      assert.equal(await ruleset(), "");
      assert.match(await ask("status"), /^firewall {2}observe: nobody is really banned$/m);
      use("nftables");
      scene.kill("SIGHUP");
      await eventually(isBanned);
      await eventually(() => holder() === "nftables");
      scene.kill("SIGTERM");
      assert.equal(await scene.end(), 0);

      // Nobody may lift the bans of a firewall that the next start does not use.
      use("observe");
      scene.start();
      await scene.said(/1 earlier ban stays in the former firewall/);
      await eventually(async () => /^firewall {2}observe: 1 earlier ban stays/m.test(await ask("status")));
      assert.match((await ask("why", "203.0.113.1")).replaceAll("\n", " "), /only observes now/);
      assert.match(
        await ask("unban", "203.0.113.1"),
        /^It is still in the firewall \(nftables\), which the/m,
      );
      assert.ok(await isBanned());
      scene.kill("SIGTERM");
      assert.equal(await scene.end(), 0);
    }),
});

for (
  const [how, keys, args] of [
    ["`unban_on_stop`", { unban_on_stop: true }, []],
    ["an unconfirmed trial", {}, ["--trial", "6s"]],
  ] as const
) {
  Deno.test({
    name: `bans that ${how} takes out of nftables are not in force${ignore ? " (needs root and nft)" : ""}`,
    ignore,
    fn: () =>
      inNamespace(async (run, namespace) => {
        await using scene = new Scene();
        const nft_command = nftIn(namespace);
        scene.configure({ firewall: "nftables", nft_command, modules: CONFIG.modules, ...keys });
        const isBanned = async () => (await run(["nft", "list", "ruleset"])).stdout.includes("203.0.113.1");
        await startBanning(scene, isBanned);
        scene.kill("SIGTERM");
        assert.equal(await scene.end(), 0);
        if (args.length > 0) {
          scene.start(...args);
          assert.equal(await scene.end(), 0);
        }
        await eventually(async () => !await isBanned());
        const options = ["--config", scene.config, "--state", scene.stateDirectory];
        const { stdout } = await program(["bans", ...options]);
        assert.match(stdout, /^1 ban: 1 waiting for the firewall/m);
        scene.start();
        await eventually(isBanned);
        scene.kill("SIGTERM");
        assert.equal(await scene.end(), 0);
      }),
  });
}
