import type { AddressWords } from "../core/address.ts";
import { GROUP_MASK, GROUP_RULES, type NoteWriter } from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import { COUNT, HAS_LATE, LATEST, NONE, type NoteAddresses, PREFIX, SLACK } from "./note_addresses.ts";
import { NoteSweeper } from "./note_sweeper.ts";
import { NoteMemory, ROOM, type Room, RULES, VALUE } from "./note_memory.ts";
import { RunningCount, RunningCounts } from "./running_count.ts";
import { FIRST_RULE, ROW, type RuleGroups } from "./rule_groups.ts";

/** Number of an address's notes from which on a `RunningCount` counts them step by step. */
const MANY = 128;
/**
 * Most slack of an address with few notes: after that many further notes, old ones are looked for.
 */
const FEW = 8;

/**
 * One note for each line that hits rules, however many rules. Counts are made from notes, and only
 * if a limit could be passed: the slack of an address is the number of further notes that cannot
 * pass one.
 *
 * A hit counts until a hit of the same rule comes that is a window or more newer. A late hit counts
 * with the hits less than a window before and after it. Times are those of the hits; there is no
 * clock. For want of room an address that has been silent for long is evicted.
 */
export class Notes {
  /** Time of the next note, in an array cell: V8 would allocate an object for an argument. */
  readonly time = new Float64Array(1);
  /** Whether the last note may have passed a limit; then `count()` tells. */
  mayPassLimit = false;
  readonly #groups: RuleGroups;
  readonly #memory: NoteMemory;
  readonly #addresses: NoteAddresses;
  readonly #running = new RunningCounts();
  /** Place of the selected address. */
  #at = NONE;
  readonly #counts: Float64Array;
  /** Counts made by a running count. */
  readonly #runningCounts: Float64Array;
  /** Time of the newest note that a walk has passed, by rule; -Infinity: none. */
  readonly #newest: Float64Array;
  /** Rules seen in the last walk. */
  readonly #seen: number[] = [];
  readonly #sweeper: NoteSweeper;
  #evicted = 0;

  constructor(groups: RuleGroups, room: Room = ROOM) {
    this.#groups = groups;
    this.#memory = new NoteMemory(room);
    this.#addresses = this.#memory.addresses;
    this.#counts = new Float64Array(groups.ruleCount);
    this.#runningCounts = new Float64Array(groups.ruleCount);
    this.#newest = new Float64Array(groups.ruleCount).fill(-Infinity);
    this.#sweeper = new NoteSweeper(this.#memory, groups, this.#running);
  }

  /** Number of counted addresses. */
  get size(): number {
    return this.#addresses.size;
  }

  /** Yields the counted addresses. */
  counted(): Iterable<AddressWords> {
    return this.#addresses.all();
  }

  /** Returns the number of addresses evicted for want of room since the last call. */
  takeEvicted(): number {
    const evicted = this.#evicted;
    this.#evicted = 0;
    return evicted;
  }

  /** Selects the address of the notes that follow. */
  select(w0: number, w1: number, w2: number, w3: number, prefix: number): void {
    const addresses = this.#addresses;
    let at = this.#at;
    if (at === NONE || !addresses.isAt(at, w0, w1, w2, w3, prefix)) {
      at = addresses.find(w0, w1, w2, w3, prefix);
      if (at === NONE) {
        if (addresses.isFull) this.#evict(addresses.oldest(NONE, false));
        at = addresses.add(w0, w1, w2, w3, prefix);
        addresses.words[at + SLACK] = FEW;
      }
      this.#at = at;
    }
    addresses.touch(at);
  }

  /**
   * Adds a note of the selected address at `time`, with hits of the rules `bits` of a group.
   * `value` is the hash of the distinct value, 0 without. Returns the bits that count: none for a
   * known value.
   */
  add(group: number, bits: number, value: number): number {
    const { times } = this.#memory;
    const at = this.#at;
    const time = this.time[0]!;
    const isLate = time < times[at + LATEST >> 1]!;
    if (value !== 0) {
      bits &= ~this.#known(group, value, isLate);
      if (bits === 0) {
        this.mayPassLimit = false;
        return 0;
      }
    }
    this.#take(group << GROUP_RULES | bits, value, isLate);
    return bits;
  }

  /**
   * Adds a stored note, which passed no limit and had no known value. An address may have thousands
   * past a limit, if the record that they were spent has ended: without a running count, counts them
   * at each doubling.
   */
  restore(group: number, bits: number, value: number): void {
    const { words, times } = this.#memory;
    const at = this.#at;
    this.#take(group << GROUP_RULES | bits, value, this.time[0]! < times[at + LATEST >> 1]!);
    const count = words[at + COUNT]!;
    if (this.mayPassLimit && ((count & count - 1) === 0 || this.#running.get(at))) this.count();
  }

  #take(rules: number, value: number, isLate: boolean): void {
    const { words, times } = this.#memory;
    const at = this.#at;
    let place = this.#memory.append(at);
    while (place === NONE) {
      this.#makeRoom();
      place = this.#memory.append(at);
    }
    times[place >> 1] = this.time[0]!;
    words[place + RULES] = rules;
    words[place + VALUE] = value;
    if (words[at + COUNT]! > MANY) this.#running.get(at)?.add(place);
    if (isLate) words[at + PREFIX]! |= HAS_LATE;
    else times[at + LATEST >> 1] = this.time[0]!;
    const slack = isLate ? 0 : Math.min(words[at + SLACK]!, this.#groups.lowestLimit(rules >>> GROUP_RULES));
    this.mayPassLimit = slack === 0;
    words[at + SLACK] = Math.max(0, slack - 1);
  }

  /**
   * Returns the counts of the selected address for the rules of its last note, in the windows
   * around `time`. Call it only if `mayPassLimit`. Valid until the next call.
   */
  count(): Float64Array {
    const running = this.#running.get(this.#at);
    const slack = running?.count(this.time[0]!, this.#runningCounts) ?? -1;
    if (slack < 0) {
      this.#walk();
      return this.#counts;
    }
    this.#memory.words[this.#at + SLACK] = slack;
    return this.#runningCounts;
  }

  /**
   * Returns the counts of an address in the windows around `time`, by rule, until the next call.
   */
  countAt(address: AddressWords, time: Micros): Float64Array {
    this.#clearCounts();
    this.time[0] = time;
    if (this.selectKnown(address)) this.#walk();
    return this.#counts;
  }

  /** Spends the notes of the selected address for one rule: it counts the address from nothing. */
  spend(rule: number): void {
    const at = this.#at;
    if (at === NONE) return;
    const running = this.#running.get(at);
    if (running) return running.spend(rule);
    const count = this.#memory.list(at);
    const { words, places } = this.#memory;
    let live = 0;
    for (let i = 0; i < count; i++) {
      const place = places[i]! + RULES;
      words[place]! &= ~this.#groups.bitOf(words[place]! >>> GROUP_RULES, rule);
      live |= words[place]! & GROUP_MASK;
    }
    if (live === 0) this.#drop(at);
    else this.#memory.compact(at, count);
  }

  /** Selects an address if it is counted, and returns whether it is. */
  selectKnown({ w0, w1, w2, w3, prefix }: AddressWords): boolean {
    this.#at = this.#addresses.find(w0, w1, w2, w3, prefix);
    return this.#at !== NONE;
  }

  /** Forgets an address: every rule counts it from nothing. */
  forget(address: AddressWords): void {
    if (this.selectKnown(address)) this.#drop(this.#at);
  }

  /** Makes the selected address count a value once, at `time`; false if a later note has it. */
  renew(group: number, value: number): boolean {
    const count = this.#memory.list(this.#at);
    const { words, times, places } = this.#memory;
    for (let i = 0; i < count; i++) {
      const place = places[i]!;
      const rules = words[place + RULES]!;
      if (words[place + VALUE] !== value || rules >>> GROUP_RULES !== group || (rules & GROUP_MASK) === 0) {
        continue;
      }
      if (times[place >> 1]! > this.time[0]!) return false;
      words[place + RULES]! &= ~GROUP_MASK;
    }
    return true;
  }

  /** Drops addresses without a hit in the windows that end at `now`, some at each call. */
  sweep(now: Micros): void {
    this.#sweeper.sweep(now);
    this.#at = NONE;
  }

  /**
   * Writes the notes of some addresses from number `number` on, each behind a record that forgets
   * the address. It skips addresses without a note that is stored without an end. Returns the next
   * number; null: done.
   */
  dump(number: number, writer: NoteWriter): number | null {
    return this.#sweeper.dump(number, writer);
  }

  /** Returns the rules of a group, as bits, that counted a value in the window before `time`. */
  #known(group: number, value: number, isLate: boolean): number {
    // A later hit may have ended the notes that a late hit would find.
    if (isLate) this.#walk();
    const time = this.time[0]!;
    const running = this.#running.get(this.#at);
    if (running) return running.known(group, { value, time });
    const distinct = this.#groups.distinctOf(group);
    const count = this.#memory.list(this.#at, time - this.#groups.distinctSpanOf(group));
    const { words, times, places, first: oldest } = this.#memory;
    const { rows, spans } = this.#groups;
    let known = 0;
    for (let i = count - 1; i >= oldest; i--) {
      const place = places[i]!;
      if (words[place + VALUE] !== value) continue;
      const first = (words[place + RULES]! >>> GROUP_RULES) * ROW + FIRST_RULE;
      for (let bits = words[place + RULES]! & GROUP_MASK; bits !== 0; bits &= bits - 1) {
        const rule = rows[first + 31 - Math.clz32(bits & -bits)]!;
        if (times[place >> 1]! > time - spans[rule]!) known |= this.#groups.bitOf(group, rule) & distinct;
      }
    }
    return known;
  }

  /**
   * Counts all notes of the selected address, and removes rules ended by a later hit. It walks from
   * the newest note to the oldest, so that it has seen all later hits.
   */
  #walk(): void {
    const at = this.#at;
    this.#running.drop(at);
    this.#clearCounts();
    const count = this.#memory.list(at);
    const { words, times, places } = this.#memory;
    const { rows, spans } = this.#groups;
    const counts = this.#counts;
    const newest = this.#newest;
    const now = this.time[0]!;
    for (let i = count - 1; i >= 0; i--) {
      const place = places[i]!;
      const time = times[place >> 1]!;
      const rules = words[place + RULES]!;
      const first = (rules >>> GROUP_RULES) * ROW + FIRST_RULE + 31;
      for (let bits = rules & GROUP_MASK; bits !== 0; bits &= bits - 1) {
        const bit = bits & -bits;
        const rule = rows[first - Math.clz32(bit)]!;
        const span = spans[rule]!;
        const latest = newest[rule]!;
        if (time <= latest - span) {
          words[place + RULES]! &= ~bit;
          continue;
        }
        if (latest === -Infinity) this.#seen.push(rule);
        if (time > latest) newest[rule] = time;
        if (time > now - span && time < now + span) counts[rule]! += 1;
      }
    }
    const left = this.#memory.compact(at, count);
    // After a late note, the next ones may be late as well.
    words[at + SLACK] = now < times[at + LATEST >> 1]! ? 0 : this.#slackFor(left);
    if (left < MANY) return;
    this.#running.add(at, new RunningCount(this.#memory, this.#groups, this.#memory.list(at)));
  }

  #clearCounts(): void {
    for (let rule = this.#seen.pop(); rule !== undefined; rule = this.#seen.pop()) {
      this.#counts[rule] = 0;
      this.#newest[rule] = -Infinity;
    }
  }

  /** Returns the slack after the last walk, which left `left` notes. */
  #slackFor(left: number): number {
    const { limits } = this.#groups;
    let slack = Math.max(FEW, left);
    for (let i = 0; i < this.#seen.length; i++) {
      const rule = this.#seen[i]!;
      const count = this.#counts[rule]!;
      if (count > 0 && limits[rule]! - count < slack) slack = Math.max(0, limits[rule]! - count);
    }
    return slack;
  }

  /** Frees another address's chunks or, without one, the selected address's oldest notes. */
  #makeRoom(): void {
    const other = this.#addresses.oldest(this.#at, true);
    if (other !== NONE) return this.#evict(other);
    this.#running.drop(this.#at);
    const count = this.#memory.list(this.#at);
    const { words, places } = this.#memory;
    for (let i = 0; i < Math.max(4, (count >> 2) + 1) && i < count; i++) {
      words[places[i]! + RULES]! &= ~GROUP_MASK;
    }
    this.#memory.compact(this.#at, count);
  }

  #evict(at: number): void {
    this.#evicted++;
    this.#drop(at);
  }

  #drop(at: number): void {
    this.#running.drop(at);
    this.#memory.drop(at);
    if (this.#at === at) this.#at = NONE;
  }
}
