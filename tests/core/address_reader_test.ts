import { strict as assert } from "node:assert";
import { AddressReader } from "../../lib/core/address_reader.ts";
import { addressOf, addressText } from "../../lib/core/address_text.ts";
import { encode } from "../../lib/core/bytes.ts";
import { canonicalAddress, canonicalNetwork, putAddress } from "../../lib/core/address.ts";
import { canonical } from "../model/message_model.ts";
import { Random } from "../support/random.ts";

const reader = new AddressReader();

/** The address that `text` begins with, and the text that it takes. */
function read(text: string): [address: string | null, taken: string] {
  const { bytes } = encode(text + "\n");
  const end = reader.read(bytes, 0, text.length);
  assert.ok(end >= 0 && end <= text.length, text);
  return [addressOf(reader), text.slice(0, end)];
}

const CASES: readonly (readonly [text: string, address: string | null, taken: string])[] = [
  ["192.0.2.1", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.1 port 22", "192.0.2.1", "192.0.2.1"],
  ["0.0.0.0", "0.0.0.0", "0.0.0.0"],
  ["255.255.255.255]", "255.255.255.255", "255.255.255.255"],
  ["192.0.2.1: 11: Bye", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.1:", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.1.", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.1:22", null, "192.0.2.1:22"],
  ["192.0.2.1.5", null, "192.0.2.1.5"],
  ["192.0.2.1a", null, "192.0.2.1a"],
  ["192.0.2.1x", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.1%lo port", "192.0.2.1", "192.0.2.1%lo"],
  ["192.0.2.1% port", "192.0.2.1", "192.0.2.1"],
  ["192.0.2.01", null, "192.0.2.01"],
  ["192.0.2.256", null, "192.0.2.256"],
  ["192.0.2", null, "192.0.2"],
  ["192.0.2.1234", null, "192.0.2.1234"],
  ["00.0.2.1", null, "00.0.2.1"],
  ["2001:DB8::1 port", "2001:db8::1", "2001:DB8::1"],
  ["2001:db8::1: 11: Bye", "2001:db8::1", "2001:db8::1"],
  ["2001:db8::1.", "2001:db8::1", "2001:db8::1"],
  ["2001:db8:: no", "2001:db8::", "2001:db8::"],
  ["2001:db8::: no", "2001:db8::", "2001:db8::"],
  ["fe80::1%eth0.5 port", "fe80::1", "fe80::1%eth0.5"],
  ["::ffff:192.0.2.1 port", "192.0.2.1", "::ffff:192.0.2.1"],
  ["::ffff:192.0.2.1: 11", "192.0.2.1", "::ffff:192.0.2.1"],
  ["::192.0.2.1", "192.0.2.1", "::192.0.2.1"],
  ["::c000:201", "192.0.2.1", "::c000:201"],
  ["::0:5", "::5", "::0:5"],
  ["::ffff:192.0.2.01", null, "::ffff:192.0.2.01"],
  ["64:ff9b::192.0.2.1", "64:ff9b::c000:201", "64:ff9b::192.0.2.1"],
  ["::", "::", "::"],
  ["::1", "::1", "::1"],
  ["1:2:3:4:5:6:7:8:9", null, "1:2:3:4:5:6:7:8:9"],
  ["12345::", null, "12345::"],
  ["example.net", null, "e"],
  ["UNKNOWN", null, ""],
  ["", null, ""],
  [":", null, ":"],
];

Deno.test("`AddressReader.read()` reads an address and tells where its text ends", () => {
  for (const [text, address, taken] of CASES) assert.deepEqual(read(text), [address, taken], text);
});

Deno.test("`AddressReader.read()` looks at nothing behind its range", () => {
  for (const text of ["192.0.2.1", "192.0.2", "2001:db8::1", "fe80::1%e", "::ffff:192.0.2.1"]) {
    for (const behind of ["5", ".7", ":8", "a", "%x"]) {
      const { bytes } = encode(text + behind);
      const end = reader.read(bytes, 0, text.length);
      assert.equal(end, text.length, text + behind);
      assert.equal(addressOf(reader), canonicalAddress(text), text + behind);
    }
  }
});

Deno.test("`AddressReader` tells IPv6 from IPv4 mapped into it", () => {
  for (const [text, isIPv6] of [["192.0.2.1", false], ["::ffff:c000:201", false], ["::1", true]] as const) {
    assert.ok(reader.readText(text));
    assert.equal(reader.isIPv6, isIPv6, text);
  }
  assert.equal(reader.readText("x"), false);
  assert.equal(reader.isIPv6, false);
});

/** A text that is nearly an address. */
function nearlyAddress(random: Random): string {
  const octet = () => String(random.pick([0, 1, 7, 10, 99, 192, 255, 256, 999, random.below(256)]));
  const quad = () => random.times(random.pick([4, 4, 4, 4, 3, 5]), octet).join(".");
  const group = () => random.below(random.pick([2, 0x10, 0x10000, 0x10000, 0x100000])).toString(16);
  const ipv6 = () => {
    const parts = random.times(random.pick([8, 8, 7, 6, random.below(10)]), group);
    if (random.below(2) === 0) parts.splice(random.below(parts.length + 1), random.below(5), "");
    const last = random.below(4) === 0 ? [quad()] : [];
    const text = [...parts, ...last].join(":");
    return random.pick(["", "", "", ":", "::", "::ffff:"]) + text + random.pick(["", "", "", ":", "::"]);
  };
  const text = random.pick([quad, ipv6, ipv6])();
  const zone = random.pick(["", "", "", "", "%eth0", "%", "%é"]);
  return (random.below(10) === 0 ? random.damage(text, "::ffff:192.0.2.1") : text) + zone;
}

Deno.test("`AddressReader.readText()` and `canonicalAddress()` take the addresses that Node.js and ipaddr.js take", () => {
  const random = new Random(11);
  let found = 0;
  for (let i = 0; i < 200_000; i++) {
    const text = nearlyAddress(random);
    const expected = canonical(text);
    assert.equal(canonicalAddress(text), expected, text);
    assert.equal(reader.readText(text), expected !== null, text);
    assert.equal(addressOf(reader), expected, text);
    if (expected === null) continue;
    found++;
    const words = new Int32Array(4);
    putAddress(expected, words);
    assert.deepEqual([reader.w0, reader.w1, reader.w2, reader.w3], [...words], text);
    assert.equal(reader.isIPv6, expected.includes(":"), text);
    // What stands behind it, if it cannot be part of it, changes nothing.
    const bare = text.split("%")[0]!;
    assert.deepEqual(read(bare + random.pick([" x", "]", ", ", "-", "", "/"])), [expected, bare]);
  }
  assert.ok(found > 20_000, `${found} addresses`);
});

Deno.test("`addressText()` writes networks as `canonicalNetwork()` does", () => {
  const random = new Random(12);
  const words = new Int32Array(6);
  for (let i = 0; i < 20_000; i++) {
    const parts = random.times(8, () => random.pick([0, 0, 0, 1, random.below(0x10000)]).toString(16));
    const isIPv6 = random.below(2) === 0;
    // The old ::a.b.c.d is IPv4.
    if (parts.slice(0, 6).every((part) => part === "0")) parts[0] = "1";
    const address = isIPv6 ? parts.join(":") : random.times(4, () => random.below(256)).join(".");
    const network = canonicalNetwork(`${address}/${1 + random.below(isIPv6 ? 128 : 32)}`)!;
    const own = new Int32Array(4);
    const prefix = putAddress(network, own);
    words.set(own, 2);
    assert.equal(addressText(words, 2, prefix), network);
  }
});
