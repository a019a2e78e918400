/**
 * What others changed about bans in the state (commands, the database): ends of bans, and other ends of those that go on. Comes
 * in: the numbers of changes in the state. Goes out: addresses that are free again, and bans that the firewall is to be told of.
 */
import type { Micros } from "../core/time.ts";
import { type ChangedBan, keyOf, type NewBan } from "../deciding/ban.ts";

/** What following changes needs of the state. */
export interface ChangesStore {
  /** Number of the latest change. */
  lastChange(): number;
  changedSince(change: number): ChangedBan[];
}

/** Follows what others change. */
export class Changes {
  readonly #store: ChangesStore;
  /** Ends of the bans made here since the last call of `take()`, by `keyOf()`. */
  readonly #own = new Map<string, Micros | null>();
  /** Number of the latest change that has been taken over. */
  #last: number;

  /** Begins with what the state says now. */
  constructor(store: ChangesStore) {
    this.#store = store;
    this.#last = store.lastChange();
  }

  /** Takes note of bans that were made here: they are nobody else's change. */
  made(bans: readonly NewBan[]): void {
    for (const ban of bans) this.#own.set(keyOf(ban), ban.until);
  }

  /** What others changed since the last call: addresses whose bans they ended, and bans that end otherwise now. */
  take(): { ended: string[]; moved: ChangedBan[] } {
    const last = this.#store.lastChange();
    // A state that was lost counts from a lower number.
    if (last < this.#last) this.#last = 0;
    const changed = this.#store.changedSince(this.#last);
    const moved = changed.filter((ban) => !ban.isEnded && this.#own.get(keyOf(ban)) !== ban.until);
    this.#last = last;
    this.#own.clear();
    return { ended: changed.filter(({ isEnded }) => isEnded).map(({ address }) => address), moved };
  }
}
