/** What every firewall promises, on each that there is. */
import { NEVER } from "../../lib/core/async.ts";
import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { CommandFirewall } from "../../lib/firewall/command.ts";
import { NftablesFirewall } from "../../lib/firewall/nftables.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import type { Firewall, Inspection } from "../../lib/firewall/firewall.ts";
import { eventually } from "../support/helpers.ts";
import { nftBan, runningClock } from "../support/nft_bans.ts";

const ADDRESSES = ["192.0.2.1", "2001:db8::1", "198.51.100.0/24", "2001:db8:1::/64"];
const NAMESPACE = `sm-contract-${Deno.pid}`;

function bans(): Ban[] {
  return ADDRESSES.map((address, id) => ({ ...nftBan(address, id % 2 === 0 ? null : 600), id }));
}

function ip(...args: string[]): boolean {
  try {
    return new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** A network of its own with nft in it; false where there can be none. */
function hasNft(): boolean {
  const made = ip("netns", "add", NAMESPACE);
  return made && ip("netns", "exec", NAMESPACE, "nft", "list", "ruleset");
}

function addressesOf({ missing, stray }: Inspection) {
  const addresses = (bans: Inspection["stray"]) => bans.map(({ address }) => address);
  return { missing: addresses(missing), stray: addresses(stray) };
}

const command = (words: string) => ["sh", "-c", words, "%s"];
const limits = { timeout: 30 * SECOND, concurrency: 4 };
const nft = {
  command: ["ip", "netns", "exec", NAMESPACE, "nft"],
  timeout: 30 * SECOND,
  clock: runningClock(),
};
const FIREWALLS: Record<string, { make: () => Firewall; ignore?: boolean }> = {
  observe: { make: () => new ObserveFirewall() },
  command: {
    make: () => new CommandFirewall({ ban: command("exit 0"), unban: command("exit 0"), ...limits }),
  },
  nftables: { make: () => new NftablesFirewall(nft), ignore: !hasNft() },
};
globalThis.addEventListener("unload", () => ip("netns", "del", NAMESPACE));

for (const [name, { make, ignore = false }] of Object.entries(FIREWALLS)) {
  const promise = (what: string, fn: (firewall: Firewall) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${what}${ignore ? " (needs nft in a namespace)" : ""}`,
      ignore,
      fn: () => fn(make()),
    });
  const done = ADDRESSES.map((address) => ({ address, error: null }));

  promise(
    "bans and lifts, also what is banned or lifted already, and answers for each address in order",
    async (firewall) => {
      for (const act of [firewall.ban, firewall.ban, firewall.unban, firewall.unban]) {
        assert.deepEqual(await act.call(firewall, bans(), NEVER), done);
      }
    },
  );

  promise("takes as many as it says, and none at all", async (firewall) => {
    assert.ok(firewall.batch >= 1 && firewall.parallel >= 1 && firewall.name !== "");
    assert.deepEqual(await firewall.ban([], NEVER), []);
    assert.deepEqual(await firewall.unban([], NEVER), []);
  });

  promise("does not throw when it is stopped, and answers for each address", async (firewall) => {
    const { parallel } = firewall;
    const outcomes = await firewall.ban(bans(), AbortSignal.abort());
    await eventually(() => firewall.parallel === parallel);
    assert.deepEqual(outcomes.map(({ address }) => address), ADDRESSES);
  });

  promise("tells what it has, or that it cannot", async (firewall) => {
    await firewall.ban(bans().slice(1), NEVER);
    const found = await firewall.inspect(bans(), NEVER);
    if (found !== null) assert.deepEqual(addressesOf(found), { missing: ADDRESSES.slice(0, 1), stray: [] });
    assert.equal(found !== null, firewall.keepsTime, "only who is asked again can keep time");
  });

  promise("lifts everything, or says why it cannot", async (firewall) => {
    await firewall.ban(bans(), NEVER);
    const why = await firewall.clear(NEVER);
    const found = await firewall.inspect(bans(), NEVER);
    if (found !== null) assert.deepEqual([why, addressesOf(found).missing], [null, ADDRESSES]);
    else assert.ok(why === null || why.length > 0);
  });
}
