import type { Trip } from "./rule.ts";

/** Gathers trips in order. */
export class Trips {
  #all: Trip[] = [];
  /** Trips of the current event, with the numbers of their rules. */
  readonly #passed: { readonly rule: number; readonly trip: Trip }[] = [];

  /** Adds a trip of the current event, by the number of its rule. */
  add(rule: number, trip: Trip): void {
    this.#passed.push({ rule, trip });
  }

  /** Ends an event. Sorts its trips by the rules' order: of equal bans the first is decided. */
  endEvent(): void {
    if (this.#passed.length === 0) return;
    const passed = this.#passed.splice(0).sort((a, b) => a.rule - b.rule);
    this.#all.push(...passed.map(({ trip }) => trip));
  }

  /** Returns all trips since the last call. */
  take(): Trip[] {
    const trips = this.#all;
    this.#all = [];
    return trips;
  }

  /** Drops trips of the counted address `address`. */
  forget(address: string): void {
    this.#all = this.#all.filter((trip) => trip.address !== address);
  }
}
