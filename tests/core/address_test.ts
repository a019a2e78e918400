import { strict as assert } from "node:assert";
import { beginningOf, beginningsOf, canonicalAddress, canonicalNetwork } from "../../lib/core/address.ts";

const ADDRESSES: readonly [string, string | null][] = [
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0"],
  ["255.255.255.255", "255.255.255.255"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["::FFFF:c000:0201", "192.0.2.1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8::1%eth0", "2001:db8::1"],
  ["fe80::1%enp3s0", "fe80::1"],
  ["192.0.2.1%lo", "192.0.2.1"],
  ["::", "::"],
  ["192.0.2.01", null],
  ["::ffff:192.0.2.01", null],
  ["256.0.2.1", null],
  ["192.0.2", null],
  ["192.0.2.1.", null],
  ["192.0.2.1.5", null],
  ["0x7f.0.0.1", null],
  ["3221225985", null],
  ["2001:db8:::1", null],
  ["12345::", null],
  ["%eth0", null],
  ["example.com", null],
  ["192.0.2.1\n", null],
  ["", null],
];

Deno.test("`canonicalAddress()` gives every address one spelling and refuses all else", () => {
  for (const [text, expected] of ADDRESSES) {
    assert.equal(canonicalAddress(text), expected, JSON.stringify(text));
  }
});

const NETWORKS: readonly [string, string | null][] = [
  ["10.1.2.3/8", "10.0.0.0/8"],
  ["192.0.2.77/25", "192.0.2.0/25"],
  ["192.0.2.1/32", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:db8:1:2::5/48", "2001:db8:1::/48"],
  ["2001:db8::1/128", "2001:db8::1"],
  ["::ffff:10.1.0.0/104", "10.0.0.0/8"],
  ["::ffff:10.1.0.0/64", null],
  ["10.0.0.0/33", null],
  ["10.0.0.0/", null],
  ["10.0.0.0/-1", null],
  ["10.0.0.0/8/8", null],
  ["example.com/8", null],
];

Deno.test("`canonicalNetwork()` clears host bits and refuses impossible prefixes", () => {
  for (const [text, expected] of NETWORKS) assert.equal(canonicalNetwork(text), expected, text);
});

Deno.test("`beginningOf()` gives the text that all addresses inside of a network begin with", () => {
  const beginnings: readonly [network: string, beginning: string, inside: readonly string[]][] = [
    ["192.0.2.1", "192.0.2.1", ["192.0.2.1"]],
    ["192.0.2.0/24", "192.0.2.", ["192.0.2.0", "192.0.2.64/26"]],
    ["192.0.0.0/22", "192.0.", ["192.0.3.1"]],
    ["0.0.0.0/0", "", ["8.8.8.8"]],
    ["2001:db8:1::/48", "2001:db8:1:", ["2001:db8:1::", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"]],
    ["2001:db8:1::/47", "2001:db8:", ["2001:db8:1::5"]],
    ["2001:db8::/64", "2001:db8:", ["2001:db8::1", "2001:db8:0:0:1:2:3:4"]],
    ["2001:0:0:1::/64", "2001:", ["2001:0:0:1::1", "2001::1:1:1:1:1"]],
    ["2001:0:1::/48", "2001:", ["2001:0:1::1", "2001:0:1:1:1:1:1:1"]],
    ["64:ff9b::/96", "64:ff9b:", ["64:ff9b::c000:201"]],
    ["::/8", "", ["::1"]],
    ["fc00::/7", "", ["fd00::1"]],
  ];
  for (const [network, beginning, inside] of beginnings) {
    assert.equal(beginningOf(network), beginning, network);
    for (const address of inside) {
      assert.ok(canonicalNetwork(address)!.startsWith(beginning), `${address} in ${network}`);
    }
  }
});

Deno.test("`beginningsOf()` tells addresses inside of a network by the beginnings of their texts", () => {
  const networks: readonly [network: string, texts: readonly string[], areExact: boolean][] = [
    ["192.0.2.0/24", ["192.0.2."], true],
    ["192.0.4.0/22", ["192.0.4.", "192.0.5.", "192.0.6.", "192.0.7."], true],
    ["192.0.2.252/30", ["192.0.2."], false],
    ["254.0.0.0/7", ["254.", "255."], true],
    ["::/0", [""], true],
    ["2001:db8:1::/48", ["2001:db8:1:"], true],
    ["2001:db8:1::/47", ["2001:db8:"], false],
    ["2001:0:1::/48", ["2001:"], false],
  ];
  for (const [network, texts, areExact] of networks) {
    assert.deepEqual(beginningsOf(network), { texts, areExact }, network);
  }
  assert.deepEqual(beginningsOf("0.0.0.0/0").texts.length, 256);
});
