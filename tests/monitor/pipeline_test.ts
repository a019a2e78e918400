import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { Pipeline } from "../../lib/monitor/pipeline.ts";
import { Totals } from "../../lib/monitor/totals.ts";
import { type Decision, NO_DECISION } from "../../lib/deciding/decider.ts";
import { supervise } from "../../lib/core/supervise.ts";
import type { Records } from "../../lib/core/records.ts";
import type { LogEvent } from "../../lib/reading/event.ts";
import type { Module } from "../../lib/reading/module.ts";
import { TextForm } from "../../lib/reading/text_reader.ts";
import { hitsOf, MemoryState, spentIn } from "../support/memory_state.ts";
import { type Entry, linesAt, recordsOf } from "../support/records.ts";
import type { ModuleRules, Trip } from "../../lib/rules/rule.ts";
import { load } from "../support/configs.ts";
import { condition, memoryLog, NO_LOGINS, rule, temporaryState } from "../support/helpers.ts";

const NOW = 10_000 * SECOND;

/** A service that says `bad ADDRESS`, breaks on `break`, and runs in `toy.service`. */
const toy: Module = {
  name: "TOY",
  identifiers: ["toyd"],
  units: ["toy.service"],
  files: [],
  form: new TextForm({
    fields: [],
    parse(message) {
      if (message.startsWith("break")) throw new Error("broken");
      const address = /^bad (\S+)/.exec(message)?.[1];
      return address ? { address, fields: {} } : null;
    },
  }),
};

const RULES: ModuleRules = {
  module: toy,
  noLog: ["bad 192.0.2.9"],
  trustedProxies: [],
  record: "all",
  rules: [rule({ name: "bad", condition: condition({ texts: ["bad"] }) })],
};

const OTHER: ModuleRules = {
  module: {
    ...toy,
    name: "OTHER",
    identifiers: ["otherd"],
    form: new TextForm({ fields: [], parse: () => ({ address: "192.0.2.2", fields: {} }) }),
  },
  noLog: [],
  trustedProxies: [],
  record: "all",
  rules: [],
};
const MODULES = [RULES, OTHER];

function entry(message: string, over: Partial<Entry> = {}): Entry {
  return {
    time: 9_000 * SECOND,
    identifier: "toyd",
    pid: 1,
    message,
    sender: { uid: 0, unit: "toy.service" },
    ...over,
  };
}

const judge = {
  decide: (trips: readonly Trip[]) => ({
    ...NO_DECISION,
    bans: trips.map(({ address, reason, count, time }) => ({
      address,
      reason,
      scope: "all" as const,
      provenance: { kind: "rule" as const, name: "" },
      count,
      start: time,
      until: null,
    })),
  }),
  note() {},
  takeLogins: () => NO_LOGINS,
  reset() {},
};

function run(
  pipeline: Pipeline,
  messages: readonly (string | Entry)[],
  { position = "p", modules = [RULES] as readonly ModuleRules[] } = {},
) {
  const entries = messages.map((message) => typeof message === "string" ? entry(message) : message);
  const feed = { name: "test", reader: pipeline.readers.of(modules) };
  pipeline.process({ records: recordsOf(entries), position, damaged: 0 }, feed, NOW);
}

Deno.test("`Pipeline.process()` writes lines, hits, bans and position of a batch together", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  run(pipeline, ["bad 192.0.2.1", "fine", "bad 192.0.2.1", "bad 192.0.2.9", "bad 192.0.2.1"], {
    position: "p5",
  });
  const [record] = state.records;
  assert.equal(record!.position, "p5");
  assert.equal(record!.events.length, 3, "one line is under no_log, one names nobody");
  assert.deepEqual(
    hitsOf(record!.notes),
    ["192.0.2.9"],
    "the ban used the others up",
  );
  assert.equal(pipeline.throughput.counts.hits, 4);
  assert.deepEqual(record!.bans.map(({ address, reason, count }) => [address, reason, count]), [[
    "192.0.2.1",
    "[TOY] bad",
    3,
  ]]);
});

Deno.test("`Pipeline.process()` tells `--verbose` of trips, and of each commit that stores something", () => {
  const log = memoryLog();
  const pipeline = new Pipeline([RULES], { state: new MemoryState(), judge, log });
  run(pipeline, ["bad 192.0.2.1", "bad 192.0.2.1", "bad 192.0.2.1"], { position: "p3" });
  assert.deepEqual(log.details, [
    "192.0.2.1 passed the limit of [TOY] bad with 3 hits",
    "committed 3 lines of test: 3 recorded, 3 hits, 1 ban; position p3",
  ]);
  assert.deepEqual(log.lines, []);
  run(pipeline, ["committed 3 lines of test"], { position: "p4" });
  assert.equal(log.details.length, 2, "a log that takes up these lines must not make more of them");
});

Deno.test("`Pipeline.process()` counts no line as recorded for which the state has no room", () => {
  const log = memoryLog();
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log });
  state.hasRoom = false;
  run(pipeline, ["bad 192.0.2.1", "bad 192.0.2.2"]);
  assert.deepEqual([pipeline.throughput.counts.recorded, pipeline.throughput.counts.hits], [0, 2]);
  assert.match(log.details.join(), /: 0 recorded, 2 hits/);
  state.hasRoom = true;
  run(pipeline, ["bad 192.0.2.1"]);
  assert.equal(pipeline.throughput.counts.recorded, 1);
});

Deno.test("`Pipeline.process()` warns of messages that journald dropped, once they are committed", () => {
  const log = memoryLog();
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log });
  const said = {
    ...entry("Suppressed 1234 messages from toy.service"),
    identifier: "systemd-journald",
    sender: { uid: 0, unit: "" },
  };
  state.broken = true;
  assert.throws(() => run(pipeline, [said]), /disk full/);
  assert.deepEqual([log.lines, pipeline.throughput.counts.suppressed], [[], 0]);
  state.broken = false;
  run(pipeline, [said]);
  assert.equal(pipeline.throughput.counts.suppressed, 1_234);
  assert.match(log.lines.join(), /journald dropped 1234 messages of toy\.service/);
});

Deno.test("`Pipeline.process()` counts nothing twice when a batch is read again after it could not be written", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  state.broken = true;
  const forged = { sender: { uid: 1000, unit: "session-3.scope" }, time: 2 * NOW };
  const messages = ["bad 192.0.2.1", "bad 192.0.2.1", "fine", entry("bad 192.0.2.1", forged)];
  for (let i = 0; i < 2; i++) assert.throws(() => run(pipeline, messages), /disk full/);
  assert.deepEqual(new Set(Object.values(pipeline.throughput.counts)), new Set([0]));
  assert.deepEqual(pipeline.activity.totals().map(({ lines }) => lines), [0]);
  state.broken = false;
  run(pipeline, messages);
  assert.equal(state.records[0]!.bans.length, 0);
  const { entries, unknown, untrusted, ahead } = pipeline.throughput.counts;
  assert.deepEqual({ entries, unknown, untrusted, ahead }, {
    entries: 4,
    unknown: 1,
    untrusted: 1,
    ahead: 1,
  });
  assert.deepEqual(pipeline.activity.totals().map(({ lines, understood }) => [lines, understood]), [[4, 3]]);
});

/** Has a source bring messages, of which more follow unless told otherwise. */
function bringer(pipeline: Pipeline) {
  const reader = pipeline.readers.of([RULES]);
  return (name: string, position: string, { messages = ["bad 192.0.2.1"], isMore = true } = {}) => {
    const records = recordsOf(messages.map((message) => entry(message)));
    return pipeline.process({ records, position, damaged: 0, isMore }, { name, reader }, NOW);
  };
}

Deno.test("`Pipeline.process()` tells the watch for leaks of lines of the present, and of older ones that tell their time", () => {
  const seen: number[] = [];
  const leaks = { see: (event: LogEvent) => void seen.push(event.time), keepSeen() {}, dropSeen() {} };
  const pipeline = new Pipeline([RULES], { state: new MemoryState(), judge, log: memoryLog(), leaks });
  const feed = { name: "file", reader: pipeline.readers.of([RULES]) };
  const bring = (records: Records, isMore: boolean) => {
    pipeline.process({ records, position: "", damaged: 0, isMore }, feed, NOW);
    return seen.splice(0);
  };
  const dated = "1970-01-01T02:00:00+00:00 web toyd[7]: bad 192.0.2.1";
  assert.deepEqual(bring(linesAt(NOW, "bad 192.0.2.1", dated), true), [7_200 * SECOND]);
  assert.deepEqual(bring(linesAt(NOW, "bad 192.0.2.1", dated), false), [NOW, 7_200 * SECOND]);
  assert.deepEqual(bring(recordsOf([entry("bad 192.0.2.1")]), true), [9_000 * SECOND]);
});

Deno.test("`Pipeline.process()` has the watch for leaks count no line before its commit, and drop those of one that failed", () => {
  const state = new MemoryState();
  let [read, kept] = [0, 0];
  const leaks = {
    see: () => void read++,
    keepSeen: () => void ([read, kept] = [0, kept + read]),
    dropSeen: () => void (read = 0),
  };
  const bring = bringer(new Pipeline([RULES], { state, judge, log: memoryLog(), leaks }));
  bring("journal", "p1");
  assert.deepEqual([read, kept], [1, 0]);
  state.broken = true;
  assert.throws(() => bring("journal", "p2", { isMore: false }), /disk full/);
  assert.deepEqual([read, kept], [0, 0]);
  state.broken = false;
  bring("journal", "p1");
  bring("journal", "p2", { isMore: false });
  assert.deepEqual([read, kept], [0, 2]);
});

Deno.test("`Pipeline.process()` stores the batches of a flood together, and enforces their bans only then", () => {
  const state = new MemoryState();
  let enforced = 0;
  const enforce = ({ bans }: Decision) => void (enforced += bans.length);
  const pipeline = new Pipeline([RULES], { state, judge, enforce, log: memoryLog() });
  const bring = bringer(pipeline);
  assert.equal(bring("journal", "p1", { messages: ["bad 192.0.2.1", "bad 192.0.2.1"] }), false);
  assert.equal(bring("journal", "p2", { messages: ["bad 192.0.2.1", "bad 192.0.2.3"] }), false);
  assert.deepEqual([state.records.length, enforced, pipeline.throughput.counts.entries], [0, 0, 0]);
  assert.equal(bring("journal", "p3", { messages: [], isMore: false }), true);
  const [record, ...others] = state.records;
  assert.equal(others.length, 0);
  assert.deepEqual([record!.position, record!.events.length], ["p3", 4]);
  assert.deepEqual(record!.bans.map(({ address, count }) => [address, count]), [["192.0.2.1", 3]]);
  assert.deepEqual(hitsOf(record!.notes), ["192.0.2.3"]);
  assert.deepEqual([enforced, pipeline.throughput.counts.entries, pipeline.throughput.counts.hits], [
    1,
    4,
    4,
  ]);
  bring("journal", "p4", { messages: Array(5_000).fill("bad 192.0.2.9") });
  assert.equal(state.records[1]!.position, "p4", "a flood without an end is stored as it comes");
});

Deno.test("`Pipeline.process()` stores a flood of long lines as soon as they take 4 MiB", () => {
  const state = new MemoryState();
  const bring = bringer(new Pipeline([RULES], { state, judge, log: memoryLog() }));
  const messages = [`bad 192.0.2.1 ${"x".repeat(1 << 17)}`];
  const areStored = Array.from({ length: 64 }, (_, i) => bring("journal", `p${i}`, { messages }));
  assert.deepEqual(areStored.flatMap((isStored, i) => isStored ? [i] : []), [31, 63]);
});

Deno.test("`Pipeline.forget()` drops what a flood has brought of an address and is not stored yet", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  const bring = bringer(pipeline);
  bring("journal", "p1", { messages: Array(4).fill("bad 192.0.2.1") });
  bring("journal", "p2", { messages: ["bad 192.0.2.3"] });
  pipeline.forget(["192.0.2.1"]);
  bring("journal", "p3", { messages: ["bad 192.0.2.1"], isMore: false });
  const [record] = state.records;
  assert.deepEqual(record!.bans, []);
  assert.deepEqual(hitsOf(record!.notes), ["192.0.2.3", "192.0.2.1"]);
  assert.equal(record!.events.length, 6, "what was said is recorded all the same");
});

Deno.test("a source that floods is given up where nothing can be stored", async () => {
  const state = new MemoryState();
  state.broken = true;
  const bring = bringer(new Pipeline([RULES], { state, judge, log: memoryLog() }));
  const read = (progress: () => void) => {
    for (let i = 0;; i++) if (bring("journal", `p${i}`)) progress();
  };
  const following = supervise((progress) => Promise.resolve().then(() => read(progress)), {
    name: "journal",
    signal: new AbortController().signal,
    log: memoryLog(),
    backoff: [1, 1],
  });
  await assert.rejects(following, /disk full/);
});

Deno.test("`Pipeline.process()` counts nothing of a flood that could not be written", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  const bring = bringer(pipeline);
  bring("journal", "p1");
  bring("journal", "p2");
  state.broken = true;
  assert.throws(() => bring("journal", "p3", { isMore: false }), /disk full/);
  state.broken = false;
  bring("journal", "p1");
  bring("journal", "p2", { isMore: false });
  assert.deepEqual(state.records.map(({ position, bans }) => [position, bans.length]), [["p2", 0]]);
});

Deno.test("`Pipeline.process()` stores what another source brought first, in its own name", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  const bring = bringer(pipeline);
  bring("journal", "j1");
  bring("file", "f1", { isMore: false });
  bring("journal", "j2");
  pipeline.finish("file");
  pipeline.finish("journal");
  pipeline.finish("journal");
  assert.deepEqual(
    state.records.map(({ source, position }) => [source, position]),
    [["journal", "j1"], ["file", "f1"], ["journal", "j2"]],
  );
});

Deno.test("`Pipeline.process()` refuses to go on behind what was lost with the batch of another source", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  const bring = bringer(pipeline);
  bring("journal", "j1");
  state.broken = true;
  assert.throws(() => bring("file", "f1"), /disk full/);
  state.broken = false;
  assert.throws(() => bring("journal", "j2"), /what came before could not be stored/);
  bring("journal", "j1", { isMore: false });
  assert.deepEqual(state.records.map(({ position }) => position), ["j1"]);
  bring("journal", "j2");
  state.broken = true;
  assert.throws(() => bring("file", "f1"), /disk full/);
  state.broken = false;
  // It failed by itself meanwhile, and begins again.
  pipeline.finish("journal");
  bring("journal", "j2", { isMore: false });
  assert.equal(pipeline.throughput.counts.hits, 2);
});

Deno.test("`Pipeline` goes on counting after a restart, and a ban uses its hits up", () => {
  using temporary = temporaryState();
  const start = () =>
    new Pipeline([RULES], { state: temporary.state.batches(["TOY"]), judge, log: memoryLog() });
  run(start(), ["bad 192.0.2.1", "bad 192.0.2.1"]);
  run(start(), ["bad 192.0.2.1"]);
  assert.equal(temporary.state.bans.inForce().length, 1);
  assert.deepEqual(
    spentIn(temporary.state.notes.contents()),
    [
      "192.0.2.1",
    ],
  );
  run(start(), ["bad 192.0.2.1", "bad 192.0.2.1"]);
  assert.equal(temporary.state.bans.totals().all, 1, "it counts from nothing again");
});

Deno.test("`Pipeline` records what any user could have forged and never counts it", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  const forged = entry("bad 192.0.2.66", { sender: { uid: 1000, unit: "session-3.scope" } });
  run(pipeline, Array(9).fill(forged));
  assert.equal(state.records[0]!.events.length, 9);
  assert.equal(hitsOf(state.records[0]!.notes).length, 0);
  assert.equal(pipeline.throughput.counts.untrusted, 9);
});

Deno.test("`Pipeline` records hits by addresses that may be a proxy's and never counts them", () => {
  const nginx = { rules: [{ name: "refused", status: 400, limit: 1 }] };
  const { modules } = load(JSON.stringify({ modules: { NGINX: nginx } }));
  const state = new MemoryState();
  const pipeline = new Pipeline(modules, { state, judge, log: memoryLog() });
  const refused = '192.0.2.66 - - [01/Jan/1970:02:30:00 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"';
  const sender = { uid: 0, unit: "nginx.service" };
  run(pipeline, Array(9).fill(entry(refused, { identifier: "nginx", sender })), { modules });
  assert.deepEqual([state.records[0]!.events.length, state.records[0]!.bans], [9, []]);
  assert.equal(hitsOf(state.records[0]!.notes).length, 0);
  assert.equal(pipeline.throughput.counts.uncounted, 9);
});

Deno.test("`Pipeline` takes an entry dated ahead of the clock as of now", () => {
  const state = new MemoryState();
  const pipeline = new Pipeline([RULES], { state, judge, log: memoryLog() });
  run(pipeline, [entry("bad 192.0.2.1", { time: NOW * 2 })]);
  assert.equal(state.records[0]!.events[0]!.time, NOW);
  assert.equal(pipeline.throughput.counts.ahead, 1);
  // The clock tells milliseconds: an entry of the present may be a little ahead of it.
  run(pipeline, [entry("bad 192.0.2.1", { time: NOW + 999 })]);
  assert.equal(state.records[1]!.events[0]!.time, NOW + 999);
  assert.equal(pipeline.throughput.counts.ahead, 1);
});

Deno.test("`Pipeline` gives up a module after three failures in a row, and the others go on", () => {
  const state = new MemoryState();
  const log = memoryLog();
  const pipeline = new Pipeline(MODULES, { state, judge, log });
  run(pipeline, ["break", "break", "bad 192.0.2.1", "break", "break"], { modules: MODULES });
  assert.deepEqual(pipeline.readers.givenUp, []);
  run(pipeline, ["break", "bad 192.0.2.1", entry("x", { identifier: "otherd" })], { modules: MODULES });
  assert.deepEqual(pipeline.readers.givenUp, ["TOY"]);
  assert.deepEqual(state.records[1]!.events.map(({ module }) => MODULES[module]!.module.name), ["OTHER"]);
  assert.match(log.lines.at(-1)!, /TOY failed 3 times in a row and is given up/);
});

Deno.test("`Pipeline.process()` throws, not to be tried again, when no module is left", () => {
  const pipeline = new Pipeline([RULES], { state: new MemoryState(), judge, log: memoryLog() });
  assert.throws(() => run(pipeline, ["break", "break", "break"]), /every module has been given up/);
});

Deno.test("`Pipeline.process()` keeps the hits that come after a ban in the same batch", () => {
  const state = new MemoryState();
  run(new Pipeline([RULES], { state, judge, log: memoryLog() }), Array(4).fill("bad 192.0.2.1"));
  assert.equal(state.records[0]!.bans.length, 1);
  assert.equal(hitsOf(state.records[0]!.notes).length, 1);
});

Deno.test("`Throughput.counted()` goes by the source furthest behind, but not by more than a day", () => {
  const DAY = 86_400 * SECOND;
  const late = 3 * DAY;
  const pipeline = new Pipeline(MODULES, { state: new MemoryState(), judge, log: memoryLog() });
  const bring = (name: string, time: number) => {
    const batch = { records: recordsOf([entry("bad 192.0.2.1", { time })]), position: "p", damaged: 0 };
    pipeline.process(batch, { name, reader: pipeline.readers.of(MODULES) }, late);
  };
  assert.equal(pipeline.throughput.watermark(late), late);
  bring("journal", late);
  bring("file", late - 3_600 * SECOND);
  assert.equal(pipeline.throughput.watermark(late + SECOND), late + SECOND - 3_600 * SECOND);
  bring("file", 0);
  assert.equal(pipeline.throughput.watermark(late), late - DAY);
  bring("file", late);
  assert.equal(pipeline.throughput.watermark(late), late);
});

Deno.test("`Pipeline` records only what a rule hits where it is told to", () => {
  const state = new MemoryState();
  const rules: ModuleRules = {
    ...RULES,
    noLog: [],
    trustedProxies: [],
    record: "hits",
    rules: [rule({ condition: condition({ texts: ["bad 192.0.2.1"] }) })],
  };
  run(new Pipeline([rules], { state, judge, log: memoryLog() }), ["bad 192.0.2.1", "bad 192.0.2.2"], {
    modules: [rules],
  });
  assert.deepEqual(state.records[0]!.events.map(({ address }) => address), ["192.0.2.1"]);
});

Deno.test("a pipeline counts on in the totals of the one before, and what is evicted again from the stored notes once", () => {
  const room = { addresses: 1, bytes: 8 };
  const state = new MemoryState();
  const parts = { state, judge, log: memoryLog(), totals: new Totals(), counting: { room } };
  for (let i = 0; i < 2; i++) {
    const pipeline = new Pipeline([RULES], parts);
    run(pipeline, ["bad 192.0.2.1", "bad 192.0.2.2", "fine"]);
    assert.deepEqual(pipeline.activity.totals(), [{
      name: "TOY",
      lines: 3 * (i + 1),
      understood: 2 * (i + 1),
      hits: [{ rule: "bad", count: 2 * (i + 1) }],
    }]);
  }
  const pipeline = new Pipeline([RULES], parts);
  state.broken = true;
  assert.throws(() => run(pipeline, ["bad 192.0.2.3"]));
  state.broken = false;
  run(pipeline, ["fine"]);
  const { entries, hits, evicted } = parts.totals.counts;
  // The first two lines evict one address, the next two evict two.
  assert.deepEqual([entries, hits, evicted], [7, 4, 3]);
});

Deno.test("`Activity.report()` tells when each module saw a line and each rule was hit, restarts included", () => {
  const parts = { state: new MemoryState(), judge, log: memoryLog() };
  const first = new Pipeline([RULES], parts);
  run(first, [entry("bad 192.0.2.1", { time: 5 * SECOND }), entry("fine", { time: 6 * SECOND })]);
  const expected = {
    name: "TOY",
    lastLine: 6 * SECOND,
    lastHit: 5 * SECOND,
    lines: 2,
    understood: 1,
    rules: [{ name: "bad", lastHit: 5 * SECOND, hits: 1 }],
  };
  assert.deepEqual(first.activity.report(NOW), [expected]);
  assert.equal(first.throughput.counts.unknown, 1);
  const second = new Pipeline([RULES], { ...parts, before: first.activity.report(NOW) });
  assert.deepEqual(second.activity.report(NOW), [{
    ...expected,
    lines: 0,
    understood: 0,
    rules: [{ name: "bad", lastHit: 5 * SECOND, hits: 0 }],
  }]);
});
