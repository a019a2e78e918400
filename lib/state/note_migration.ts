import type { DatabaseSync } from "node:sqlite";
import { putAddress } from "../core/address.ts";
import { tried } from "../core/error.ts";

/** A row of the former table `tally`: rules with spent addresses, and hits by numbers of events. */
interface Tally {
  readonly forgotten: readonly string[];
  readonly addresses: readonly string[];
  readonly steps: readonly number[];
  readonly rules: readonly (readonly [
    service: string,
    rule: string,
    spent: readonly string[],
    hits: readonly number[],
    values: readonly string[],
  ])[];
}

/** Kinds of records. */
const [HIT, SPENT, FORGOTTEN] = [0, 1, 2];

/**
 * Makes the tables of notes, and notes of all rows of the table `tally`. Like every migration it
 * never changes: it writes records in the form of its time. Values above 64 characters were stored
 * cut; they count once more when they come again. Throws for garbage, as SQLite does for a damaged
 * file.
 */
export function migrateTallies(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE note (
      id INTEGER PRIMARY KEY, until INTEGER, forgets INTEGER NOT NULL DEFAULT 0, content BLOB NOT NULL
    );
    CREATE INDEX note_until ON note (until);
    CREATE TABLE note_group (number INTEGER PRIMARY KEY, rules TEXT NOT NULL)`);
  const seed = crypto.getRandomValues(new Int32Array(1))[0]!;
  db.prepare("INSERT INTO meta VALUES ('note_seed', ?)").run(seed);
  const groups = new Groups();
  const insert = db.prepare("INSERT INTO note (id, until, forgets, content) VALUES (?, ?, ?, ?)");
  const rows = db.prepare("SELECT id, until, content FROM tally ORDER BY id").all();
  for (const { id, until, content } of rows as { id: number; until: number | null; content: string }[]) {
    const note = tried(() => {
      const tally = JSON.parse(content) as Tally;
      const forgets = tally.forgotten.length > 0 && tally.rules.length === 0;
      return { forgets, bytes: bytesOf(recordsOf(tally, { seed, groups, isLasting: until === null })) };
    });
    if (note === null) throw new Error(`its counters in row ${id} are malformed`);
    if (note.bytes.length > 0) insert.run(id, until, note.forgets ? 1 : 0, note.bytes);
  }
  const name = db.prepare("INSERT INTO note_group VALUES (?, ?)");
  for (const [rules, number] of groups.numbers) name.run(number, rules);
  db.exec("DROP TABLE tally; DELETE FROM meta WHERE key = 'sifted'");
}

/** Groups of one rule each. */
class Groups {
  readonly numbers = new Map<string, number>();

  /** Returns the first rule of a rule's group, as a record names it. */
  of(
    service: string,
    rule: string,
    { hasValues, isLasting }: { hasValues: boolean; isLasting: boolean },
  ): number {
    // The field was not stored: any field with values will do.
    const rules = JSON.stringify([[service, rule, hasValues ? "*" : null, isLasting]]);
    const number = this.numbers.get(rules) ?? this.numbers.size;
    this.numbers.set(rules, number);
    return number << 12 | 1;
  }
}

interface Record {
  readonly kind: number;
  readonly address: string;
  readonly rules: number;
  readonly time: number;
  readonly value: number;
}

function recordsOf(
  { forgotten, addresses, steps, rules }: Tally,
  { seed, groups, isLasting }: { seed: number; groups: Groups; isLasting: boolean },
): Record[] {
  const nothing = { rules: 0, time: 0, value: 0 };
  const records: Record[] = forgotten.map((address) => ({ ...nothing, kind: FORGOTTEN, address }));
  let time = 0;
  const times = steps.map((step) => time += step);
  for (const [service, rule, spent, hits, values] of rules) {
    // Spent hits may be of either kind.
    for (const hasValues of [false, true]) {
      const group = groups.of(service, rule, { hasValues, isLasting });
      for (const address of spent) records.push({ ...nothing, kind: SPENT, address, rules: group });
    }
    const group = groups.of(service, rule, { hasValues: values.length > 0, isLasting });
    hits.forEach((n, i) => {
      const value = values[i] === undefined ? 0 : hashOf(seed, values[i]);
      records.push({ kind: HIT, address: addresses[n]!, rules: group, time: times[n]!, value });
    });
  }
  return records;
}

/**
 * Returns records: prefix, kind and family; group and rules; time; hash of the value; the address,
 * for IPv4 without its first words.
 */
function bytesOf(records: readonly Record[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(40 * records.length));
  const address = new Int32Array(4);
  let at = 0;
  for (const { kind, address: text, rules, time, value } of records) {
    const prefix = putAddress(text, address);
    const isIPv6 = text.includes(":");
    view.setInt32(at, prefix | kind << 8 | (isIPv6 ? 1 << 10 : 0), true);
    view.setInt32(at + 4, rules, true);
    view.setFloat64(at + 8, time, true);
    view.setInt32(at + 16, value, true);
    view.setInt32(at + 20, address[3]!, true);
    if (isIPv6) { for (let i = 0; i < 3; i++) view.setInt32(at + 24 + 4 * i, address[i]!, true); }
    at += isIPv6 ? 40 : 24;
  }
  return new Uint8Array(view.buffer, 0, at);
}

function hashOf(seed: number, text: string): number {
  let hash = seed;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash === 0 ? 1 : hash;
}
