import { strict as assert } from "node:assert";
import { SECOND } from "../lib/core/time.ts";
import { isTrusted, Reader, textEntry } from "../lib/reader.ts";
import type { Entry } from "../lib/core/entry.ts";
import type { Module } from "../lib/reading/module.ts";
import type { ModuleRules } from "../lib/rules/rule.ts";
import type { Stamp } from "../lib/core/timestamp.ts";

const NOW = Date.UTC(2026, 5, 1) * 1_000;

/** A service that says `NAME ADDRESS`, perhaps behind a time in UTC such as `@12 `, in seconds of the 1st of June. */
function service(name: string, origin: Partial<Module>): ModuleRules {
  const parse = (message: string) => {
    const match = new RegExp(`^(?:@(\\d+) )?${name} (\\S+)$`).exec(message);
    if (!match) return null;
    const stamp = match[1] === undefined ? {} : { stamp: second(Number(match[1])) };
    return { address: match[2]!, fields: {}, ...stamp };
  };
  return {
    module: { name, identifiers: [], units: [], files: [], parse, ...origin },
    noLog: [],
    record: "all",
    rules: [],
  };
}

function second(second: number): Stamp {
  return { year: 2026, month: 5, day: 31, hour: 0, minute: 0, second, fraction: 0, offset: 0 };
}

const A = service("a", { identifiers: ["aa", "shared"] });
const B = service("b", { identifiers: ["bb", "shared"], units: ["b.service"] });
const C = service("c", { units: ["c.service", "c@.service"] });

function entry(over: Partial<Entry>): Entry {
  return { time: NOW, identifier: "aa", pid: 1, message: "", sender: { uid: 0, unit: "" }, ...over };
}

Deno.test("`Reader.read()` gives an entry to the module of its program or unit, and to nobody otherwise", () => {
  const reader = new Reader([A, B, C]);
  const inC = { uid: 9, unit: "c@7.service" };
  const cases: readonly [Partial<Entry>, string | null, string | null][] = [
    [{ identifier: "aa", message: "a 192.0.2.1" }, "a", "192.0.2.1"],
    [{ identifier: "aa", message: "b 192.0.2.1" }, "a", null],
    [{ identifier: "shared", message: "b 192.0.2.1" }, "b", "192.0.2.1"],
    [{ identifier: "shared", message: "x" }, "a", null],
    [{ identifier: "x", message: "c 192.0.2.1", sender: inC }, "c", "192.0.2.1"],
    [{ identifier: "x", message: "c 192.0.2.1", sender: { uid: 9, unit: "d.service" } }, null, null],
    [{ identifier: "x", message: "a 192.0.2.1" }, null, null],
  ];
  for (const [over, name, address] of cases) {
    const reading = reader.read(entry(over), NOW);
    assert.equal(reading?.rules.module.name ?? null, name, JSON.stringify(over));
    assert.equal(reading?.parsed?.address ?? null, address, JSON.stringify(over));
  }
});

Deno.test("`Reader.read()` takes a line of text as it stands, or without what syslog put before it", () => {
  const reader = new Reader([A, B]);
  const cases: readonly [line: string, name: string | null, message: string | null][] = [
    ["a 192.0.2.1", "a", "a 192.0.2.1"],
    ["b 192.0.2.1", "b", "b 192.0.2.1"],
    ["May 31 00:00:01 host aa[7]: a 192.0.2.1", "a", "a 192.0.2.1"],
    ["May 31 00:00:01 host bb: b 192.0.2.1", "b", "b 192.0.2.1"],
    ["May 31 00:00:01 host aa[7]: b 192.0.2.1", "a", "b 192.0.2.1"],
    ["May 31 00:00:01 host cron[7]: a 192.0.2.1", null, null],
  ];
  for (const [line, name, message] of cases) {
    const reading = reader.read(textEntry(line, NOW), NOW);
    assert.equal(reading?.rules.module.name ?? null, name, line);
    assert.equal(reading?.message ?? null, message, line);
    assert.equal(reading?.trusted ?? true, true, line);
  }
});

Deno.test("`Reader.read()` lets a module without programs of its own read what any program writes to a file", () => {
  const reader = new Reader([C]);
  const line = "May 31 00:00:01 host whoever[7]: c 192.0.2.1";
  assert.equal(reader.read(textEntry(line, NOW), NOW)?.parsed?.address, "192.0.2.1");
});

Deno.test("`Reader.read()` tells a line's own time: the message's, that before it, or when it was read", () => {
  const reader = new Reader([A]);
  const midnight = Date.UTC(2026, 4, 31) * 1_000;
  const cases: readonly [line: string, time: number][] = [
    ["@12 a 192.0.2.1", midnight + 12 * SECOND],
    ["2026-05-31T00:00:05Z host aa: a 192.0.2.1", midnight + 5 * SECOND],
    ["2026-05-31T00:00:05Z host aa: @12 a 192.0.2.1", midnight + 12 * SECOND],
    ["a 192.0.2.1", NOW - 7],
  ];
  for (const [line, time] of cases) {
    assert.equal(reader.read(textEntry(line, NOW - 7), NOW)?.time, time, line);
    if (time !== NOW - 7) assert.equal(reader.timeOf(line, NOW), time, line);
  }
  assert.equal(reader.timeOf("a 192.0.2.1", NOW), null);
});

Deno.test("`isTrusted()` believes root, the service's units and sources that cannot tell, and nobody else", () => {
  const units = ["toy.service", "toy@.service"];
  const cases: readonly [Entry["sender"], boolean][] = [
    [null, true],
    [{ uid: 0, unit: "cron.service" }, true],
    [{ uid: 33, unit: "toy.service" }, true],
    [{ uid: 33, unit: "toy@1-10.0.0.1.service" }, true],
    [{ uid: 33, unit: "toys.service" }, false],
    [{ uid: 33, unit: "" }, false],
    [{ uid: null, unit: "session-1.scope" }, false],
  ];
  for (const [sender, trusted] of cases) {
    assert.equal(isTrusted(entry({ sender }), { units }), trusted, JSON.stringify(sender));
  }
});
