import { formatDuration } from "../core/time.ts";
import { NetworkSet } from "../core/address.ts";
import { type Knock, type KnockConfig, type KnockKey, Knocks } from "../deciding/knock.ts";
import type { Log } from "../core/log.ts";
import type { LogEvent } from "../reading/module.ts";
import type { NewBan } from "../deciding/ban.ts";

/** What knocks need of their surroundings. */
export interface KnockingOptions {
  readonly config: KnockConfig;
  readonly log: Log;
  /** The keys as they are stored now, with their last uses. */
  readonly keys: () => KnockKey[];
  /** Called when knocks have been stored and their senders are to be let in. */
  readonly opened: () => void;
}

/** Events parted into those for the rules and the knocks among the others. */
export interface Parted {
  readonly events: readonly LogEvent[];
  readonly knocks: readonly Knock[];
}

/** Takes knocks out of what is heard, and sees to it that their senders are let in. */
export class Knocking {
  readonly #options: KnockingOptions;
  #knocks: Knocks;

  constructor(options: KnockingOptions) {
    this.#options = options;
    this.#knocks = new Knocks(options.keys(), options.config);
  }

  /** Goes by the keys as they are stored now: what was heard and not stored has not been. */
  takeKeys(): void {
    this.#knocks = new Knocks(this.#options.keys(), this.#options.config);
  }

  /** Parts events in their order; what belongs to a knock is neither for the rules nor to be recorded. */
  hear(heard: readonly LogEvent[]): Parted {
    const events: LogEvent[] = [];
    const knocks: Knock[] = [];
    for (const event of heard) {
      const knock = this.#knocks.hear(event);
      if (knock === null) events.push(event);
      else if (knock !== "known") knocks.push(knock);
    }
    return { events, knocks };
  }

  /** Lets in those whose knocks have been stored. */
  open(knocks: readonly Knock[]): void {
    if (knocks.length === 0) return;
    for (const { key, address, time, until } of knocks) {
      const span = formatDuration(until - time);
      this.#options.log.info(`whitelisting ${address} for ${span}: it knocked with the key ${key}`);
    }
    this.#options.opened();
  }
}

/** The bans without those of senders of `knocks`: who is let in by a batch is not banned by it. */
export function withoutKnocking(bans: readonly NewBan[], knocks: readonly Knock[]): readonly NewBan[] {
  if (knocks.length === 0) return bans;
  return bans.filter(({ address, start }) => {
    const letIn = knocks.filter(({ until }) => start < until);
    return !new NetworkSet(letIn.map(({ address }) => address)).touches(address);
  });
}
