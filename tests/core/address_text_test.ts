import { strict as assert } from "node:assert";
import { AddressReader } from "../../lib/core/address_reader.ts";
import { addressOf } from "../../lib/core/address_text.ts";

function textOf(address: string): string | null {
  const reader = new AddressReader();
  reader.readText(address);
  return addressOf(reader);
}

Deno.test("`addressOf()` writes `::` for the first of the longest zeros, if two parts or more are zero", () => {
  const addresses = [
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["2001:db8:0:0:0:0:0:0", "2001:db8::"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["0:1:1:1:1:1:1:0", "0:1:1:1:1:1:1:0"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
  ] as const;
  for (const [address, text] of addresses) assert.equal(textOf(address), text);
  assert.equal(textOf("nobody"), null);
});

Deno.test("`addressOf()` tells addresses apart that share a place among the remembered ones", () => {
  const addresses = ["192.0.2.1", "198.51.100.1", "2001:db8::1", "2001:db8:1::1", "2001:db9::1:0:1", "::"];
  for (const address of [...addresses, ...addresses, ...addresses.toReversed()]) {
    assert.equal(textOf(address), address);
  }
});
