import { strict as assert } from "node:assert";
import { Whitelist } from "../../lib/deciding/whitelist.ts";

Deno.test("`Whitelist.covering()` says who whitelists an address, and loopback always", () => {
  const whitelist = new Whitelist();
  whitelist.set("configuration", ["198.51.100.0/24"]);
  assert.equal(whitelist.covering("198.51.100.9"), "configuration");
  assert.equal(whitelist.covering("198.51.0.0/16"), "configuration");
  assert.equal(whitelist.covering("127.8.8.8"), "loopback");
  assert.equal(whitelist.covering("::1"), "loopback");
  assert.equal(whitelist.covering("203.0.113.1"), null);
  whitelist.set("configuration", []);
  assert.equal(whitelist.covering("198.51.100.9"), null);
});

Deno.test("`Whitelist.covering()` spares kinds of addresses that are nobody's, and networks around them", () => {
  const whitelist = new Whitelist();
  const kinds = {
    "link-local": ["fe80::1", "fe80::/64", "febf::1", "169.254.169.254", "169.0.0.0/8"],
    "multicast": ["224.0.0.251", "ff02::1", "239.255.255.250"],
    "broadcast": ["255.255.255.255"],
    "unspecified": ["0.0.0.0", "::"],
  };
  for (const [kind, addresses] of Object.entries(kinds)) {
    for (const address of addresses) assert.equal(whitelist.covering(address), kind, address);
  }
});

Deno.test("`Whitelist.covering()` spares a whitelisted IPv4 address behind NAT64 and 6to4", () => {
  const whitelist = new Whitelist();
  whitelist.set("configuration", ["198.51.100.0/24"]);
  assert.equal(whitelist.covering("64:ff9b::c633:6409"), "configuration");
  assert.equal(whitelist.covering("2002:c633:6409::/48"), "configuration");
  assert.equal(whitelist.covering("64:ff9b::c633:6509"), null);
  // Who sends by ISATAP or Teredo chooses the address inside.
  assert.equal(whitelist.covering("2001:db8::5efe:c633:6409"), null);
  assert.equal(whitelist.covering("2001:0:c000:201:0:ffff:39cc:9bf6"), null);
});
