import type { Trip } from "./rule.ts";

/** Gathers trips in order. */
export class Trips {
  #all: Trip[] = [];
  /** Trips of the event at hand, with the numbers of their rules. */
  readonly #passed: { readonly rule: number; readonly trip: Trip }[] = [];

  /** Takes a trip of the event at hand, by the number of its rule. */
  add(rule: number, trip: Trip): void {
    this.#passed.push({ rule, trip });
  }

  /**
   * Ends an event. Its trips stand in the configured order of their rules, whichever notes these share: of equal bans the first one is
   * decided.
   */
  endEvent(): void {
    if (this.#passed.length === 0) return;
    const passed = this.#passed.splice(0).sort((a, b) => a.rule - b.rule);
    this.#all.push(...passed.map(({ trip }) => trip));
  }

  /** Takes all trips since the last call. */
  take(): Trip[] {
    const trips = this.#all;
    this.#all = [];
    return trips;
  }

  /** Drops trips of what is counted as `address`. */
  forget(address: string): void {
    this.#all = this.#all.filter((trip) => trip.address !== address);
  }
}
