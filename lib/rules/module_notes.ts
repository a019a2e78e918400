import type { AddressWords } from "../core/address.ts";
import {
  GROUP_MASK,
  GROUP_RULES,
  HIT,
  type NoteRecord,
  NoteWriter,
  readNotes,
  SPENT,
} from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import type { Room } from "./note_memory.ts";
import { Notes } from "./notes.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** Notes of some addresses. */
export interface SomeNotes {
  /** Records. */
  readonly content: Uint8Array;
  /** Number of the next address; null: these were the last notes. */
  readonly next: number | null;
}

/**
 * Notes of all modules. Each has its own room: a flood of addresses evicts no other module's. Notes
 * are made for a module's first hit, as room for 84 MiB takes V8 some milliseconds.
 */
export class ModuleNotes {
  readonly #groups: RuleGroups;
  readonly #names: readonly string[];
  readonly #room: Room | undefined;
  /** By index of the module; missing: it has no hit. */
  readonly #all: (Notes | undefined)[];

  /** @param names of the modules; @param room of each */
  constructor(
    names: readonly string[],
    { groups, room }: { groups: RuleGroups; room: Room | undefined },
  ) {
    this.#groups = groups;
    this.#names = names;
    this.#room = room;
    this.#all = names.map(() => undefined);
  }

  /** Returns the notes of a module by its index; undefined: it has no hit yet. */
  find(module: number): Notes | undefined {
    return this.#all[module];
  }

  /** Returns the notes of a module by its index, and makes them for its first hit. */
  make(module: number): Notes {
    return this.#all[module] ??= new Notes(this.#groups, this.#room);
  }

  /** Number of counted addresses. */
  get size(): number {
    return this.#all.reduce((sum, notes) => sum + (notes?.size ?? 0), 0);
  }

  /** Returns the number of addresses evicted for want of room since the last call. */
  takeEvicted(): number {
    return this.#all.reduce((sum, notes) => sum + (notes?.takeEvicted() ?? 0), 0);
  }

  /** Forgets an address: every rule counts it from nothing. */
  forget(address: AddressWords): void {
    for (const notes of this.#all) notes?.forget(address);
  }

  /** Drops addresses without a hit in the windows that end at `now`, some at each call. */
  sweep(now: Micros): void {
    for (const notes of this.#all) notes?.sweep(now);
  }

  /**
   * Counts stored records in their order, and skips rules that are no longer configured. Returns
   * the groups that the records name.
   */
  restore(contents: Iterable<Uint8Array>): Set<number> {
    const named = new Set<number>();
    for (const content of contents) {
      const records = readNotes(content);
      while (records.next()) {
        named.add(records.rules >>> GROUP_RULES);
        this.#take(records);
      }
    }
    return named;
  }

  /**
   * Returns notes stored without an end, of some addresses from number `number` on. Numbers take
   * the modules in turn.
   */
  dump(number: number): SomeNotes {
    const { length } = this.#all;
    const module = number % length;
    const writer = new NoteWriter();
    const next = this.#all[module]?.dump(Math.floor(number / length), writer) ?? null;
    if (next !== null) return { content: writer.take(), next: next * length + module };
    return { content: writer.take(), next: module + 1 < length ? module + 1 : null };
  }

  #take(record: NoteRecord): void {
    if (record.kind !== HIT && record.kind !== SPENT) return this.#forgetAs(record);
    const rules = this.#groups.stillCounting(record.rules);
    if (rules === 0) return;
    const group = rules >>> GROUP_RULES;
    const module = this.#moduleOf(group);
    if (record.kind === HIT) {
      const notes = this.make(module);
      notes.select(record.w0, record.w1, record.w2, record.w3, record.prefix);
      notes.time[0] = record.time;
      return notes.restore(group, rules & GROUP_MASK, record.value);
    }
    const notes = this.#all[module];
    this.#groups.eachRule(rules, (rule) => {
      if (notes?.selectKnown(record)) notes.spend(rule);
    });
  }

  /** Forgets an address in the module of the record's group, or in all modules without a group. */
  #forgetAs(record: NoteRecord): void {
    if (record.rules === 0) this.forget(record);
    else this.#all[this.#moduleOf(record.rules >>> GROUP_RULES)]?.forget(record);
  }

  /** Returns the index of the module of a group; below 0: the module is no longer configured. */
  #moduleOf(group: number): number {
    return this.#names.indexOf(this.#groups.moduleOf(group) ?? "");
  }
}
