/** Bans of the program after a reload of nftables.service, which flushes everything, in a network namespace. */
import { strict as assert } from "node:assert";
import { eventually } from "../support/helpers.ts";
import { attack, CONFIG, Scene } from "../support/monitor_scene.ts";
import { inNamespace, lacking } from "../support/namespace.ts";

/** Seconds, well below the minute after which the firewall is compared in any case. */
const SOON = 25;
const ignore = lacking("nft");

Deno.test({
  name: `bans are back after nftables was flushed, long before the next comparison${
    ignore ? " (needs root and nft)" : ""
  }`,
  ignore,
  fn: () =>
    inNamespace(async (run, namespace) => {
      await using scene = new Scene();
      const nft = ["ip", "netns", "exec", namespace, "nft"];
      scene.configure({ firewall: "nftables", nft_command: nft, modules: CONFIG.modules });
      const isBanned = async () =>
        (await run(["nft", "list", "ruleset"])).stdout.includes("elements = { 203.0.113.1 }");
      scene.start();
      scene.say(...Array(3).fill(attack("203.0.113.1")));
      await eventually(isBanned);
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
