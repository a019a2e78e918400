import {
  type AddressWords,
  FORGOTTEN,
  GROUP_RULES,
  HIT,
  type NoteRecord,
  NoteWriter,
  SPENT,
} from "../core/note_record.ts";
import type { Micros } from "../core/time.ts";
import type { RuleGroups, StoredGroup } from "./rule_groups.ts";

/** Notes that are stored together. */
export interface NoteRow {
  /** When none of them matters any more; null: never. */
  readonly until: Micros | null;
  /** Records, to be counted again in their order. */
  readonly content: Uint8Array;
}

/** What the counting of a batch has to store, in this order. */
export interface BatchNotes {
  /** Groups of rules that records name and that are not stored yet. */
  readonly groups: readonly StoredGroup[];
  /** Records of addresses that begin anew, to be kept as long as any record from before; null: there are none. */
  readonly forgotten: Uint8Array | null;
  readonly rows: readonly NoteRow[];
}

/** Notes that were stored. */
export interface StoredNotes {
  /** Of the hashes of values. */
  readonly seed: number;
  groups(): Iterable<StoredGroup>;
  /** The records of all rows, in order. */
  contents(): Iterable<Uint8Array>;
}

/** Records whose longest windows are of one length. */
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
 * Gathers the records of a batch, those together that stop mattering together. What is spent or forgotten concerns earlier batches
 * and comes first: hits of this batch that it uses up are dropped at once.
 */
export class NoteBatch {
  readonly #groups: RuleGroups;
  /** By the class of the longest window. */
  readonly #spent: Section[];
  /** Parts of the batch, in each of which the order of sections does not matter. */
  #parts: Section[][];
  /** Time of the newest hit in the last part. */
  #latest: Micros = -Infinity;
  readonly #shortest: Micros;
  readonly #forgotten = new NoteWriter();
  #isPruned = true;

  constructor(groups: RuleGroups) {
    this.#groups = groups;
    this.#shortest = Math.min(...groups.spans);
    this.#spent = this.#makeSections();
    this.#parts = [this.#makeSections()];
  }

  /** Whether there is nothing to store. */
  get isEmpty(): boolean {
    return this.#forgotten.isEmpty &&
      [this.#spent, ...this.#parts].every((sections) => sections.every(({ writer }) => writer.isEmpty));
  }

  /** Takes a hit in. */
  hit(record: NoteRecord): void {
    const { time, rules } = record;
    if (time > this.#latest) this.#latest = time;
    // A hit that came a whole window late counts only if it is counted behind those before it.
    else if (time <= this.#latest - this.#shortest) this.#beginPart(time);
    this.#parts.at(-1)![this.#groups.spanClassOf(rules >>> GROUP_RULES)]!.put(record);
  }

  /** Takes in that an address begins anew in one rule, after its last hit; `rules` of the record names that rule alone. */
  spend(record: NoteRecord, rule: number): void {
    this.#drop(record, (group) => this.#groups.bitOf(group, rule));
    const { spanClasses, spans } = this.#groups;
    this.#spent[spanClasses.indexOf(spans[rule]!)]!.put({ ...record, kind: SPENT, value: 0 });
  }

  /** Takes in that an address begins anew in all rules. */
  forget(address: AddressWords): void {
    this.#drop(address, (group) => this.#groups.allOf(group));
    this.#forgotten.put({ ...address, kind: FORGOTTEN, rules: 0, time: 0, value: 0 });
  }

  /** Takes all that is to be stored, of hits that came until `now`, and begins anew. */
  take(now: Micros): BatchNotes {
    const { spanClasses } = this.#groups;
    const rows = this.#spent.flatMap((section, i) =>
      section.writer.isEmpty ? [] : [section.take(spanClasses[i]!, now)]
    );
    for (const part of this.#parts) {
      part.forEach((section, i) => {
        if (!this.#isPruned) section.writer.prune();
        if (!section.writer.isEmpty) rows.push(section.take(spanClasses[i]!));
      });
    }
    this.#parts = [this.#parts[0]!];
    this.#latest = -Infinity;
    this.#isPruned = true;
    const forgotten = this.#forgotten.isEmpty ? null : this.#forgotten.take();
    return { groups: this.#groups.takeMade(), forgotten, rows };
  }

  #beginPart(time: Micros): void {
    this.#parts.push(this.#makeSections());
    this.#latest = time;
  }

  /** Takes rules off an address's hits of this batch. */
  #drop({ w0, w1, w2, w3, prefix }: AddressWords, bitsOf: (group: number) => number): void {
    this.#isPruned = false;
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
