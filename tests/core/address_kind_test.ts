import { strict as assert } from "node:assert";
import { canonicalAddress, canonicalNetwork } from "../../lib/core/address.ts";
import { NetworkSet } from "../../lib/core/network_set.ts";
import { clientBitsOf, clientIPv4, isOfStrangers, NOBODYS } from "../../lib/core/address_kind.ts";

/** Addresses, the bits by which they name one client, and the IPv4 address of that client. */
const CASES: readonly (readonly [address: string, bits: number, inside: string | null])[] = [
  ["198.51.100.1", 0, null],
  ["2001:db8::1", 0, null],
  ["2001:1::1", 0, null],
  ["2003::1", 0, null],
  ["100::1", 0, null],
  // NAT64, by the well-known prefix and by that for local use.
  ["64:ff9b::198.51.100.1", 128, "198.51.100.1"],
  ["64:ff9b:1::198.51.100.1", 128, null],
  ["64:ff9b:1:c633:64:100::", 128, null],
  // IPv4-translated, and what is left of ::/96 beside the old ::a.b.c.d.
  ["::ffff:0:198.51.100.1", 128, "198.51.100.1"],
  ["::7", 128, null],
  // Teredo: a server, flags, a port, a client.
  ["2001:0:c633:6401:8000:63bf:3fff:fdd2", 128, null],
  // 6to4.
  ["2002:c633:6401::1", 48, "198.51.100.1"],
  ["2002:c633:6401:7::/64", 48, "198.51.100.1"],
  ["2002:c600::/24", 48, null],
  // ISATAP, which anybody with a subnet may imitate.
  ["2001:db8::200:5efe:198.51.100.1", 0, null],
  ["2001:db8::5efe:10.0.0.1", 0, null],
];

Deno.test("`clientBitsOf()` and `clientIPv4()` know IPv6 addresses that hold an IPv4 address", () => {
  for (const [text, bits, inside] of CASES) {
    const address = text.includes("/") ? text : canonicalAddress(text)!;
    assert.equal(clientBitsOf(address), bits, text);
    assert.equal(clientIPv4(address), inside, text);
  }
});

Deno.test("`isOfStrangers()` tells networks of clients from everywhere from those of one site", () => {
  const shortest = (address: string) =>
    Array.from({ length: 128 }, (_, length) => length).filter((length) => !isOfStrangers(address, length));
  for (const address of ["2001:db8::1", "2001:db8::5efe:a00:1"]) {
    assert.equal(shortest(address).length, 128, address);
  }
  assert.deepEqual(shortest("64:ff9b::c633:6401"), []);
  assert.deepEqual(shortest("2001:0:c633:6401:8000:63bf:3fff:fdd2"), []);
  for (const address of ["2002:c633:6401::1", "2002:c633:6401::5efe:a00:1", "2002:c633:6401::/48"]) {
    assert.deepEqual(shortest(address), Array.from({ length: 80 }, (_, i) => 48 + i), address);
  }
});

Deno.test("`NOBODYS` holds canonical networks and leaves out whoever can be a client", () => {
  const all = Object.values(NOBODYS).flat();
  for (const network of all) assert.equal(canonicalNetwork(network), network);
  const set = new NetworkSet(all);
  const clients = ["1.0.0.1", "10.0.0.1", "100.64.0.1", "169.253.0.1", "223.255.255.255", "255.255.255.254"];
  for (const address of [...clients, "2001:db8::1", "fd00::1", "fec0::1", "64:ff9b::101:101", "::2"]) {
    assert.ok(!set.covers(address), address);
  }
});
