import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { isLocked, takeLock } from "../../lib/state/database.ts";
import { State } from "../../lib/state/state.ts";
import type { BatchRecord } from "../../lib/deciding/record.ts";
import type { LogEvent } from "../../lib/reading/module.ts";
import type { RuleTally, Tally } from "../../lib/rules/findings.ts";
import type { Session } from "../../lib/deciding/logins.ts";
import { UserError } from "../../lib/core/error.ts";
import { NO_LOGINS, temporaryState } from "../support/helpers.ts";

const EVENT: LogEvent = {
  service: "SSHD",
  address: "192.0.2.1",
  time: 1_000,
  message: "Invalid user \0 \u{1f600} from 192.0.2.1",
  fields: {},
  trusted: true,
};

function record(over: Partial<BatchRecord> = {}): BatchRecord {
  return {
    source: "journal",
    position: "p1",
    events: [],
    tallies: () => [],
    logins: NO_LOGINS,
    bans: [],
    knocks: [],
    ...over,
  };
}

/** One hit. */
const RULE: RuleTally = {
  service: "SSHD",
  rule: "invalid",
  spent: [],
  hits: [0],
  values: [],
};

function tally(over: Partial<Tally> = {}): () => Tally[] {
  const hit = { addresses: ["192.0.2.1"], times: [1_000] };
  return () => [{ until: null, forgotten: [], ...hit, rules: [RULE], ...over }];
}

function ban(over: Partial<BatchRecord["bans"][number]> = {}): BatchRecord["bans"][number] {
  return {
    address: "192.0.2.1",
    reason: "[SSHD] invalid",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD invalid" },
    count: 6,
    start: 1_000,
    until: null,
    ...over,
  };
}

Deno.test("`State.write()` keeps lines, hits and position over a reopening", () => {
  using temporary = temporaryState();
  temporary.state.write(record({ events: [EVENT], tallies: tally(), position: "p7" }));
  const again = new State(temporary.directory);
  assert.equal(again.position("journal"), "p7");
  assert.deepEqual([...again.tallies.all()], tally()());
  const [line] = again.outbox.unshippedLog(5);
  assert.equal(line?.message, EVENT.message.replace("\0", "\ufffd"));
  again.close();
});

Deno.test("`State.write()` writes all of a batch or nothing", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  state.write(record());
  const broken = { ...EVENT, message: null as unknown as string };
  assert.throws(() => state.write(record({ position: "p2", events: [EVENT, broken], tallies: tally() })));
  assert.equal(state.position("journal"), "p1");
  assert.equal(state.log.count(), 0);
  assert.deepEqual([...state.tallies.all()], []);
});

Deno.test("`State.write()` keeps every line of a batch, however many there are", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  for (const count of [1, 31, 32, 33, 100]) {
    const events = Array.from({ length: count }, (_, i) => ({ ...EVENT, time: i, message: `line ${i}` }));
    const before = state.log.count();
    state.write(record({ events }));
    const rows = state.outbox.unshippedLog(1_000).slice(before);
    assert.deepEqual(
      rows.map(({ message, time }) => [message, time]),
      events.map(({ message, time }) => [message, time]),
    );
  }
});

Deno.test("`State.write()` keeps logins and open sessions, and drops those that are over", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const login = { address: "192.0.2.1", method: "publickey", user: "me", time: 1 };
  const [first, second] = [1, 2].map((port) => ({ address: "192.0.2.1", port, pid: null, time: 1 })) as [
    Session,
    Session,
  ];
  state.write(record({ logins: { logins: [login], opened: [first, second], closed: [] } }));
  const [later, again] = [{ ...login, time: 2 }, { ...first, pid: 7, time: 2 }];
  state.write(record({ logins: { logins: [later], opened: [again], closed: [second] } }));
  assert.deepEqual(state.logins.logins().map((row) => ({ ...row })), [later]);
  assert.deepEqual(state.logins.sessions().map((row) => ({ ...row })), [again]);
});

Deno.test("`TallyTable.all()` tells in order what was counted, spent and forgotten", () => {
  using temporary = temporaryState();
  const { tallies } = temporary.state;
  const first = tally({ until: 9_000, rules: [RULE, { ...RULE, values: ["a \u{1f600}"] }] })()[0]!;
  const spent = { ...RULE, spent: ["192.0.2.1"], hits: [] };
  const both = { ...RULE, hits: [0, 2] };
  const hits = { addresses: ["192.0.2.2", "192.0.2.1", "192.0.2.2"], times: [9, 3, 7] };
  const second = tally({ until: 12_000, ...hits, rules: [spent, both, { ...both, rule: "other" }] })()[0]!;
  tallies.add(first);
  tallies.add(second);
  tallies.forget("2001:db8::/64");
  assert.deepEqual([...tallies.all()], [
    first,
    second,
    { until: 12_000, forgotten: ["2001:db8::/64"], addresses: [], times: [], rules: [] },
  ]);
  tallies.add(tally()()[0]!);
  tallies.forget("192.0.2.2");
  assert.deepEqual(
    [...tallies.all()].at(-1)!.until,
    null,
    "what lasts for good may be of an address forgotten",
  );
});

Deno.test("`TallyTable.forget()` has nothing to say where nothing is counted", () => {
  using temporary = temporaryState();
  temporary.state.tallies.forget("192.0.2.1");
  assert.deepEqual([...temporary.state.tallies.all()], []);
});

Deno.test("`TallyTable.expire()` drops spent and forgotten hits that have no end, once there are many, and no others", () => {
  using temporary = temporaryState();
  const { tallies } = temporary.state;
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
  const hits = { addresses, times: [1, 2, 3] };
  const some = { ...RULE, hits: [0, 1, 2], values: ["a", "b", "c"] };
  const other = { ...RULE, rule: "other", hits: [1] };
  const counted = () =>
    [...tallies.all()].map(({ until, forgotten, addresses, rules }) => [
      until,
      forgotten,
      ...rules.map(({ rule, spent, hits, values }) => [rule, spent, hits.map((n) => addresses[n]), values]),
    ]);
  tallies.add(tally({ until: 90, ...hits, rules: [some] })()[0]!);
  tallies.add(tally({ ...hits, rules: [some, other] })()[0]!);
  tallies.forget("192.0.2.3");
  tallies.add(tally({ ...hits, rules: [{ ...some, spent: ["192.0.2.1"] }] })()[0]!);
  tallies.add(tally({ ...hits, rules: [{ ...some, spent: ["192.0.2.2"], hits: [2], values: ["d"] }] })()[0]!);
  const before = counted();
  tallies.expire(10);
  assert.deepEqual(counted(), before, "few are left as they are");
  for (let i = 0; i < 1_000; i++) {
    tallies.add(tally({ rules: [{ ...RULE, rule: "many", spent: ["192.0.2.1"] }] })()[0]!);
  }
  tallies.expire(10);
  assert.deepEqual(counted(), [
    [90, [], ["invalid", [], addresses, ["a", "b", "c"]]],
    [null, [], ["other", [], ["192.0.2.2"], []]],
    [90, ["192.0.2.3"]],
    [null, [], ["invalid", [], ["192.0.2.1", "192.0.2.3"], ["a", "c"]]],
    [null, [], ["invalid", [], ["192.0.2.3"], ["d"]]],
    [null, [], ["many", [], ["192.0.2.1"], []]],
  ]);
});

Deno.test("`LogTable.forget()` deletes in steps what is older, `TallyTable.expire()` what matters no more", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  for (let batch = 0; batch < 55; batch++) {
    const events = Array.from({ length: 100 }, (_, i) => ({ ...EVENT, time: 100 * batch + 99 - i }));
    state.write(record({ events }));
  }
  state.write(record({ tallies: tally({ until: 1_500 }) }));
  state.write(record({ tallies: tally({ until: 1_501 }) }));
  state.write(record({ tallies: tally() }));
  assert.deepEqual([state.log.forget(5_400), state.log.forget(5_400), state.log.forget(5_400)], [
    5_000,
    400,
    0,
  ]);
  state.tallies.expire(1_500);
  assert.equal(state.log.count(), 100);
  assert.deepEqual(state.log.after(0, 1).map(({ seq, time }) => [seq, time]), [[5_401, 5_499]]);
  assert.deepEqual([...state.tallies.all()].map(({ until }) => until), [1_501, null]);
});

Deno.test("`StateOutbox` gives what is not confirmed, and each ban again when it changes", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const { outbox } = state;
  state.write(record({ events: [EVENT, EVENT, EVENT], bans: [ban(), ban({ address: "192.0.2.2" })] }));
  assert.equal(outbox.backlog(), 5);
  outbox.confirmLog(outbox.unshippedLog(2).at(-1)!.seq);
  outbox.confirmBans(outbox.unshippedBans(9).at(-1)!.change);
  assert.equal(outbox.backlog(), 1);
  state.bans.end("192.0.2.1", { reason: "unban", time: 9 });
  assert.deepEqual(outbox.unshippedBans(9).map(({ address, endReason }) => [address, endReason]), [[
    "192.0.2.1",
    "unban",
  ]]);
  assert.match(outbox.hostId, /^[0-9a-f-]{36}$/);
});

Deno.test("`takeLock()` lets one process in at a time", () => {
  using temporary = temporaryState();
  const lock = takeLock(temporary.directory);
  assert(lock);
  assert.equal(takeLock(temporary.directory), null);
  assert.equal(isLocked(temporary.directory), true);
  lock.release();
  assert.equal(isLocked(temporary.directory), false);
  takeLock(temporary.directory)!.release();
});

Deno.test("`LogTable` numbers lines without gap or reuse, whatever is forgotten, and gives those behind any of them", () => {
  using temporary = temporaryState();
  const { log } = temporary.state;
  log.add([1, 2, 3].map((time) => ({ ...EVENT, time })));
  log.forget(4);
  log.add([]);
  for (let time = 4; time <= 210; time += 2) log.add([time, time + 1].map((time) => ({ ...EVENT, time })));
  for (
    const [seq, limit, first, last] of [[0, 1_000, 4, 211], [3, 2, 4, 5], [4, 3, 5, 7], [
      6,
      202,
      7,
      208,
    ]] as const
  ) {
    const rows = log.after(seq, limit);
    assert.deepEqual([rows[0]!.seq, rows.at(-1)!.seq, rows.length], [first, last, last - first + 1]);
    assert.ok(rows.every(({ seq, time }) => seq === time));
  }
  assert.deepEqual([log.count(), log.count(4), log.count(210), log.count(211)], [208, 207, 1, 0]);
  assert.deepEqual(log.after(211, 5), []);
});

Deno.test("the view `log` shows recorded lines one by one", () => {
  using temporary = temporaryState();
  const events = [7, 5, 6].map((time) => ({ ...EVENT, time, message: `"${time}" \u{1f600}` }));
  temporary.state.log.add(events);
  const db = new DatabaseSync(`${temporary.directory}/state.db`, { readOnly: true });
  const rows = db.prepare("SELECT * FROM log").all().map((row) => ({ ...row }));
  db.close();
  assert.deepEqual(rows, temporary.state.log.after(0, 5));
});

/** What made the lines and hits of earlier versions. */
const EARLIER = `
  DROP VIEW log;
  DROP TABLE log_batch;
  DROP TABLE tally;
  CREATE TABLE log (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT, address TEXT, time INTEGER, message TEXT
  );`;

Deno.test("`State` takes over lines that an earlier program recorded one by one, and what it counted", () => {
  using temporary = temporaryState();
  const rules = [
    ["SSHD", "b", ["192.0.2.3"], ["192.0.2.2", "192.0.2.1", "192.0.2.2"], [5, 9, 7], []],
    ["NGINX", "a", [], ["2001:db8::"], [1_771_000_000_000_000], ['/x"']],
  ];
  temporary.exec(`${EARLIER}
    CREATE TABLE tally (id INTEGER PRIMARY KEY, until INTEGER, content TEXT NOT NULL);
    CREATE INDEX tally_until ON tally (until);
    INSERT INTO log VALUES (3, 'SSHD', '192.0.2.1', 5, 'a "b"'), (7, 'NGINX', '2001:db8::', 4, 'c'), (9, '', '', 0, '');
    DELETE FROM log WHERE seq = 9;
    INSERT INTO tally (until, content) VALUES
      (12, '${JSON.stringify({ forgotten: [], rules })}'), (NULL, '{"forgotten":["192.0.2.9"],"rules":[]}');
    PRAGMA user_version = 4`);
  const again = new State(temporary.directory);
  assert.deepEqual(again.log.after(0, 5), [
    { seq: 3, service: "SSHD", address: "192.0.2.1", time: 5, message: 'a "b"' },
    { seq: 7, service: "NGINX", address: "2001:db8::", time: 4, message: "c" },
  ]);
  again.log.add([EVENT]);
  assert.equal(again.log.after(7, 5)[0]!.seq, 10, "a number given once is never given again");
  assert.deepEqual([...again.tallies.all()], [
    {
      until: 12,
      forgotten: [],
      addresses: ["192.0.2.2", "192.0.2.1", "192.0.2.2", "2001:db8::"],
      times: [5, 9, 7, 1_771_000_000_000_000],
      rules: [
        { service: "SSHD", rule: "b", spent: ["192.0.2.3"], hits: [0, 1, 2], values: [] },
        { service: "NGINX", rule: "a", spent: [], hits: [3], values: ['/x"'] },
      ],
    },
    { until: null, forgotten: ["192.0.2.9"], addresses: [], times: [], rules: [] },
  ]);
  again.close();
});

Deno.test("`State` takes over the hits that an earlier program counted one by one", () => {
  using temporary = temporaryState();
  temporary.exec(`${EARLIER}
    CREATE INDEX log_time ON log (time);
    CREATE TABLE hit (id INTEGER PRIMARY KEY, service TEXT, rule TEXT, address TEXT, time INTEGER, value TEXT);
    INSERT INTO hit (service, rule, address, time, value) VALUES
      ('SSHD', 'b', '192.0.2.2', 3, NULL), ('SSHD', 'b', '192.0.2.1', 2, NULL),
      ('NGINX', 'a', '2001:db8::', 4, '/x"'), ('NGINX', 'a', '2001:db8::', 5, '/y');
    PRAGMA user_version = 3`);
  const state = new State(temporary.directory);
  const [tally, ...others] = state.tallies.all();
  state.close();
  assert.deepEqual(others, []);
  assert.ok(tally!.until! > 5);
  assert.deepEqual(tally!.addresses, ["2001:db8::", "2001:db8::", "192.0.2.1", "192.0.2.2"]);
  assert.deepEqual(tally!.times, [4, 5, 2, 3]);
  assert.deepEqual(tally!.rules, [
    { service: "NGINX", rule: "a", spent: [], hits: [0, 1], values: ['/x"', "/y"] },
    { service: "SSHD", rule: "b", spent: [], hits: [2, 3], values: [] },
  ]);
});

Deno.test("`State` refuses a directory that is not there and a state from a newer program, in a sentence", () => {
  assert.throws(() => new State("/nonexistent"), UserError);
  using temporary = temporaryState();
  temporary.exec("PRAGMA user_version = 999");
  assert.throws(() => new State(temporary.directory), /newer StrongMonitor/);
});
