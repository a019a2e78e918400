import { strict as assert } from "node:assert";
import { coversScope, formatScope, isSameScope, parseScope } from "../../lib/core/scope.ts";

Deno.test("`parseScope()` reads what `formatScope()` writes, sorts ports and joins those that touch", () => {
  for (const text of ["all", "tcp", "udp", "tcp 22", "tcp 22,80,8000-8010", "udp 0-65535", "module NGINX"]) {
    assert.equal(formatScope(parseScope(text)!), text);
  }
  const spellings = { "tcp 80,22": "tcp 22,80", "udp 5,1-4,7-9,8-20": "udp 1-5,7-20", "tcp 22,22": "tcp 22" };
  for (const [text, canonical] of Object.entries(spellings)) {
    assert.equal(formatScope(parseScope(text)!), canonical);
    assert.ok(isSameScope(parseScope(text)!, parseScope(canonical)!));
  }
});

Deno.test("`parseScope()` refuses everything else", () => {
  for (
    const text of [
      "",
      "icmp",
      "tcp ",
      "tcp 22,",
      "tcp 22 }",
      "tcp 9-5",
      "tcp 65536",
      "all\n",
      "ALL",
      "tcp 1,,2",
      "module ",
      "module a b",
    ]
  ) {
    assert.equal(parseScope(text), null, JSON.stringify(text));
  }
});

Deno.test("`coversScope()` tells whether one scope cuts off all that another does", () => {
  const wide = ["all", "tcp", "tcp 20-30", "tcp 22,80"];
  const covered: Record<string, readonly string[]> = {
    "all": ["all"],
    "tcp": ["all", "tcp"],
    "tcp 22": ["all", "tcp", "tcp 20-30", "tcp 22,80"],
    "tcp 22,80": ["all", "tcp", "tcp 22,80"],
    "tcp 29-31": ["all", "tcp"],
    "udp 22": ["all"],
  };
  for (const [narrow, by] of Object.entries(covered)) {
    const found = wide.filter((text) => coversScope(parseScope(text)!, parseScope(narrow)!));
    assert.deepEqual(found, by, narrow);
  }
});

Deno.test("`coversScope()` tells packets and what comes through a proxy to a module apart", () => {
  const covers = (wide: string, narrow: string) => coversScope(parseScope(wide)!, parseScope(narrow)!);
  assert.ok(covers("module NGINX", "module NGINX"));
  for (const other of ["all", "tcp", "module SSHD"]) {
    assert.ok(!covers(other, "module NGINX") && !covers("module NGINX", other), other);
  }
});
