import { isOfStrangers } from "../core/address_kind.ts";
import { enclosing, MAPPED, maskOf, putAddress, wordsOf } from "../core/address.ts";
import type { Growth } from "../rules/rule.ts";
import type { Micros } from "../core/time.ts";
import type { NewBan } from "./ban.ts";
import { hashValue, seed } from "../rules/hash.ts";
import type { Room } from "../rules/note_memory.ts";
import { Notes } from "../rules/notes.ts";
import { RuleGroups } from "../rules/rule_groups.ts";

/** Says when to ban a network for the bans inside of it. */
export interface NetworkStep {
  /** Prefix length of IPv4 networks; null: they are not banned. */
  readonly ipv4: number | null;
  readonly ipv6: number | null;
  /** Allowed number of banned members; the next one bans the network. */
  readonly limit: number;
  /** How long a ban counts. */
  readonly window: Micros;
  readonly banTime: Micros | null;
  readonly growth: Growth;
}

/** A network whose number of bans passed a step's limit. */
export interface NetworkTrip {
  readonly network: string;
  readonly step: NetworkStep;
  /** Banned members within the window. */
  readonly count: number;
}

/** Most counted networks of all steps, with some members each: 24 MiB. */
const ROOM: Room = { addresses: 200_000, bytes: 60 };

/**
 * Counts the bans inside of networks: of addresses in the first step, of the networks banned by the
 * step before in each further one. A member counts once, by its last ban. Times are those of the
 * bans.
 */
export class Networks {
  readonly #steps: readonly NetworkStep[];
  /** Group of each step. */
  readonly #numbers: readonly number[];
  readonly #notes: Notes;
  readonly #seed = seed();
  readonly #words = new Int32Array(4);
  readonly #bytes = new Uint8Array(this.#words.buffer);

  constructor(steps: readonly NetworkStep[], room: Room = ROOM) {
    this.#steps = steps;
    const groups = new RuleGroups(steps.map(({ limit, window }, i) => ({
      limit,
      window,
      distinct: "member",
      module: "network",
      name: String(i),
    })));
    this.#numbers = steps.map((_, i) => groups.numberOf([i]));
    this.#notes = new Notes(groups, room);
  }

  /** Counts a ban. Returns the network to ban for it; null: none. */
  add({ address, start }: Pick<NewBan, "address" | "start">): NetworkTrip | null {
    const words = this.#words;
    const bits = putAddress(address, words);
    const isIPv6 = address.includes(":");
    // Called for each ban of the last days at a start: makes no text; an index beats entries().
    for (let i = 0; i < this.#steps.length; i++) {
      const step = this.#steps[i]!;
      const length = isIPv6 ? step.ipv6 : step.ipv4;
      if (length === null || isIPv6 && isOfStrangers(address, length)) continue;
      const prefix = isIPv6 ? length : length + MAPPED;
      if (prefix >= bits) continue;
      const count = this.#count(i, { bits, prefix, time: start });
      return count <= step.limit ? null : { network: enclosing(address, length), step, count };
    }
    return null;
  }

  /** Counts the bans inside of a network from nothing, as after its ban. */
  forget(network: string): void {
    this.#notes.forget(wordsOf(network));
  }

  /** Frees networks without a ban in the windows that end at `now`. */
  sweep(now: Micros): void {
    this.#notes.sweep(now);
  }

  /**
   * Counts the member in `#words` in the network of its first `prefix` bits. Returns the number of
   * members if it could pass the limit, otherwise 0.
   */
  #count(step: number, { bits, prefix, time }: { bits: number; prefix: number; time: Micros }): number {
    const notes = this.#notes;
    const words = this.#words;
    const value = hashValue(this.#seed ^ bits, this.#bytes, 0, this.#bytes.length);
    notes.select(
      words[0]! & maskOf(prefix),
      words[1]! & maskOf(prefix - 32),
      words[2]! & maskOf(prefix - 64),
      words[3]! & maskOf(prefix - 96),
      prefix,
    );
    notes.time[0] = time;
    const group = this.#numbers[step]!;
    const isNew = notes.renew(group, value);
    if (isNew) notes.add(group, 1, value);
    if (isNew && !notes.mayPassLimit) return 0;
    const count = notes.count()[step]!;
    if (count > this.#steps[step]!.limit) notes.spend(step);
    return count;
  }
}
