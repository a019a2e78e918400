import { enclosing, prefixLength } from "../core/address.ts";
import type { Growth } from "../rules/rule.ts";
import type { Micros } from "../core/time.ts";
import type { NewBan } from "./ban.ts";
import { Counters, type Room } from "../rules/counters.ts";

/** When a network is banned for the bans inside of it. */
export interface NetworkStep {
  /** Length of the prefix of IPv4 networks; null: none of them is banned. */
  readonly ipv4: number | null;
  readonly ipv6: number | null;
  /** This many banned members are allowed; the next one bans the network. */
  readonly limit: number;
  /** Bans longer ago than this are not counted. */
  readonly window: Micros;
  readonly banTime: Micros | null;
  readonly growth: Growth;
}

/** A network with as many bans inside as a step allows, and one more. */
export interface NetworkTrip {
  readonly network: string;
  readonly step: NetworkStep;
  /** Banned members within the window. */
  readonly count: number;
}

/** Networks counted at most, by all steps, with some hits of each. */
const ROOM: Room = { addresses: 200_000, bytes: 96 };

/**
 * Counts the bans inside of networks, step by step: addresses for the first step, and for each further one the networks that the
 * step before it banned. Times are those of the bans.
 */
export class Networks {
  readonly #steps: readonly NetworkStep[];
  readonly #counters: Counters;

  constructor(steps: readonly NetworkStep[]) {
    this.#steps = steps;
    this.#counters = new Counters(steps.map(({ limit, window: span }) => ({ limit, span })), ROOM);
  }

  /** Counts a ban; returns the network that is to be banned for it, if any. */
  add({ address, start }: Pick<NewBan, "address" | "start">): NetworkTrip | null {
    const bits = prefixLength(address);
    for (const [i, step] of this.#steps.entries()) {
      const length = address.includes(":") ? step.ipv6 : step.ipv4;
      if (length === null || length >= bits) continue;
      const network = enclosing(address, length);
      const count = this.#counters.hit(i, { address: network, value: address, time: start });
      return count === 0 ? null : { network, step, count };
    }
    return null;
  }

  /** Counts the bans inside of a network from nothing again, as after a ban of it. */
  forget(network: string): void {
    this.#counters.forget(network);
  }

  /** Gives back the memory of networks without a ban in the windows that end at `now`. */
  sweep(now: Micros): void {
    this.#counters.sweep(now);
  }
}
