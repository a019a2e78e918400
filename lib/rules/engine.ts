import { type AddressWords, textOfWords, wordsOf } from "../core/address.ts";
import { GROUP_RULES, HIT, type NoteRecord, SPENT } from "./note_record.ts";
import type { AddressReader } from "../core/address_reader.ts";
import { addressOf } from "../core/address_text.ts";
import type { Automaton } from "../reading/automaton.ts";
import type { LogEvent } from "../reading/event.ts";
import { EACH, type MessageReader, NEVER, ONCE } from "../reading/message_reader.ts";
import type { Micros } from "../core/time.ts";
import type { Rule, Trip } from "./rule.ts";
import type { Bursts } from "./bursts.ts";
import { CountedModule, type RuledModule } from "./counted_module.ts";
import { hashValue, seed } from "./hash.ts";
import { type BatchNotes, NoteBatch, type StoredNotes } from "./note_batch.ts";
import { ModuleNotes, type SomeNotes } from "./module_notes.ts";
import type { Room } from "./note_memory.ts";
import type { Notes } from "./notes.ts";
import { RuleGroups } from "./rule_groups.ts";
import { putCounted } from "./counted_address.ts";
import { RuleHits } from "./rule_hits.ts";
import { type NotePlan, type NumberedRule, numberRules, type PlannedNote, planNotes } from "./note_plan.ts";
import { userLenience } from "./users.ts";

/** Options of counting. */
export interface EngineOptions {
  /** Prefix length of counted networks of IPv6. Default: 128, each address by itself. */
  readonly ipv6Prefix?: number;
  /** Factor of a rule's limit for the counted address `address`. Default: 1. */
  readonly lenience?: (address: string, time: Micros, rule: NumberedRule) => number;
  /** Whether `takeNotes()` will be called. Default: true. */
  readonly isStored?: boolean;
  /** Room of each module. Default: a million addresses in 84 MiB. */
  readonly room?: Room;
}

/** Number of hits that count for a rule. */
export interface RuleCount {
  readonly module: string;
  readonly rule: Rule;
  readonly count: number;
}

/** Matches events against rules and counts their hits by the events' own time. Reads no clock. */
export class Engine {
  readonly #rules: readonly NumberedRule[];
  readonly #options: EngineOptions;
  readonly #lenience: NonNullable<EngineOptions["lenience"]>;
  readonly #ipv6Prefix: number;
  /** By module index. */
  readonly #modules: readonly CountedModule[];
  #notes!: ModuleNotes;
  #groups!: RuleGroups;
  #batch!: NoteBatch;
  #seed = 0;
  #generation = 0;
  /** The current hit. */
  readonly #record = { kind: HIT, w0: 0, w1: 0, w2: 0, w3: 0, prefix: 128, rules: 0, time: 0, value: 0 };
  /** Whether the current event is a refusal that a user met. */
  #isOfUser = false;
  /** Trips since the last `takeTrips()`. */
  #trips: Trip[] = [];
  /** Trips of the current event, with the numbers of their rules. */
  readonly #passed: { readonly rule: number; readonly trip: Trip }[] = [];
  #ruleHits!: RuleHits;

  constructor(modules: readonly RuledModule[], options: EngineOptions = {}) {
    this.#rules = numberRules(modules);
    this.#modules = modules.map((module) =>
      new CountedModule(module, this.#rules.filter((rule) => rule.module === module.name))
    );
    this.#options = options;
    this.#lenience = options.lenience ?? (() => 1);
    this.#ipv6Prefix = options.ipv6Prefix ?? 128;
    this.#begin(seed());
  }

  /** Returns the automaton of a module's texts. The module's reader may run it. */
  automatonOf(module: number): Automaton {
    return this.#modules[module]!.set.automaton;
  }

  /** Returns the names of the rules that an event hits, and counts nothing. */
  match(event: LogEvent): string[] {
    return this.#modules[event.module]!.set.verdict(event).rules.map(({ name }) => name);
  }

  /** Counts an event. Returns whether a rule matches: none if untrusted or without address. */
  add(event: LogEvent): boolean {
    const { reader, time } = event;
    if (!event.isTrusted || !reader.address.isAddress) return false;
    const counted = this.#modules[event.module]!;
    const { set, bursts } = counted;
    putCounted(reader.address, this.#ipv6Prefix, this.#record);
    this.#isOfUser = this.#meetsUser(event, counted);
    const verdict = set.verdict(event);
    if (verdict.rules.length === 0) return false;
    const plan = verdict.notePlan ??
      (verdict.notePlan = planNotes(this.#groups, { rules: verdict.rules, fields: reader.fields }));
    if (reader.counting === NEVER) return true;
    this.#record.time = time;
    if (reader.counting === EACH && event.count === 1) {
      for (let i = 0; i < plan.length; i++) this.#hit(plan[i]!, plan[i]!.all, event);
      this.#endEvent();
    } else this.#addForSome(event, plan, bursts);
    return true;
  }

  /**
   * Counts an event that each rule may count otherwise: several times, or not at all. No rule looks
   * at another, so a rule more in a configuration changes no bans of the others.
   */
  #addForSome(event: LogEvent, plan: NotePlan, bursts: Bursts): void {
    const times = plan.map(({ rules }) => rules.map((rule) => this.#timesOf(event, rule, bursts)));
    const most = Math.max(...times.flat());
    for (let n = 0; n < most; n++) {
      plan.forEach((planned, i) => {
        const bits = times[i]!.reduce((bits, count, rule) => count > n ? bits | 1 << rule : bits, 0);
        this.#hit(planned, bits, event);
      });
      this.#endEvent();
    }
  }

  /** Sorts the event's trips by the rules' order: of equal bans the first is decided. */
  #endEvent(): void {
    if (this.#passed.length === 0) return;
    const passed = this.#passed.splice(0).sort((a, b) => a.rule - b.rule);
    this.#trips.push(...passed.map(({ trip }) => trip));
  }

  /** Returns how often a rule counts an event: if repeated, enough to pass the limit, and no more. */
  #timesOf({ reader, count, time }: LogEvent, rule: NumberedRule, bursts: Bursts): number {
    const address = textOfWords(this.#record);
    if (reader.counting === ONCE && !bursts.begins(rule.number, address, time)) return 0;
    if (count === 1) return 1;
    const limit = rule.limit * (this.#isOfUser ? userLenience(rule) : 1);
    return Math.min(count, Math.floor(limit * this.#lenience(address, time, rule)) + 1);
  }

  /** Returns the trips since the last call, in order. */
  takeTrips(): Trip[] {
    const trips = this.#trips;
    this.#trips = [];
    return trips;
  }

  /** Returns the notes to store since the last call, for hits until `now`. */
  takeNotes(now: Micros): BatchNotes {
    return this.#batch.take(now);
  }

  /**
   * Returns the rules hit since the last call, with the newest hit's time and the number of hits:
   * one per value for a rule with `distinct`.
   */
  takeRuleHits(): { module: string; rule: string; time: Micros; count: number }[] {
    return this.#ruleHits.take().map(({ rule, time, count }) => {
      const { module, name } = this.#rules[rule]!;
      return { module, rule: name, time, count };
    });
  }

  /** Replaces all counts by the stored ones. Skips rules that are no longer configured. */
  restore(stored: StoredNotes): void {
    this.#begin(stored.seed);
    for (const group of stored.groups()) this.#groups.restore(group);
    this.#groups.keepOnly(this.#notes.restore(stored.contents()));
    // They were counted when they were evicted first.
    this.#notes.takeEvicted();
  }

  /** Makes the next notes name all groups of rules again: the state may have lost some. */
  nameGroups(): void {
    this.#groups.markAllNew();
  }

  /** Forgets an address or network: every rule counts it from nothing. */
  forget(address: string): void {
    const words = wordsOf(address);
    this.#notes.forget(words);
    this.#trips = this.#trips.filter((trip) => trip.address !== address);
    if (this.#options.isStored !== false) this.#batch.forget(words);
  }

  /** Returns the hits of a counted address that count at `time`, for each rule with some. */
  countsAt(address: string, time: Micros): RuleCount[] {
    const words = wordsOf(address);
    const found: RuleCount[] = [];
    this.#modules.forEach((_, module) =>
      this.#countAt(words, { module, time, act: (count) => found.push(count) })
    );
    return found;
  }

  /** Calls `act` with the words of each counted address, and each of its counts at `time`. */
  eachCountAt(time: Micros, act: (address: AddressWords, count: RuleCount) => void): void {
    this.#modules.forEach((_, module) => {
      for (const address of this.#notes.find(module)?.counted() ?? []) {
        this.#countAt(address, { module, time, act: (count) => act(address, count) });
      }
    });
  }

  #countAt(
    address: AddressWords,
    { module, time, act }: { module: number; time: Micros; act: (count: RuleCount) => void },
  ): void {
    const counts = this.#notes.find(module)?.countAt(address, time);
    for (const rule of counts === undefined ? [] : this.#modules[module]!.rules) {
      const count = counts![rule.number]!;
      if (count > 0) act({ module: rule.module, rule, count });
    }
  }

  /** Returns the counted address of an event. */
  countedAddressOf({ reader }: LogEvent): string {
    putCounted(reader.address, this.#ipv6Prefix, this.#record);
    return textOfWords(this.#record);
  }

  /** Frees addresses without a hit in their windows that end at `now`, some at each call. */
  sweep(now: Micros): void {
    this.#notes.sweep(now);
  }

  /**
   * Returns notes that the state keeps without an end, so that it can replace its own, of some
   * addresses from number `number` on. Null: ask later, as some notes are not stored yet.
   */
  lasting(number: number): SomeNotes | null {
    return this.#batch.isEmpty ? this.#notes.dump(number) : null;
  }

  /** Number of times that all counting began anew; then `lasting()` must begin at 0 again. */
  get generation(): number {
    return this.#generation;
  }

  /** Number of counted addresses. */
  get tracked(): number {
    return this.#notes.size;
  }

  /** Returns the number of addresses evicted for want of room since the last call. */
  takeEvicted(): number {
    return this.#notes.takeEvicted();
  }

  #begin(seed: number): void {
    this.#generation++;
    this.#seed = seed;
    this.#groups = new RuleGroups(this.#rules);
    const names = this.#modules.map(({ name }) => name);
    this.#notes = new ModuleNotes(names, { groups: this.#groups, room: this.#options.room });
    this.#batch = new NoteBatch(this.#groups);
    this.#trips = [];
    this.#ruleHits = new RuleHits(this.#groups);
    for (const module of this.#modules) module.clear();
  }

  /** Reports whether a user met a refusal in this event; remembers users who are served. */
  #meetsUser(event: LogEvent, { users, answer }: CountedModule): boolean {
    return event.reader.status > 0 && users.see(this.#record, answer.of(event));
  }

  /** @param bits rules that count */
  #hit(planned: PlannedNote, bits: number, { reader, module }: LogEvent): void {
    const record = this.#record;
    const notes = this.#notes.make(module);
    record.value = 0;
    if (planned.field >= 0) {
      // An event without the field has no value and makes no hit.
      if (reader.from[planned.field]! < 0) bits &= ~planned.distinct;
      else record.value = this.#hash(reader, planned.field);
    }
    if (bits === 0) return;
    notes.select(record.w0, record.w1, record.w2, record.w3, record.prefix);
    notes.time[0] = record.time;
    bits = notes.add(planned.group, bits, record.value);
    if (bits === 0) return;
    this.#ruleHits.add(planned.group, bits, record.time);
    if (this.#options.isStored !== false) {
      record.rules = planned.group << GROUP_RULES | bits;
      this.#batch.hit(record as NoteRecord);
    }
    if (notes.mayPassLimit) this.#makeTrips(planned, bits, { notes, source: reader.address });
  }

  #hash(reader: MessageReader, field: number): number {
    const { array } = reader.bytesOf(field);
    return hashValue(this.#seed, array, reader.from[field]!, reader.to[field]!);
  }

  /** Makes a trip for each rule of a note whose limit was passed. */
  #makeTrips(
    { group, rules }: PlannedNote,
    bits: number,
    { notes, source }: { notes: Notes; source: AddressReader },
  ): void {
    const counts = notes.count();
    for (let i = 0; i < rules.length; i++) {
      const rule = rules[i]!;
      const count = counts[rule.number]!;
      if ((bits & 1 << i) === 0 || count <= rule.limit) continue;
      const address = textOfWords(this.#record);
      const { time } = this.#record;
      const limit = rule.limit * this.#lenience(address, time, rule);
      if (count <= limit || this.#isLenient(rule, { count, limit })) continue;
      const { module, name, reason, banTime, growth, scope } = rule;
      const who = { address, source: addressOf(source)!, module, rule: name, reason };
      this.#passed.push({ rule: rule.number, trip: { ...who, time, count, banTime, growth, scope } });
      notes.spend(rule.number);
      if (this.#options.isStored === false) continue;
      this.#batch.spend({ ...this.#record, kind: SPENT, rules: group << GROUP_RULES | 1 << i }, rule.number);
    }
  }

  /**
   * Reports whether a user may have a count past the limit. Once allowed, it stays so until it
   * falls: hits outlast a restart and the ten minutes for which a user is remembered.
   */
  #isLenient(rule: NumberedRule, { count, limit }: { count: number; limit: number }): boolean {
    return count <= limit * userLenience(rule) && (this.#isOfUser || count - 1 > limit);
  }
}
