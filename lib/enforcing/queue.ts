/**
 * What the firewall is to be told of next, and what it is being told of. Comes in: what waits in the state. Goes out: the bans
 * of one call.
 */
import type { Micros } from "../core/time.ts";
import { type Ban, type BanStatus, type DueBans, keyOf } from "../deciding/ban.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { isOfLifts, Turns } from "./turns.ts";

/** What the queue needs of the state. */
export interface QueueStore {
  /** Whose bans and lifts wait, ascending. */
  turns(): string[];
  toApply(due: DueBans): BanStatus[];
  toLift(due: DueBans): BanStatus[];
}

/** What the queue works with. */
export interface QueueOptions {
  readonly store: QueueStore;
  readonly firewall: Firewall;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Ends a ban that must not be applied, as its address is whitelisted; false where it may be. */
  readonly drop: (ban: Ban) => boolean;
}

/** One call of the firewall. */
export interface Work {
  readonly bans: readonly BanStatus[];
  readonly isLift: boolean;
}

/** Chooses what comes next. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #turns = new Turns();
  /** Addresses that the firewall is being told of: no two calls under way are about the same one. */
  readonly #busy = new Set<string>();
  /** The bans under way by `keyOf()`, and those among them that have changed meanwhile and are to be told once more. */
  readonly #underWay = new Set<string>();
  readonly #again = new Set<string>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** The bans of the next call, of as many turns as it takes; null where nothing is due. */
  next(): Work | null {
    const { store, firewall } = this.#options;
    let work: Work | null = null;
    for (const turn of this.#turns.order(store.turns())) {
      const isLift = isOfLifts(turn);
      if (work !== null && work.isLift !== isLift) continue;
      const found: readonly BanStatus[] = work?.bans ?? [];
      const more = this.#due(turn, { isLift, limit: firewall.batch - found.length });
      if (more.length === 0) continue;
      this.#turns.came(turn);
      work = { bans: [...found, ...more], isLift };
      if (work.bans.length >= firewall.batch) break;
    }
    return work === null ? null : { ...work, bans: this.#onceEach(work.bans) };
  }

  /** Takes note of a call that begins. */
  begin({ bans }: Work): void {
    for (const ban of bans) {
      this.#busy.add(ban.address);
      this.#underWay.add(keyOf(ban));
    }
  }

  /** Takes note of a call that has ended. */
  end({ bans }: Work): void {
    for (const ban of bans) {
      this.#busy.delete(ban.address);
      this.#underWay.delete(keyOf(ban));
      this.#again.delete(keyOf(ban));
    }
  }

  /** Reports whether the firewall is being told of a ban. */
  isUnderWay(ban: Pick<Ban, "address" | "scope">): boolean {
    return this.#underWay.has(keyOf(ban));
  }

  /** Marks those of `bans` that the firewall is being told of, all without `bans`: they are to be told once more. */
  mark(bans?: Iterable<Pick<Ban, "address" | "scope">>): void {
    if (this.#underWay.size === 0) return;
    for (const key of bans === undefined ? this.#underWay : Array.from(bans, keyOf)) {
      if (this.#underWay.has(key)) this.#again.add(key);
    }
  }

  /** Reports whether a ban was marked since the call about it began. */
  isMarked(ban: Ban): boolean {
    return this.#again.has(keyOf(ban));
  }

  #due(turn: string, { isLift, limit }: { isLift: boolean; limit: number }): BanStatus[] {
    const { store, firewall, clock, drop } = this.#options;
    const due = {
      firewall: firewall.name,
      now: clock(),
      limit,
      turn,
      busy: [...this.#busy],
      isOldest: this.#turns.isForOldest(turn),
    };
    if (isLift) return store.toLift(due);
    for (;;) {
      const found = store.toApply(due);
      const bans = found.filter((ban) => !drop(ban));
      if (bans.length > 0 || found.length === 0) return bans;
    }
  }

  /** Of each address one ban where the firewall knows no scopes. */
  #onceEach(bans: readonly BanStatus[]): readonly BanStatus[] {
    if (this.#options.firewall.knowsScopes) return bans;
    return [...new Map(bans.toReversed().map((ban) => [ban.address, ban])).values()].reverse();
  }
}
