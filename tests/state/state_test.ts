import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { textOfWords } from "../../lib/core/address.ts";
import { FORGOTTEN, GROUP_RULES, HIT, NoteWriter, readNotes } from "../../lib/rules/note_record.ts";
import type { BatchRecord } from "../../lib/state/batch_writer.ts";
import type { BatchNotes } from "../../lib/rules/note_batch.ts";
import { mix } from "../../lib/rules/hash.ts";
import type { Database } from "../../lib/state/database.ts";
import { LogLines } from "../../lib/state/log_lines.ts";
import { LogTable } from "../../lib/state/log_table.ts";
import { inMemory } from "../../lib/state/connect.ts";
import { migrate } from "../../lib/state/schema.ts";
import { State } from "../../lib/state/state.ts";
import type { Session } from "../../lib/deciding/login_change.ts";
import { UserError } from "../../lib/core/error.ts";
import { NO_LOGINS, stateOfFirstRelease, temporaryState } from "../support/helpers.ts";
import type { Recorded } from "../support/memory_state.ts";
import { lineOf } from "../support/events.ts";
import { ruleBan } from "../support/rule_bans.ts";

const EVENT: Recorded = {
  module: 0,
  address: "192.0.2.1",
  time: 1_000,
  message: "Invalid user \0 \u{1f600} from 192.0.2.1",
};

function record(over: Partial<BatchRecord> = {}): BatchRecord {
  return {
    source: "journal",
    position: "p1",
    notes: { groups: [], forgotten: null, rows: [] },
    logins: NO_LOGINS,
    bans: [],
    knocks: [],
    ...over,
  };
}

/** A batch's notes of one hit. */
function oneHit(until: number | null = null): BatchNotes {
  const writer = new NoteWriter();
  const address = { w0: 0, w1: 0, w2: 0xffff, w3: 0xc0000201 | 0, prefix: 128 };
  writer.put({ kind: HIT, ...address, rules: 1, time: 1_000, value: 0 });
  return { groups: [], forgotten: null, rows: [{ until, content: writer.take() }] };
}

/** Writes a batch with these lines, as the pipeline does. */
function write(
  state: State,
  { events = [], ...over }: Partial<BatchRecord> & { events?: readonly Recorded[] } = {},
) {
  const batches = state.batches(["SSHD", "NGINX"]);
  for (const event of events) batches.lines.add(lineOf(event));
  batches.write(record(over));
}

/** Lines as `LogTable.add()` takes them. */
function lines(...events: readonly Recorded[]): LogLines {
  const lines = new LogLines(["SSHD", "NGINX"]);
  for (const event of events) lines.add(lineOf(event));
  return lines;
}

/** Addresses of all stored notes with what they say: a hit, spent or forgotten. */
function notesOf(state: State): string[] {
  return [...state.notes.contents()].flatMap((content) => {
    const all = readNotes(content);
    const notes: string[] = [];
    while (all.next()) {
      notes.push(`${["hit", "spent", "forgotten"][all.kind]} ${textOfWords(all)} ${all.time}`);
    }
    return notes;
  });
}

/** Stored notes in full: what each says, the rules that it names, which of `texts` its value is, and when its row ends. */
function fullNotesOf(state: State, texts: readonly string[]): string[] {
  const hashes = new Map(texts.map((text) => [hashOf(state.notes.seed, text), text]));
  const groups = new Map(state.notes.groups().map(({ number, rules }) => [number, rules]));
  const db = new DatabaseSync(`${state.directory}/state.db`, { readOnly: true });
  const untils = db.prepare("SELECT until FROM note ORDER BY id").all().map(({ until }) => until);
  db.close();
  return [...state.notes.contents()].flatMap((content, row) => {
    const all = readNotes(content);
    const notes: string[] = [];
    while (all.next()) {
      const rules = all.kind === FORGOTTEN ? "" : ` ${groups.get(all.rules >> GROUP_RULES)}`;
      const value = all.value === 0 ? "" : ` of ${hashes.get(all.value)}`;
      const what = `${["hit", "spent", "forgotten"][all.kind]} ${textOfWords(all)} ${all.time}`;
      notes.push(`${what}${rules}${value} until ${untils[row]}`);
    }
    return notes;
  });
}

function hashOf(seed: number, text: string): number {
  return new TextEncoder().encode(text).reduce(mix, seed);
}

Deno.test("`LogTable.add()` tells how many lines it has appended, none where there is no room", () => {
  using temporary = temporaryState();
  const line = { module: 0, address: "192.0.2.1", time: 1, message: "x" };
  assert.equal(temporary.state.log.add(lines(line, line)), 2);
  assert.equal(temporary.state.log.add(lines()), 0);
  const full = { hasRoom: false, run: () => assert.fail() } as unknown as Database;
  assert.equal(new LogTable(full).add(lines(line)), 0);
  const batches = temporary.state.batches(["SSHD"]);
  batches.lines.add(lineOf(line));
  assert.equal(batches.write(record({})), 1);
});

Deno.test("`BatchWriter.write()` keeps lines, hits and position over a reopening", () => {
  using temporary = temporaryState();
  write(temporary.state, { events: [EVENT], notes: oneHit(), position: "p7" });
  const again = new State(temporary.directory);
  assert.equal(again.position("journal"), "p7");
  assert.deepEqual(notesOf(again), ["hit 192.0.2.1 1000"]);
  const [line] = again.outbox.unshippedLog(5);
  assert.equal(line?.message, EVENT.message.replace("\0", "\ufffd"));
  again.close();
});

Deno.test("`BatchWriter.write()` writes all of a batch or nothing", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  write(state);
  temporary.exec("CREATE TRIGGER full BEFORE INSERT ON position BEGIN SELECT raise(ABORT, 'disk full'); END");
  assert.throws(() => write(state, { position: "p2", events: [EVENT], notes: oneHit() }), /disk full/);
  assert.equal(state.position("journal"), "p1");
  assert.equal(state.log.count(), 0);
  assert.deepEqual(notesOf(state), []);
});

Deno.test("`BatchWriter.write()` keeps every line of a batch, however many there are", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  for (const count of [1, 31, 32, 33, 100]) {
    const events = Array.from({ length: count }, (_, i) => ({ ...EVENT, time: i, message: `line ${i}` }));
    const before = state.log.count();
    write(state, { events });
    const rows = state.outbox.unshippedLog(1_000).slice(before);
    assert.deepEqual(
      rows.map(({ message, time }) => [message, time]),
      events.map(({ message, time }) => [message, time]),
    );
  }
});

Deno.test("`BatchWriter.write()` keeps logins and open sessions, and drops those that are over", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const login = { address: "192.0.2.1", method: "publickey", user: "me", time: 1 };
  const [first, second] = [1, 2].map((port) => ({ address: "192.0.2.1", port, pid: null, time: 1 })) as [
    Session,
    Session,
  ];
  write(state, { logins: { logins: [login], opened: [first, second], closed: [] } });
  const [later, again] = [{ ...login, time: 2 }, { ...first, pid: 7, time: 2 }];
  write(state, { logins: { logins: [later], opened: [again], closed: [second] } });
  assert.deepEqual(state.logins.logins().map((row) => ({ ...row })), [later]);
  assert.deepEqual(state.logins.sessions().map((row) => ({ ...row })), [again]);
});

Deno.test("`LogTable.deleteOld()` deletes in steps what is older, `NoteTable.deleteOld()` what matters no more", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  for (let batch = 0; batch < 55; batch++) {
    const events = Array.from({ length: 100 }, (_, i) => ({ ...EVENT, time: 100 * batch + 99 - i }));
    write(state, { events });
  }
  write(state, { notes: oneHit(1_500) });
  write(state, { notes: oneHit(1_501) });
  write(state, { notes: oneHit() });
  assert.deepEqual([state.log.deleteOld(5_400), state.log.deleteOld(5_400), state.log.deleteOld(5_400)], [
    5_000,
    400,
    0,
  ]);
  assert.deepEqual([state.notes.deleteOld(1_500), state.notes.deleteOld(1_500)], [1, 0]);
  assert.equal(state.log.count(), 100);
  assert.deepEqual(state.log.after(0, 1).map(({ seq, time }) => [seq, time]), [[5_401, 5_499]]);
  assert.equal(notesOf(state).length, 2);
});

Deno.test("`StateOutbox` gives what is not confirmed, and each ban again when it changes", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const { outbox } = state;
  write(state, { events: [EVENT, EVENT, EVENT], bans: [ruleBan(), ruleBan({ address: "192.0.2.2" })] });
  assert.equal(outbox.backlog(), 5);
  assert.deepEqual([outbox.confirmedLine(0), outbox.lastSeen()], [null, null]);
  outbox.noteSeen(1_700_000_000_000_001);
  assert.equal(outbox.lastSeen(), 1_700_000_000_000_001);
  outbox.confirmLog(outbox.unshippedLog(2).at(-1)!.seq);
  outbox.confirmBans(outbox.unshippedBans(9).at(-1)!.change);
  assert.equal(outbox.backlog(), 1);
  assert.deepEqual([0, 1, 2].map((back) => outbox.confirmedLine(back)?.seq), [2, 1, 1]);
  state.bans.end("192.0.2.1", { reason: "unban", time: 9 });
  assert.deepEqual(outbox.unshippedBans(9).map(({ address, endReason }) => [address, endReason]), [[
    "192.0.2.1",
    "unban",
  ]]);
  assert.match(outbox.hostId, /^[0-9a-f-]{36}$/);
});

Deno.test("`LogTable.shrink()` deletes the oldest lines in steps until the state is small enough, and no others", () => {
  using temporary = temporaryState();
  const { log } = temporary.state;
  const message = "y".repeat(2_000);
  for (let i = 0; i < 200; i++) log.add(lines(...Array(20).fill({ ...EVENT, time: i, message })));
  assert.equal(log.count(), 4_000);
  const most = 2_000_000;
  let steps = 0;
  while (log.shrink(most) > 0) steps++;
  assert.ok(steps > 0);
  const left = log.count();
  assert.ok(left > 700 && left < 1_000, `${left} lines`);
  assert.equal(log.after(0, 1)[0]!.seq, 4_000 - left + 1);
});

Deno.test("`LogTable` numbers lines without gap or reuse, whatever is forgotten, and gives those behind any of them", () => {
  using temporary = temporaryState();
  const { log } = temporary.state;
  log.add(lines(...[1, 2, 3].map((time) => ({ ...EVENT, time }))));
  log.deleteOld(4);
  log.add(lines());
  for (let time = 4; time <= 210; time += 2) {
    log.add(lines(...[time, time + 1].map((time) => ({ ...EVENT, time }))));
  }
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

Deno.test("`LogTable.after()` gives lines read again the keys of before, however the sources take turns", () => {
  // Both states are copies of one with three lines.
  const keysOf = (turns: readonly (readonly [source: string, message: string])[]) => {
    using temporary = temporaryState();
    const { log } = temporary.state;
    log.add(lines(EVENT), "journal");
    log.add(lines(EVENT, EVENT), "file:a");
    for (const [source, message] of turns) log.add(lines({ ...EVENT, message }), source);
    return log.after(3, 9).map(({ message, key }) => `${message} ${key}`).sort();
  };
  const [a1, j1, a2, b1] = [["file:a", "a1"], ["journal", "j1"], ["file:a", "a2"], ["file:b", "b1"]] as const;
  const keys = keysOf([a1, j1, a2, b1]);
  assert.equal(new Set(keys.map((words) => words.split(" ")[1])).size, 4);
  assert.deepEqual(keysOf([j1, a1, a2, b1]), keys);
});

Deno.test("the view `log` shows recorded lines one by one", () => {
  using temporary = temporaryState();
  const events = [7, 5, 6].map((time) => ({ ...EVENT, time, message: `"${time}" \u{1f600}` }));
  temporary.state.log.add(lines(...events));
  const db = new DatabaseSync(`${temporary.directory}/state.db`, { readOnly: true });
  const rows = db.prepare("SELECT * FROM log").all().map((row) => ({ ...row }));
  db.close();
  assert.deepEqual(rows, temporary.state.log.after(0, 5).map(({ key: _, ...row }) => row));
});

Deno.test("`State` takes over what 1.0 recorded and counted", () => {
  const rules = [
    ["SSHD", "b", ["192.0.2.3"], [1, 0, 2], []],
    ["NGINX", "a", [], [3], ['/x"']],
  ];
  const addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.2", "2001:db8::"];
  const tally = { forgotten: [], addresses, steps: [9, -4, 2, 1_770_999_999_999_993], rules };
  const forgotten = { forgotten: ["192.0.2.9"], addresses: [], steps: [], rules: [] };
  using temporary = stateOfFirstRelease(`
    INSERT INTO log_batch VALUES
      (4, 2, 5, '[["SSHD","192.0.2.1",1,"a"],["NGINX","2001:db8::",0,"c"]]'), (9, 1, 6, '[["","",0,""]]');
    DELETE FROM log_batch WHERE last = 9;
    INSERT INTO tally (until, content) VALUES
      (12, '${JSON.stringify(tally)}'), (NULL, '${JSON.stringify(forgotten)}')`);
  const again = new State(temporary.directory);
  assert.deepEqual(again.log.after(0, 5), [
    { seq: 3, key: "3", module: "SSHD", address: "192.0.2.1", time: 4, message: "a" },
    { seq: 4, key: "4", module: "NGINX", address: "2001:db8::", time: 5, message: "c" },
  ]);
  again.log.add(lines(EVENT));
  assert.equal(again.log.after(4, 5)[0]!.seq, 10, "a number given once is never given again");
  assert.deepEqual(fullNotesOf(again, ['/x"']), [
    // Whether the rule counted values was not stored.
    'spent 192.0.2.3 0 [["SSHD","b",null,false]] until 12',
    'spent 192.0.2.3 0 [["SSHD","b","*",false]] until 12',
    'hit 192.0.2.2 5 [["SSHD","b",null,false]] until 12',
    'hit 192.0.2.1 9 [["SSHD","b",null,false]] until 12',
    'hit 192.0.2.2 7 [["SSHD","b",null,false]] until 12',
    'hit 2001:db8:: 1771000000000000 [["NGINX","a","*",false]] of /x" until 12',
    "forgotten 192.0.2.9 0 until null",
  ]);
  again.close();
});

Deno.test("`State` takes over a state of version 13, of builds between 1.0 and its next release", () => {
  using temporary = temporaryState();
  const tables = () => {
    const db = new DatabaseSync(`${temporary.directory}/state.db`, { readOnly: true });
    const rows = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();
    db.close();
    return rows.map((row) => ({ ...row }));
  };
  const newest = tables();
  temporary.state.log.add(lines(EVENT), "journal");
  temporary.exec(`ALTER TABLE source DROP COLUMN lines; ALTER TABLE log_batch DROP COLUMN nth;
    PRAGMA user_version = 13`);
  const again = new State(temporary.directory);
  again.log.add(lines(EVENT), "journal");
  assert.deepEqual(again.log.after(0, 5).map(({ key }) => key), ["1", String((1n << 40n) + 1n)]);
  again.close();
  assert.deepEqual(tables(), newest);
});

Deno.test("`migrate()` leaves the tables alone that another process has made since its first look", () => {
  const db = inMemory();
  let looks = 0;
  const late = {
    prepare: (sql: string) => db.prepare(looks++ === 0 ? "SELECT 0 AS user_version" : sql),
    exec: (sql: string) => db.exec(sql),
  };
  migrate(late as unknown as DatabaseSync);
  assert.equal(looks, 2);
  db.close();
});

Deno.test("`State` refuses a directory that is not there and a state from a newer program, in a sentence", () => {
  assert.throws(() => new State("/nonexistent"), UserError);
  using temporary = temporaryState();
  temporary.exec("PRAGMA user_version = 999");
  assert.throws(() => new State(temporary.directory), /newer StrongMonitor/);
  temporary.exec("PRAGMA user_version = 9");
  assert.throws(() => new State(temporary.directory), /version 9, which no release made/);
  temporary.exec("PRAGMA user_version = -1");
  assert.throws(() => new State(temporary.directory), /version -1, which no release made/);
});
