import { strict as assert } from "node:assert";
import { canonicalNetwork } from "../../lib/core/address.ts";
import { NetworkSet } from "../../lib/core/network_set.ts";
import { State } from "../../lib/state/state.ts";
import { lineOf } from "../support/events.ts";
import { Random } from "../support/random.ts";
import { ruleBan } from "../support/rule_bans.ts";
import { MANUAL, NO_LOGINS, type TemporaryState, temporaryState } from "../support/helpers.ts";

const RECORD = {
  position: "1",
  notes: { groups: [], forgotten: null, rows: [] },
  logins: NO_LOGINS,
  bans: [],
  knocks: [],
};
const ALL = { most: 1_000, patience: 60_000 };

interface Recorded {
  readonly address: string;
  readonly message?: string;
  readonly source?: string;
}

/** Records lines, each a microsecond later than the one before, in batches of `size`. */
function record({ state }: TemporaryState, lines: readonly Recorded[], size = 100) {
  const batches = state.batches(["SSHD"]);
  lines.forEach(({ address, message = "x", source = "journal" }, i) => {
    batches.lines.add(lineOf({ module: 0, address, time: i, message }));
    if (i % size < size - 1 && i < lines.length - 1) return;
    batches.write({ ...RECORD, source });
    batches.lines.clear();
  });
  return batches;
}

function timesOf({ state }: TemporaryState, target: string, limits = ALL): number[] {
  return state.history.lines(target, limits).lines.map(({ time }) => time);
}

/** 80,000 lines: two chapters and a part of a third one, which is not indexed unless `flush()` says so. */
function many(): Recorded[] {
  return Array.from({ length: 80_000 }, (_, i) => ({ address: `10.${i >> 14}.${i >> 7 & 127}.${i & 127}` }));
}

Deno.test("`History.lines()` finds the lines of an address, newest first, with their sources and whole texts", () => {
  using temporary = temporaryState();
  const hostile = `\u202e"],["SSHD","192.0.2.1",0,"x\\" \x1b[2J ,"192.0.2.1", [" \u20ac`;
  record(temporary, [
    { address: "192.0.2.1", message: hostile, source: "file:/var/log/auth.log" },
    { address: "192.0.2.11", message: `,"192.0.2.1",` },
    { address: "192.0.2.1", message: "[" },
    { address: "2001:db8::192.0.2.1" },
  ], 1);
  const { lines, isComplete, searchedSince } = temporary.state.history.lines("192.0.2.1", ALL);
  assert.deepEqual(lines, [
    { module: "SSHD", address: "192.0.2.1", time: 2, message: "[", source: "journal" },
    { module: "SSHD", address: "192.0.2.1", time: 0, message: hostile, source: "file:/var/log/auth.log" },
  ]);
  assert.deepEqual([isComplete, searchedSince], [true, null]);
});

Deno.test("`History.lines()` finds every line in chapters and outside of them, by address and by network", () => {
  using temporary = temporaryState();
  const lines = many();
  for (const [i, address] of [[3, "192.0.2.7"], [40_000, "192.0.2.7"], [79_999, "192.0.2.7"]] as const) {
    lines[i] = { address };
  }
  lines[35_000] = { address: "2001:db8:1:2::3" };
  record(temporary, lines);
  const expected: [string, number[]][] = [
    ["192.0.2.7", [79_999, 40_000, 3]],
    ["192.0.2.8", []],
    ["192.0.2.0/24", [79_999, 40_000, 3]],
    ["192.0.2.4/30", [79_999, 40_000, 3]],
    ["192.0.2.8/30", []],
    ["192.0.0.0/16", [79_999, 40_000, 3]],
    ["192.0.0.0/6", [79_999, 40_000, 3]],
    ["2001:db8:1:2::/64", [35_000]],
    ["2001:db8:1::/48", [35_000]],
    ["2001:db8::/32", [35_000]],
    ["2001::/16", [35_000]],
    ["2001:db9::/32", []],
    ["10.0.0.5", [5]],
  ];
  for (const [target, times] of expected) assert.deepEqual(timesOf(temporary, target), times, target);
});

Deno.test("`History.lines()` goes on where lines were deleted and where a monitor was stopped and started again", () => {
  using temporary = temporaryState();
  record(temporary, many()).flush({ isLast: true });
  temporary.state.log.deleteOld(10_000);
  record(temporary, [{ address: "10.0.0.5" }, { address: "10.4.112.127" }]).flush({ isLast: true });
  assert.deepEqual(timesOf(temporary, "10.0.0.5"), [0], "the older line is gone");
  assert.deepEqual(timesOf(temporary, "10.4.112.127"), [1, 79_999]);
});

Deno.test("`History.lines()` says how far it has looked where there are more lines, and where its patience ends", () => {
  using temporary = temporaryState();
  record(temporary, many());
  const few = temporary.state.history.lines("10.0.0.0/8", { most: 3, patience: 60_000 });
  assert.deepEqual(few.lines.map(({ time }) => time), [79_999, 79_998, 79_997]);
  assert.equal(few.isComplete, false);
  const none = temporary.state.history.lines("2001::/16", { most: 3, patience: -1 });
  assert.deepEqual([none.lines, none.isComplete], [[], false]);
  assert.ok(none.searchedSince !== null && none.searchedSince > 0 && none.searchedSince < 79_999);
});

Deno.test("`History.linesWith()` asks once about each line that has a text, however often", () => {
  using temporary = temporaryState();
  record(
    temporary,
    ["a", "a".repeat(1_000), "b", "ba"].map((message) => ({ address: "192.0.2.1", message })),
  );
  const asked: string[] = [];
  const has = ({ message }: { message: string }) => asked.push(message) > 0 && message === "ba";
  const { lines } = temporary.state.history.linesWith("a", has, ALL);
  assert.deepEqual(lines.map(({ message }) => message), ["ba"]);
  assert.deepEqual(asked, ["a", "a".repeat(1_000), "ba"]);
});

Deno.test("`History.bansInside()` finds the bans that lie within a network, whatever their texts", () => {
  using temporary = temporaryState();
  const { bans, history } = temporary.state;
  const random = new Random(5);
  const octet = () => random.pick([0, 1, 2, 10, 25, 100, 128, 192, 250, 255]);
  const group = () => random.pick(["0", "1", "db8", "4f8", "4ff", "ffff"]);
  const any = () =>
    random.below(2) === 0
      ? `${octet()}.${octet()}.${octet()}.${octet()}${random.below(2) === 0 ? "" : `/${random.below(32)}`}`
      : `2001:${group()}:${group()}:${group()}::${group()}${
        random.below(2) === 0 ? "" : `/${random.below(128)}`
      }`;
  const addresses = [...new Set(Array.from({ length: 500 }, () => canonicalNetwork(any())!))];
  bans.addAll(addresses.map((address) => {
    const about = { scope: "all" as const, provenance: MANUAL, reason: "r", count: 0 };
    return { ...about, address, start: 1, until: null };
  }));
  for (const network of ["0.0.0.0/0", "::/0", ...addresses.filter((address) => address.includes("/"))]) {
    const set = new NetworkSet([network]);
    const expected = addresses.filter((address) => address !== network && set.covers(address));
    const inside = history.bansInside(network, 1_000);
    assert.deepEqual(inside.newest.map(({ address }) => address), expected.reverse(), network);
    assert.deepEqual([inside.all, inside.decided], [expected.length, expected.length]);
  }
});

Deno.test("`History` finds bans of an address, around it and inside of a network", () => {
  using temporary = temporaryState();
  const { bans, history } = temporary.state;
  const ban = (address: string, start = 1) => ({
    ...{ address, scope: "all" as const, provenance: MANUAL, reason: "r", count: 0, start, until: null },
  });
  const addresses = [
    "192.0.2.1",
    "192.0.2.0/24",
    "192.0.0.0/16",
    "192.0.20.1",
    "198.51.100.1",
    "2001:db8::/64",
    "2001:db8::1",
  ];
  bans.addAll(addresses.map((address) => ban(address)));
  bans.end("192.0.2.1", { reason: "unban", time: 5 });
  bans.add(ban("192.0.2.1", 7));
  const named = (list: readonly { address: string }[]) => list.map(({ address }) => address);
  assert.deepEqual(history.bansOf("192.0.2.1").map(({ start, endReason }) => [start, endReason]), [
    [7, null],
    [1, "unban"],
  ]);
  assert.deepEqual(named(history.bansAround("192.0.2.1")), ["192.0.0.0/16", "192.0.2.0/24"]);
  assert.deepEqual(named(history.bansAround("2001:db8::1")), ["2001:db8::/64"]);
  assert.deepEqual(named(history.bansAround("192.0.0.0/16")), []);
  const inside = history.bansInside("192.0.2.0/23", 2);
  assert.deepEqual([inside.all, inside.decided, named(inside.newest)], [3, 2, [
    "192.0.2.1",
    "192.0.2.0/24",
  ]]);
  assert.equal(history.bansInside("0.0.0.0/0", 9).all, 6);
  assert.equal(history.bansInside("2001:db8::/32", 9).all, 2);
  assert.deepEqual(history.bansByProvenance({ from: 2 }), [{ provenance: MANUAL, made: 1, ended: 1 }]);
  assert.deepEqual(history.bansWithin("192.0.2.0/24", { from: 0 }), { made: 3, ended: 1 });
  assert.deepEqual(history.bansWithin("192.0.2.0/24", { from: 2 }), { made: 1, ended: 1 });
  assert.deepEqual(history.bansWithin("203.0.113.0/24", { from: 0 }), { made: 0, ended: 0 });
  assert.deepEqual(
    [...history.bansOfEach(["192.0.2.1", "203.0.113.1"], { from: 2 })],
    [["192.0.2.1", { made: 1, ended: 1 }], ["203.0.113.1", { made: 0, ended: 0 }]],
  );
  assert.deepEqual(history.bansOfEach(["2001:db8::1:2"], { from: 0 }).get("2001:db8::1:2"), {
    made: 1,
    ended: 0,
  });
  const inForce = history.narrowestInForce(["192.0.2.1", "192.0.2.3", "2001:db8::1:2", "203.0.113.1"]);
  assert.deepEqual([...inForce].map(([name, ban]) => [name, ban.address]), [
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.3", "192.0.2.0/24"],
    ["2001:db8::1:2", "2001:db8::/64"],
  ]);
});

Deno.test("`History.loginsAfterBans()` finds who logged in after a ban of a rule or a network", () => {
  using temporary = temporaryState();
  const { bans, history } = temporary.state;
  const networkOf = { kind: "network", name: "/24" } as const;
  bans.addAll([
    ruleBan({ address: "192.0.2.1", start: 10 }),
    ruleBan({ address: "192.0.2.2", start: 10 }),
    ruleBan({ address: "192.0.2.3", start: 10, provenance: MANUAL }),
    ruleBan({ address: "2001:db8::/64", start: 10 }),
    ruleBan({ address: "192.0.2.0/24", start: 30, provenance: networkOf }),
  ]);
  bans.end("192.0.2.1", { reason: "unban", time: 15 });
  bans.add(ruleBan({ address: "192.0.2.1", start: 20 }));
  const login = (address: string, time: number, method = "publickey") => ({
    ...{ address, method, user: "carol", time },
  });
  const found = history.loginsAfterBans([
    login("192.0.2.1", 21),
    login("192.0.2.1", 19, "password"),
    login("192.0.2.2", 9),
    login("192.0.2.3", 25),
    login("192.0.2.4", 31),
    login("198.51.100.1", 40),
    login("2001:db8::7", 11),
    login("2001:db8::7", 10, "password"),
  ]);
  assert.deepEqual(found.map(({ address, time, ban }) => [address, time, ban.address, ban.start]), [
    ["192.0.2.4", 31, "192.0.2.0/24", 30],
    ["192.0.2.1", 21, "192.0.2.1", 20],
    ["192.0.2.1", 19, "192.0.2.1", 10],
    ["2001:db8::7", 11, "2001:db8::/64", 10],
  ]);
  assert.deepEqual(history.loginsAfterBans([]), []);
});

Deno.test("`History` answers from a state that an earlier program has left", () => {
  using temporary = temporaryState();
  record(temporary, [{ address: "192.0.2.1" }]);
  temporary.exec("UPDATE log_batch SET source = NULL, base = NULL");
  const again = new State(temporary.directory);
  const { lines } = again.history.lines("192.0.2.1", ALL);
  again.close();
  assert.deepEqual(lines.map(({ source, time }) => [source, time]), [[null, 0]]);
});

Deno.test("`History` counts bans of two periods, of hours and of those who banned, and gives the newest that stand", () => {
  using temporary = temporaryState();
  const { bans, history } = temporary.state;
  const rule = { kind: "rule", name: "SSHD a" } as const;
  const ban = { scope: "all", reason: "r", count: 1, until: null } as const;
  const hour = 3_600_000_000;
  bans.addAll([
    { ...ban, address: "192.0.2.1", provenance: rule, start: hour + 1 },
    { ...ban, address: "192.0.2.2", provenance: rule, start: 3 * hour },
    { ...ban, address: "192.0.2.3", provenance: MANUAL, start: 3 * hour + 5 },
    { ...ban, address: "192.0.2.4", provenance: rule, start: 1 },
  ]);
  bans.end("192.0.2.1", { reason: "unban", time: 4 * hour });
  assert.deepEqual(history.bansOfPeriods(hour, { from: 2 * hour }), [
    { before: { provenance: MANUAL, made: 0, ended: 0 }, present: { provenance: MANUAL, made: 1, ended: 0 } },
    { before: { provenance: rule, made: 1, ended: 0 }, present: { provenance: rule, made: 1, ended: 1 } },
  ]);
  assert.deepEqual(history.bansByHour(hour), [{ hour, made: 1 }, { hour: 3 * hour, made: 2 }]);
  assert.deepEqual(history.inForceByProvenance(), [{ provenance: rule, count: 2 }, {
    provenance: MANUAL,
    count: 1,
  }]);
  assert.deepEqual(history.newestBans(2).map(({ address }) => address), ["192.0.2.4", "192.0.2.3"]);
});
