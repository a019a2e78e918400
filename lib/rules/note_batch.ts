import type { AddressWords } from "../core/address.ts";
import { FORGOTTEN, GROUP_RULES, HIT, type NoteRecord, NoteWriter, SPENT } from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import type { RuleGroups, StoredGroup } from "./rule_groups.ts";

/** Notes that are stored together. */
export interface NoteRow {
  /** From this time on no note counts; null: notes never end. */
  readonly until: Micros | null;
  /** Records in the order in which they are counted again. */
  readonly content: Uint8Array;
}

/** Notes of a batch to store, in this order. */
export interface BatchNotes {
  /** Groups named by records and not stored yet. */
  readonly groups: readonly StoredGroup[];
  /** Records of forgotten addresses, kept as long as any earlier record; null: none. */
  readonly forgotten: Uint8Array | null;
  readonly rows: readonly NoteRow[];
}

/** Notes that were stored. */
export interface StoredNotes {
  /** Seed of the hashes of values. */
  readonly seed: number;
  groups(): Iterable<StoredGroup>;
  /** Returns the records of all rows, in order. */
  contents(): Iterable<Uint8Array>;
}

/** Records of hits whose longest windows have the same length. */
class Section {
  readonly writer = new NoteWriter();
  latest: Micros = -Infinity;

  put(record: NoteRecord): void {
    this.writer.put(record);
    if (record.time > this.latest) this.latest = record.time;
  }

  take(span: Micros, now = -Infinity): NoteRow {
    const until = Math.max(now, this.latest) + span;
    this.latest = -Infinity;
    return { until: until === Infinity ? null : until, content: this.writer.take() };
  }
}

/**
 * Gathers the records of a batch, in sections that stop mattering together. Spent hits and
 * forgotten addresses concern earlier batches and come first; hits of this batch are dropped
 * directly.
 */
export class NoteBatch {
  readonly #groups: RuleGroups;
  /** By class of the longest window. */
  readonly #spent: Section[];
  /** Parts of the batch. The order of sections inside a part does not matter. */
  #parts: Section[][];
  /** Time of the newest hit in the last part. */
  #latest: Micros = -Infinity;
  readonly #shortest: Micros;
  readonly #forgotten = new NoteWriter();
  #isCompact = true;

  constructor(groups: RuleGroups) {
    this.#groups = groups;
    this.#shortest = Math.min(...groups.spans);
    this.#spent = this.#makeSections();
    this.#parts = [this.#makeSections()];
  }

  /** Whether nothing is to be stored. */
  get isEmpty(): boolean {
    return this.#forgotten.isEmpty &&
      [this.#spent, ...this.#parts].every((sections) => sections.every(({ writer }) => writer.isEmpty));
  }

  /** Adds a hit. */
  hit(record: NoteRecord): void {
    const { time, rules } = record;
    if (time > this.#latest) this.#latest = time;
    // A hit that is a whole window late counts only if it is counted after the hits before it.
    else if (time <= this.#latest - this.#shortest) this.#beginPart(time);
    this.#parts.at(-1)![this.#groups.spanClassOf(rules >>> GROUP_RULES)]!.put(record);
  }

  /**
   * Records that a rule counts an address anew after its last hit; `rules` names that rule. Keeps
   * the record as long as hits of its group, which would count again. A rewrite drops spent hits
   * without an end.
   */
  spend(record: NoteRecord, rule: number): void {
    const group = record.rules >>> GROUP_RULES;
    this.#drop(record, (group) => this.#groups.bitOf(group, rule));
    const { spanClasses, spans } = this.#groups;
    const kept = this.#groups.isLasting(group)
      ? spanClasses.indexOf(spans[rule]!)
      : this.#groups.spanClassOf(group);
    this.#spent[kept]!.put({ ...record, kind: SPENT, value: 0 });
  }

  /** Records that an address was forgotten. */
  forget(address: AddressWords): void {
    this.#drop(address, (group) => this.#groups.allOf(group));
    this.#forgotten.put({ ...address, kind: FORGOTTEN, rules: 0, time: 0, value: 0 });
  }

  /** Returns all notes to store, for hits until `now`, and starts the next batch. */
  take(now: Micros): BatchNotes {
    const { spanClasses } = this.#groups;
    const rows = this.#spent.flatMap((section, i) =>
      section.writer.isEmpty ? [] : [section.take(spanClasses[i]!, now)]
    );
    for (const part of this.#parts) {
      part.forEach((section, i) => {
        if (!this.#isCompact) section.writer.compact();
        if (!section.writer.isEmpty) rows.push(section.take(spanClasses[i]!));
      });
    }
    this.#parts = [this.#parts[0]!];
    this.#latest = -Infinity;
    this.#isCompact = true;
    const forgotten = this.#forgotten.isEmpty ? null : this.#forgotten.take();
    return { groups: this.#groups.takeNew(), forgotten, rows };
  }

  #beginPart(time: Micros): void {
    this.#parts.push(this.#makeSections());
    this.#latest = time;
  }

  /** Removes rules from an address's hits of this batch. */
  #drop({ w0, w1, w2, w3, prefix }: AddressWords, bitsOf: (group: number) => number): void {
    this.#isCompact = false;
    for (const section of this.#parts.flat()) {
      const all = section.writer.records();
      while (all.next()) {
        if (all.w3 !== w3 || all.w2 !== w2 || all.w1 !== w1 || all.w0 !== w0 || all.prefix !== prefix) {
          continue;
        }
        if (all.kind === HIT) all.setRules(all.rules & ~bitsOf(all.rules >>> GROUP_RULES));
      }
    }
  }

  #makeSections(): Section[] {
    return this.#groups.spanClasses.map(() => new Section());
  }
}
