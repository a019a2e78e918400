/** Logs a firewall's refusals: each failure at once, later ones in numbers. */
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import type { Outcome } from "../firewall/firewall.ts";

/** Time before the same failure is logged again. */
const AGAIN: Micros = MINUTE;
/** Most failures told apart. */
const MOST = 100;

/** A ban that the firewall refused. */
export interface Refusal {
  readonly ban: BanStatus;
  readonly outcome: Outcome;
}

/** Logs refusals by failure, not address: 100,000 from one broken command are a line a minute. */
export class Refusals {
  readonly #log: Log;
  readonly #clock: () => Micros;
  /** Time of each failure's last line, and number of bans since. */
  readonly #told = new Map<string, { readonly time: Micros; more: number }>();

  constructor(log: Log, clock: () => Micros) {
    this.#log = log;
    this.#clock = clock;
  }

  /** Logs the bans that one call refused, each failure once. */
  refused(refusals: readonly Refusal[]): void {
    const failureOf = ({ outcome: { address, error, failure } }: Refusal) =>
      failure ?? error!.replaceAll(address, "%s");
    for (const [failure, all] of Map.groupBy(refusals, failureOf)) {
      const isNew = !this.#told.has(failure);
      const fresh = isNew ? all : all.filter(({ ban }) => ban.attempts === 0);
      const count = this.#due(failure, fresh.length);
      if (count === 0) continue;
      const bans = isNew ? count > 1 ? ` ${counted(count, "ban")}` : "" : ` ${counted(count, "more ban")}`;
      this.#log.error(`the firewall refused${bans}, trying again: ${all.at(-1)!.outcome.error}`);
    }
  }

  /** Logs a ban that the firewall took or lifted after refusals. */
  taken(ban: BanStatus): void {
    const verb = ban.ended === null ? "took" : "lifted";
    const count = this.#due(verb, 1);
    if (count === 0) return;
    const tries = counted(ban.attempts, "failed try", "failed tries");
    this.#log.info(`the firewall ${verb} ${withOthers(ban, count)} after ${tries}`);
  }

  /** Logs a ban that cannot be lifted. */
  stays(ban: BanStatus): void {
    const count = this.#due("stays", 1);
    if (count === 0) return;
    const stay = count > 1 ? "stay" : "stays";
    this.#log.warn(`${withOthers(ban, count)} ${stay} in the firewall: there is no unban_command`);
  }

  /** Returns the number of bans to log now for a failure of `count` more; 0: it is too soon. */
  #due(what: string, count: number): number {
    if (count === 0) return 0;
    const time = this.#clock();
    const told = this.#told.get(what);
    // The clock may have been set back.
    if (told !== undefined && time >= told.time && time < told.time + AGAIN) {
      told.more += count;
      return 0;
    }
    this.#told.delete(what);
    if (this.#told.size >= MOST) this.#told.delete(this.#told.keys().next().value!);
    this.#told.set(what, { time, more: 0 });
    return count + (told?.more ?? 0);
  }
}

/** Names one of `count` bans. */
function withOthers(ban: BanStatus, count: number): string {
  return nameOf(ban) + (count > 1 ? ` and ${counted(count - 1, "other ban")}` : "");
}
