import { GROUP_RULES, HIT, type NoteRecord, SPENT, textOfWords, wordsOf } from "../core/note_record.ts";
import type { AddressReader } from "../core/address_reader.ts";
import { addressOf } from "../core/address_text.ts";
import type { Automaton } from "../reading/automaton.ts";
import type { LogEvent } from "../reading/event.ts";
import { EACH, type MessageForm, type MessageReader, ONCE } from "../reading/message_reader.ts";
import type { Micros } from "../core/time.ts";
import type { Rule, Trip } from "./rule.ts";
import { Answer } from "./answer.ts";
import { Bursts } from "./bursts.ts";
import { hashValue, seed } from "./hash.ts";
import { type BatchNotes, NoteBatch, type StoredNotes } from "./note_batch.ts";
import { ModuleNotes, type SomeNotes } from "./module_notes.ts";
import type { Notes, Room } from "./notes.ts";
import { RuleGroups } from "./rule_groups.ts";
import { putCounted } from "./counted_address.ts";
import { RuleHits } from "./rule_hits.ts";
import { type NumberedRule, numberRules, type PlannedNote, planNotes } from "./note_plan.ts";
import { RuleSet, type TextShare } from "./rule_set.ts";
import { Trips } from "./trips.ts";
import { userLenience, Users } from "./users.ts";

/** A module's name, rules and form of messages. */
export interface RuledModule {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly form: Pick<MessageForm, "fields" | "literals" | "parts">;
  /** Texts of the rules to share with another engine that gets the same events; default: none. */
  readonly share?: TextShare | undefined;
}

/** Options of counting. */
export interface EngineOptions {
  /** Prefix length of counted networks of IPv6. Default: 128, each address by itself. */
  readonly ipv6Prefix?: number;
  /** Factor of the limits for the counted address `address`. Default: 1. */
  readonly lenience?: (address: string, time: Micros) => number;
  /** Whether `takeNotes()` will be called. Default: true. */
  readonly isStored?: boolean;
  /** Room of each module. Default: a million addresses in 84 MiB. */
  readonly room?: Room;
}

/** Rules, users and bursts of one module. */
class CountedModule {
  readonly name: string;
  readonly rules: readonly NumberedRule[];
  readonly users = new Users();
  readonly answer: Answer;
  readonly bursts = new Bursts();
  readonly #module: RuledModule;
  #set: RuleSet | null = null;

  constructor(module: RuledModule, rules: readonly NumberedRule[]) {
    this.name = module.name;
    this.rules = rules;
    this.#module = module;
    this.answer = new Answer(module.form.fields);
  }

  /** Its rules, prepared for its first message: a service that is silent costs no start anything. */
  get set(): RuleSet {
    return this.#set ??= new RuleSet(this.rules, this.#module.form, this.#module.share);
  }

  clear(): void {
    this.#set?.clear();
    this.bursts.clear();
  }
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
  readonly #lenience: (address: string, time: Micros) => number;
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
  #trips = new Trips();
  #ruleHits!: RuleHits;

  constructor(modules: readonly RuledModule[], options: EngineOptions = {}) {
    this.#rules = numberRules(modules);
    this.#modules = modules.map((module) =>
      new CountedModule(module, this.#rules.filter(({ service }) => service === module.name))
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
    const { counting } = reader;
    if (counting !== EACH && !(counting === ONCE && bursts.begins(this.#record, time))) return true;
    this.#record.time = time;
    for (let left = event.count === 1 ? 1 : this.#timesOf(event, verdict.rules); left > 0; left--) {
      for (let i = 0; i < plan.length; i++) this.#hit(plan[i]!, event);
      this.#trips.endEvent();
    }
    return true;
  }

  /** Returns how often to count a repeated event: enough to pass every limit, and no more. */
  #timesOf({ count, time }: LogEvent, rules: readonly NumberedRule[]): number {
    const highest = Math.max(...rules.map((rule) => rule.limit * (this.#isOfUser ? userLenience(rule) : 1)));
    return Math.min(count, Math.floor(highest * this.#lenience(textOfWords(this.#record), time)) + 1);
  }

  /** Returns the trips since the last call, in order. */
  takeTrips(): Trip[] {
    return this.#trips.take();
  }

  /** Returns the notes to store since the last call, for hits until `now`. */
  takeNotes(now: Micros): BatchNotes {
    return this.#batch.take(now);
  }

  /**
   * Returns the rules hit since the last call, with the newest hit's time and the number of hits:
   * one per value for a rule with `distinct`.
   */
  takeRuleHits(): { service: string; rule: string; time: Micros; count: number }[] {
    return this.#ruleHits.take().map(({ rule, time, count }) => {
      const { service, name } = this.#rules[rule]!;
      return { service, rule: name, time, count };
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
    this.#trips.forget(address);
    if (this.#options.isStored !== false) this.#batch.forget(words);
  }

  /** Returns the hits of a counted address that count at `time`, for each rule with some. */
  countsAt(address: string, time: Micros): RuleCount[] {
    const words = wordsOf(address);
    return this.#modules.flatMap(({ rules }, module) => {
      const counts = this.#notes.find(module)?.countAt(words, time);
      return rules.flatMap((rule) => {
        const count = counts?.[rule.number] ?? 0;
        return count === 0 ? [] : [{ module: rule.service, rule, count }];
      });
    });
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
    this.#trips = new Trips();
    this.#ruleHits = new RuleHits(this.#groups);
    for (const module of this.#modules) module.clear();
  }

  /** Reports whether a user met a refusal in this event; remembers users who are served. */
  #meetsUser(event: LogEvent, { users, answer }: CountedModule): boolean {
    return event.reader.status > 0 && users.see(this.#record, answer.of(event));
  }

  #hit(planned: PlannedNote, { reader, module }: LogEvent): void {
    const record = this.#record;
    const notes = this.#notes.make(module);
    let bits = planned.all;
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
      const limit = rule.limit * this.#lenience(address, time);
      if (count <= limit || this.#isLenient(rule, { count, limit })) continue;
      const { service: module, name, reason, banTime, growth, scope } = rule;
      const who = { address, source: addressOf(source)!, module, rule: name, reason };
      this.#trips.add(rule.number, { ...who, time, count, banTime, growth, scope });
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
