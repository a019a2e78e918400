import { FORGOTTEN, GROUP_MASK, GROUP_RULES, HIT, type NoteWriter } from "./note_record.ts";
import type { Micros } from "../core/time.ts";
import { COUNT, LATEST, PREFIX, PREFIX_MASK } from "./note_addresses.ts";
import { type NoteMemory, RULES, VALUE } from "./note_memory.ts";
import type { RunningCounts } from "./running_count.ts";
import type { RuleGroups } from "./rule_groups.ts";

/** Addresses visited in one call: some milliseconds of work. */
const [SWEPT, DUMPED] = [1 << 16, 1 << 13];

/** Visits all addresses, a part at each call, to drop silent ones or to write notes. */
export class NoteSweeper {
  readonly #memory: NoteMemory;
  readonly #groups: RuleGroups;
  readonly #running: RunningCounts;
  readonly #shortest: Micros;
  #swept = 0;

  constructor(memory: NoteMemory, groups: RuleGroups, running: RunningCounts) {
    this.#memory = memory;
    this.#groups = groups;
    this.#running = running;
    this.#shortest = Math.min(...groups.spans);
  }

  /** Drops notes of rules that their address has not hit in the window that ends at `now`. */
  sweep(now: Micros): void {
    const { words, times, addresses } = this.#memory;
    const from = this.#swept < addresses.taken ? this.#swept : 0;
    const to = this.#swept = Math.min(addresses.taken, from + SWEPT);
    for (let number = from; number < to; number++) {
      const at = addresses.placeOf(number);
      if (words[at + COUNT] === 0 || times[at + LATEST >> 1]! > now - this.#shortest) continue;
      this.#running.drop(at);
      if (this.#removeOld(at, now) === 0) this.#memory.drop(at);
    }
  }

  /** See `Notes.dump()`. */
  dump(number: number, writer: NoteWriter): number | null {
    const { words, addresses } = this.#memory;
    const to = Math.min(addresses.taken, number + DUMPED);
    for (; number < to; number++) {
      const at = addresses.placeOf(number);
      if (words[at + COUNT]! > 0) this.#write(at, writer);
    }
    return number < addresses.taken ? number : null;
  }

  #write(at: number, writer: NoteWriter): void {
    const count = this.#memory.list(at);
    const { words, times, places } = this.#memory;
    let lasting = -1;
    for (let i = 0; i < count && lasting < 0; i++) {
      const group = words[places[i]! + RULES]! >>> GROUP_RULES;
      if (this.#groups.isLasting(group)) lasting = group;
    }
    if (lasting < 0) return;
    const [w0, w1, w2, w3] = words.subarray(at, at + 4) as unknown as [number, number, number, number];
    const address = { w0, w1, w2, w3, prefix: words[at + PREFIX]! & PREFIX_MASK };
    // The address's notes of other modules are written separately.
    writer.put({ kind: FORGOTTEN, ...address, rules: lasting << GROUP_RULES | 1, time: 0, value: 0 });
    for (let i = 0; i < count; i++) {
      const place = places[i]!;
      const rules = words[place + RULES]!;
      if ((rules & GROUP_MASK) === 0) continue;
      writer.put({ kind: HIT, ...address, rules, time: times[place >> 1]!, value: words[place + VALUE]! });
    }
  }

  /** Removes rules with windows over from the notes at `at`; returns the notes left. */
  #removeOld(at: number, now: Micros): number {
    const { words, times } = this.#memory;
    const newest = new Map<number, Micros>();
    const count = this.#memory.list(at);
    const notes = this.#memory.places.subarray(0, count);
    for (const place of notes) {
      const time = times[place >> 1]!;
      this.#groups.eachRule(words[place + RULES]!, (rule) => {
        if (!(newest.get(rule)! >= time)) newest.set(rule, time);
      });
    }
    for (const place of notes) {
      this.#groups.eachRule(words[place + RULES]!, (rule, bit) => {
        if (newest.get(rule)! <= now - this.#groups.spans[rule]!) words[place + RULES]! &= ~bit;
      });
    }
    return this.#memory.compact(at, count);
  }
}
