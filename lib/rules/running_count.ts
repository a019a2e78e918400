import { GROUP_RULES } from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import { type NoteMemory, RULES, VALUE } from "./note_memory.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** Progress of one rule. */
interface Progress {
  /** Notes from `tail` on that count for the rule. */
  count: number;
  /** Index of the first note that may still count for the rule. */
  tail: number;
}

/** Hashes have 32 bits: a rule and a hash make one number. */
const HASHES = 2 ** 32;

/**
 * Counts the many notes of one address step by step, with two visits to each: when it comes and
 * when it grows old. An address just below a limit of thousands costs no more than others.
 */
export class RunningCount {
  /** Notes in the order in which they came. */
  readonly #places: number[] = [];
  readonly #rules = new Map<number, Progress>();
  /** Time at which each rule counted each value. */
  readonly #values = new Map<number, Micros>();
  #latest: Micros = -Infinity;
  #isSorted = true;
  readonly #memory: NoteMemory;
  readonly #groups: RuleGroups;
  /** Number of notes beyond which old ones must be dropped. */
  readonly #most: number;

  /** @param count number of notes in `memory.places` */
  constructor(memory: NoteMemory, groups: RuleGroups, count: number) {
    this.#memory = memory;
    this.#groups = groups;
    this.#most = 2 * count;
    for (let i = 0; i < count; i++) this.add(memory.places[i]!);
  }

  /** Number of counted notes. */
  get size(): number {
    return this.#places.length;
  }

  /** Adds the note at `place`, which came last. */
  add(place: number): void {
    const { words, times } = this.#memory;
    const time = times[place >> 1]!;
    if (time < this.#latest) this.#isSorted = false;
    else this.#latest = time;
    const distinct = this.#groups.distinctOf(words[place + RULES]! >>> GROUP_RULES);
    const index = this.#places.push(place) - 1;
    this.#groups.eachRule(words[place + RULES]!, (rule, bit) => {
      const progress = this.#rules.get(rule);
      if (progress) progress.count++;
      else this.#rules.set(rule, { count: 1, tail: index });
      if ((distinct & bit) !== 0) this.#values.set(keyOf(rule, words[place + VALUE]!), time);
    });
  }

  /**
   * Writes the counts of the last note's rules at its time `time` into `counts`. Returns the
   * slack: how many further notes cannot pass a limit; -1: count all notes again.
   */
  count(time: Micros, counts: Float64Array): number {
    if (this.#places.length > this.#most) return -1;
    const { limits } = this.#groups;
    let isOver = false;
    this.#groups.eachRule(this.#memory.words[this.#places.at(-1)! + RULES]!, (rule) => {
      counts[rule] = this.#removeOld(rule, time - this.#groups.spans[rule]!);
      if (counts[rule]! > limits[rule]!) isOver = true;
    });
    // If a note came late, an old note may stand behind a newer one and still count.
    if (isOver && !this.#isSorted) return -1;
    let slack = this.#most - this.#places.length;
    for (const [rule, { count }] of this.#rules) {
      if (count > 0) slack = Math.min(slack, limits[rule]! - count);
    }
    return Math.max(0, slack);
  }

  /** Returns the rules of a group, as bits, that counted a value in their windows before `time`. */
  known(group: number, { value, time }: { value: number; time: Micros }): number {
    let known = 0;
    this.#groups.eachRule(group << GROUP_RULES | this.#groups.distinctOf(group), (rule, bit) => {
      const counted = this.#values.get(keyOf(rule, value));
      if (counted !== undefined && counted > time - this.#groups.spans[rule]!) known |= bit;
    });
    return known;
  }

  /** Spends all notes for a rule. */
  spend(rule: number): void {
    if (this.#rules.has(rule)) this.#removeOld(rule, Infinity);
  }

  /** Removes a rule from notes up to `until` or the first newer note; returns the rule's count. */
  #removeOld(rule: number, until: Micros): number {
    const progress = this.#rules.get(rule)!;
    const { words, times } = this.#memory;
    for (; progress.tail < this.#places.length; progress.tail++) {
      const place = this.#places[progress.tail]!;
      const bit = this.#groups.bitOf(words[place + RULES]! >>> GROUP_RULES, rule) & words[place + RULES]!;
      if (bit === 0) continue;
      const time = times[place >> 1]!;
      if (time > until) break;
      words[place + RULES]! &= ~bit;
      progress.count--;
      const key = keyOf(rule, words[place + VALUE]!);
      if (this.#values.get(key) === time) this.#values.delete(key);
    }
    return progress.count;
  }
}

function keyOf(rule: number, hash: number): number {
  return rule * HASHES + (hash >>> 0);
}

/** Most running counts, and most notes in all of them. Their memory adds to that of the notes. */
const [MOST_COUNTS, MOST_NOTES] = [256, 1 << 18];

/** Running counts by place of their address. Too many are all dropped: they can be made again. */
export class RunningCounts {
  readonly #running = new Map<number, RunningCount>();
  #notes = 0;

  get(at: number): RunningCount | undefined {
    return this.#running.get(at);
  }

  add(at: number, running: RunningCount): void {
    if (running.size > MOST_NOTES) return;
    if (this.#running.size >= MOST_COUNTS || this.#notes + running.size > MOST_NOTES) this.#clear();
    this.#running.set(at, running);
    // A running count may grow to twice its size before it is dropped.
    this.#notes += running.size;
  }

  drop(at: number): void {
    const running = this.#running.get(at);
    if (running === undefined) return;
    this.#running.delete(at);
    if (this.#running.size === 0) this.#notes = 0;
  }

  #clear(): void {
    this.#running.clear();
    this.#notes = 0;
  }
}
