import { strict as assert } from "node:assert";
import { parseScope } from "../../lib/core/scope.ts";
import { placeOf, readSetName, secondsLeft } from "../../lib/firewall/nft_script.ts";
import { scopeOf } from "../support/helpers.ts";
import { nftBan, NOW } from "../support/nft_bans.ts";

Deno.test("`placeOf()` lets nothing into nft's text but canonical addresses and known scopes", () => {
  assert.deepEqual(placeOf(nftBan("10.0.0.0/8", null, "tcp 22,8000-8010")), {
    set: "ip_8.tcp_22_8000-8010",
    element: "10.0.0.0",
  });
  assert.deepEqual(placeOf(nftBan("2001:db8::1")), { set: "ip6_128", element: "2001:db8::1" });
  const hostile = [
    "1.2.3.4 }\nflush ruleset",
    "1.2.3.4;",
    "::1 ",
    "10.0.0.1/8",
    "",
    "@x",
    "0x7f.1",
    "1.2.3.4/32",
  ];
  for (const address of hostile) assert.equal(placeOf(nftBan(address)), null, address);
  for (const scope of ["", "tcp 22 }", "tcp 22;", "icmp", "all\n", "tcp 22,"]) {
    assert.equal(parseScope(scope), null, scope);
  }
  const odd = Array.from({ length: 200 }, (_, i) => 2 * i + 1);
  assert.equal(placeOf(nftBan("1.2.3.4", null, `tcp ${odd}`)), null);
});

Deno.test("`readSetName()` reads what `placeOf()` names, and nothing else", () => {
  for (const scope of ["all", "udp", "tcp 22", "tcp 22,8000-8010"]) {
    const { set } = placeOf(nftBan("10.1.0.0/16", null, scope))!;
    assert.deepEqual(readSetName(set), { family: "ip", length: 16, scope: scopeOf(scope) });
  }
  for (const name of ["ip_33", "ip6_129", "x", "ip_8.icmp", "ip_8.tcp_"]) {
    assert.equal(readSetName(name), null, name);
  }
});

Deno.test("`secondsLeft()` rounds up, ends in the past are 0", () => {
  assert.equal(secondsLeft(null, NOW), null);
  assert.equal(secondsLeft(NOW + 1, NOW), 1);
  assert.equal(secondsLeft(NOW - 1, NOW), 0);
});
