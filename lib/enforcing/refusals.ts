/** What the log hears of a firewall that refuses: each failure at once, and from then on in numbers. */
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import type { Outcome } from "../firewall/firewall.ts";

/** How soon the log hears of the same failure again. */
const AGAIN: Micros = 60_000_000;
/** Failures that are told apart. */
const MOST = 100;

/** A ban that the firewall refused. */
export interface Refusal {
  readonly ban: BanStatus;
  readonly outcome: Outcome;
}

/** Tells of refusals by what failed, not by address: 100,000 bans that one broken command refuses are a line a minute. */
export class Refusals {
  readonly #log: Log;
  readonly #clock: () => Micros;
  /** By what failed: when the log heard of it, and how many bans have met with it since, each once. */
  readonly #known = new Map<string, { told: Micros; more: number }>();
  #taken = { told: -Infinity, more: 0 };

  constructor(log: Log, clock: () => Micros) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Tells of the bans that one call refused. */
  refused(refusals: readonly Refusal[]): void {
    for (const [failure, all] of Map.groupBy(refusals, ({ outcome }) => failureOf(outcome))) {
      const fresh = all.filter(({ ban }) => ban.attempts === 0).length;
      const { error } = all.at(-1)!.outcome;
      const known = this.#known.get(failure);
      const time = this.#clock();
      if (known === undefined) {
        this.#complain(all.length > 1 ? ` ${counted(all.length, "ban")}` : "", error);
        this.#remember(failure, time);
      } else if (fresh > 0) {
        known.more += fresh;
        if (time < known.told + AGAIN) continue;
        this.#complain(` ${counted(known.more, "more ban")}`, error);
        this.#remember(failure, time);
      }
    }
  }

  /** Tells of a ban that the firewall took after it had refused it. */
  taken(ban: BanStatus): void {
    const time = this.#clock();
    const { told, more } = this.#taken;
    if (time < told + AGAIN) return void this.#taken.more++;
    const tries = counted(ban.attempts, "failed try", "failed tries");
    const others = more > 0 ? ` and ${counted(more, "other ban")}` : "";
    this.#log.info(`the firewall took ${nameOf(ban)}${others} after ${tries}`);
    this.#taken = { told: time, more: 0 };
  }

  #complain(bans: string, error: string | null): void {
    this.#log.error(`the firewall refused${bans}, trying again: ${error}`);
  }

  #remember(failure: string, told: Micros): void {
    this.#known.delete(failure);
    if (this.#known.size >= MOST) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(failure, { told, more: 0 });
  }
}

/** What failed; where the firewall does not tell, its error without the address. */
function failureOf({ address, error, failure }: Outcome): string {
  return failure ?? error!.replaceAll(address, "%s");
}
