import { strict as assert } from "node:assert";
import { finish } from "../../lib/core/async.ts";
import { parseListing } from "../../lib/firewall/nft_list.ts";

const OURS = `table inet strongmonitor {
\tset ip_32 {
\t\ttype ipv4_addr
\t\tflags timeout
\t\telements = { 192.0.2.1, 192.0.2.2 timeout 100s expires 99s comment "a, b } {",
\t\t\t     192.0.2.3 timeout 2h expires 1h2m3s4ms }
\t}

\tchain input {
\t\ttype filter hook input priority -10; policy accept;
\t\ticmpv6 type 133-137 accept
\t\tip saddr @ip_32 counter packets 7 bytes 420 drop
\t}

\tchain forward {
\t\ttype filter hook forward priority filter - 10; policy accept;
\t\ticmpv6 type 133-137 accept
\t\tip saddr @ip_32 counter packets 0 bytes 0 drop
\t}
}
`;

Deno.test("`parseListing()` reads our table, and nothing of those around it", () => {
  const other = OURS.replace("strongmonitor", "other").replaceAll("ip_32", "ip_24");
  for (const text of [OURS, `${other}${OURS}${other}`]) {
    const listing = finish(parseListing(text))!;
    assert.deepEqual([listing.sets, listing.chains], [["ip_32"], ["input", "forward"]]);
    assert.deepEqual(listing.elements.map(({ address, expires }) => [address, expires]), [
      ["192.0.2.1", null],
      ["192.0.2.2", 99],
      ["192.0.2.3", 3723],
    ]);
    const { isIntact, isMarked, isSpoiled, foreign } = listing;
    assert.deepEqual([isIntact, isMarked, isSpoiled, foreign], [true, false, false, null]);
  }
  for (const text of ["", other, "nft: what?", OURS.slice(0, -3)]) {
    assert.equal(finish(parseListing(text)), null);
  }
});

Deno.test("`parseListing()` reads a large set in steps, so that a monitor reads lines in between", () => {
  const addresses = Array.from({ length: 20_000 }, (_, n) => `198.18.${n >> 8}.${n & 255}`);
  const steps = parseListing(OURS.replace("192.0.2.1,", `${addresses.join(",\n\t\t\t     ")},`));
  let yields = 0;
  for (;;) {
    const { done, value } = steps.next();
    if (!done) yields++;
    else {
      assert.deepEqual(value!.elements.slice(0, -2).map(({ address }) => address), addresses);
      break;
    }
  }
  assert.ok(yields >= 80, "a step has few lines or elements");
});

Deno.test("`parseListing()` tells what is not right in a table, and what somebody else has made", () => {
  const read = (from: string, to: string) => finish(parseListing(OURS.replace(from, to)))!;
  for (
    const [from, to] of [
      ["-10", "0"],
      ["accept", "drop"],
      ["hook forward", "hook output"],
      ["chain forward", "chain aside"],
      ["@ip_32 counter", "@ip_32 tcp dport 22 counter"],
      ["bytes 420 drop", "bytes 420 accept"],
      ["icmpv6 type 133-137 accept\n\t\t", ""],
      ["\t\tip saddr @ip_32 counter packets 7 bytes 420 drop\n", ""],
    ] as const
  ) {
    assert.equal(read(from, to).isIntact, false, to);
  }
  assert.equal(read("strongmonitor {", "strongmonitor {\n\tflags dormant").isSpoiled, true);
  assert.equal(read("type ipv4_addr", "type inet_service").isSpoiled, true);
  const marked = OURS.replace("{", "{\n\tchain made_by_strongmonitor {\n\t}\n");
  for (
    const [from, to, foreign] of [
      ["set ip_32", "map ports {\n\t}\n\n\tset ip_32", "map ports"],
      ["set ip_32", "set friends", "set friends"],
      ["chain input", "chain mine {\n\t}\n\n\tchain input", "chain mine"],
      ["bytes 420 drop", "bytes 420 drop\n\t\ttcp dport 22 accept", "chain input"],
    ] as const
  ) {
    assert.equal(read(from, to).foreign, foreign);
    assert.equal(finish(parseListing(marked.replace(from, to)))!.foreign, null);
  }
});
