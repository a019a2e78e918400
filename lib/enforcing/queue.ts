/** Chooses the bans of a firewall's next call among those that wait in the state. */
import type { Micros } from "../core/time.ts";
import { type Ban, type BanStatus, type DueBans, keyOf } from "../deciding/ban.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Ends } from "./ends.ts";
import { isOfLifts, Turns } from "./turns.ts";

/** The state's methods that the queue uses. */
export interface QueueState {
  /** Returns the turns with waiting bans or lifts, ascending. */
  turns(): string[];
  toApply(due: DueBans): BanStatus[];
  toLift(due: DueBans): BanStatus[];
}

/** Options of the queue. */
export interface QueueOptions {
  readonly state: QueueState;
  readonly firewall: Firewall;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** The whitelist may have grown since the decision, and the command `ban` does not ask it. */
  readonly ends: Pick<Ends, "endIfWhitelisted">;
}

/** One call of the firewall. */
export interface Work {
  readonly bans: readonly BanStatus[];
  readonly isLift: boolean;
}

/** Chooses the next call. */
export class Queue {
  readonly #options: QueueOptions;
  readonly #turns = new Turns();
  /** Addresses under way. No two calls at the same time have the same address. */
  readonly #busy = new Set<string>();
  /** Bans under way by `keyOf()`, and those that changed since and must be repeated. */
  readonly #underWay = new Set<string>();
  readonly #again = new Set<string>();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** Returns the bans of the next call, from as many turns as it takes; null: nothing is due. */
  next(): Work | null {
    const { state, firewall } = this.#options;
    let work: Work | null = null;
    for (const turn of this.#turns.order(state.turns())) {
      const isLift = isOfLifts(turn);
      if (work !== null && work.isLift !== isLift) continue;
      const found: readonly BanStatus[] = work?.bans ?? [];
      const more = this.#due(turn, { isLift, limit: firewall.batch - found.length });
      if (more.length === 0) continue;
      this.#turns.came(turn);
      work = { bans: [...found, ...more], isLift };
      if (work.bans.length >= firewall.batch) break;
    }
    return work === null ? null : { ...work, bans: onceEach(work.bans, firewall) };
  }

  /** Registers a call that begins. */
  begin({ bans }: Work): void {
    for (const ban of bans) {
      this.#busy.add(ban.address);
      this.#underWay.add(keyOf(ban));
    }
  }

  /** Removes a call that has ended. */
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

  /** Marks those of `bans` that are under way, or all without `bans`, to be repeated. */
  mark(bans?: Iterable<Pick<Ban, "address" | "scope">>): void {
    if (this.#underWay.size === 0) return;
    for (const key of bans === undefined ? this.#underWay : Array.from(bans, keyOf)) {
      if (this.#underWay.has(key)) this.#again.add(key);
    }
  }

  /** Reports whether a ban was marked since its call began. */
  isMarked(ban: Ban): boolean {
    return this.#again.has(keyOf(ban));
  }

  #due(turn: string, { isLift, limit }: { isLift: boolean; limit: number }): BanStatus[] {
    const { state, firewall, clock, ends } = this.#options;
    const due = {
      firewall: firewall.name,
      now: clock(),
      limit,
      turn,
      busy: [...this.#busy],
      isOldest: this.#turns.isForOldest(turn),
    };
    if (isLift) return state.toLift(due);
    for (;;) {
      const found = state.toApply(due);
      const bans = found.filter(({ address }) => !ends.endIfWhitelisted(address));
      if (bans.length > 0 || found.length === 0) return bans;
    }
  }
}

/** Returns one ban per address, the first one, if the firewall knows no scopes. */
export function onceEach(
  bans: readonly BanStatus[],
  { knowsScopes }: Pick<Firewall, "knowsScopes">,
): readonly BanStatus[] {
  if (knowsScopes) return bans;
  return [...new Map(bans.toReversed().map((ban) => [ban.address, ban])).values()].reverse();
}
