import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Networks, type NetworkStep } from "../../lib/deciding/networks.ts";
import { STEADY } from "../support/helpers.ts";

const step = (over: Partial<NetworkStep> = {}): NetworkStep => ({
  ipv4: 24,
  ipv6: 48,
  limit: 2,
  window: 60 * SECOND,
  banTime: null,
  growth: STEADY,
  ...over,
});

const tripsOf = (networks: Networks, addresses: readonly string[], second = 0) =>
  addresses.map((address, i) => {
    const trip = networks.add({ address, start: (second + i) * SECOND });
    return trip && `${trip.network} ${trip.count}`;
  });

Deno.test("`Networks.add()` names a network with more banned members than a step allows, each counted once", () => {
  const networks = new Networks([step()]);
  const addresses = [
    "192.0.2.1",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.3.1",
    "192.0.2.2",
    "192.0.2.3",
    "192.0.2.4",
  ];
  assert.deepEqual(tripsOf(networks, addresses), [null, null, null, null, null, "192.0.2.0/24 3", null]);
  assert.deepEqual(tripsOf(networks, ["2001:db8::/64", "2001:db8:0:1::/64", "2001:db8:0:2::"]), [
    null,
    null,
    "2001:db8::/48 3",
  ]);
});

Deno.test("`Networks.add()` counts banned networks for the next step, and members from their last ban on", () => {
  const networks = new Networks([step(), step({ ipv4: 16, limit: 1 })]);
  assert.deepEqual(tripsOf(networks, ["192.0.2.0/24", "192.0.3.0/24"]), [null, "192.0.0.0/16 2"]);
  assert.deepEqual(tripsOf(networks, ["192.0.2.1"], 0), [null]);
  assert.deepEqual(tripsOf(networks, ["192.0.2.1", "192.0.2.2"], 50), [null, null]);
  assert.deepEqual(tripsOf(networks, ["192.0.2.3"], 100), ["192.0.2.0/24 3"]);
});

Deno.test("`Networks.forget()` counts a network from nothing again, and `sweep()` forgets the silent ones", () => {
  const networks = new Networks([step()]);
  tripsOf(networks, ["192.0.2.1", "192.0.2.2"]);
  networks.forget("192.0.2.0/24");
  assert.deepEqual(tripsOf(networks, ["192.0.2.3", "192.0.2.4"]), [null, null]);
  networks.sweep(1_000 * SECOND);
  assert.deepEqual(tripsOf(networks, ["192.0.2.5"], 3), [null]);
});

Deno.test("`Networks.add()` names no network of clients from everywhere", () => {
  const networks = new Networks([step({ ipv6: 32, limit: 1 }), step({ ipv6: 64, limit: 1 })]);
  const subnets = new Networks([step({ ipv6: 64, limit: 1 })]);
  const last = [1, 2, 3, 4].map((n) => `c633:640${n}`);
  const kinds = ["64:ff9b::", "64:ff9b:1::", "2001:0:c000:201:0:ffff:", "::ffff:0:"];
  for (const kind of kinds) {
    assert.deepEqual(tripsOf(networks, last.map((n) => kind + n)), last.map(() => null), kind);
  }
  // ISATAP is counted as others are: whoever has a /64 may give himself such addresses.
  const hosts = last.map((n) => `2001:db8::5efe:${n}`);
  assert.deepEqual(tripsOf(subnets, hosts), [null, "2001:db8::/64 2", null, "2001:db8::/64 2"]);
  assert.deepEqual(tripsOf(networks, hosts), [null, "2001:db8::/32 2", null, "2001:db8::/32 2"]);
  assert.deepEqual(tripsOf(networks, last.map((n) => `2002:${n}::/48`)), last.map(() => null));
});
