/**
 * Follows changes of bans by others (commands, the database): ends, and moved ends. In: numbers of
 * changes in the state. Out: addresses that are free again, and bans to tell the firewall of.
 */
import type { Micros } from "../core/time.ts";
import { type ChangedBan, keyOf, type NewBan } from "../deciding/ban.ts";

/** The state's methods that `Changes` uses. */
export interface ChangesState {
  lastChange(): number;
  changedSince(change: number): ChangedBan[];
}

/** Follows others' changes. */
export class Changes {
  readonly #state: ChangesState;
  /** Ends of bans made here since the last `take()`, by `keyOf()`. */
  readonly #own = new Map<string, Micros | null>();
  /** Number of the latest change handled. */
  #last: number;

  /** Begins at the state's latest change. */
  constructor(state: ChangesState) {
    this.#state = state;
    this.#last = state.lastChange();
  }

  /** Remembers bans made here, which are no change by others. */
  made(bans: readonly NewBan[]): void {
    for (const ban of bans) this.#own.set(keyOf(ban), ban.until);
  }

  /** Returns others' changes since the last call: addresses with ended bans, and moved bans. */
  take(): { ended: string[]; moved: ChangedBan[] } {
    const last = this.#state.lastChange();
    // A new state after a loss counts from a lower number.
    if (last < this.#last) this.#last = 0;
    const changed = this.#state.changedSince(this.#last);
    const moved = changed.filter((ban) => !ban.isEnded && this.#own.get(keyOf(ban)) !== ban.until);
    this.#last = last;
    this.#own.clear();
    return { ended: changed.filter(({ isEnded }) => isEnded).map(({ address }) => address), moved };
  }
}
