/** Warns if bans wait: they come faster than a firewall takes them one by one, or it takes none. */
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import { formatDuration, type Micros, MINUTE, SECOND } from "../core/time.ts";
import type { Firewall } from "../firewall/firewall.ts";

/** Time between two questions to the state for the number of waiting bans. */
const LOOK: Micros = 5 * SECOND;
/** Least number of waiting bans in a flood. */
const MANY = 50;
/** Waiting bans are too many if they take longer than this at the recent rate. */
const SOON: Micros = MINUTE;
/** Longest end of a killed program: the kernel lets nft finish a call for 100,000 elements. */
const ENDING: Micros = 5 * SECOND;

/** The state's method that `Congestion` uses. */
export interface BacklogState {
  /** Returns the number of waiting bans that have not failed. */
  backlog(): number;
}

/** Options of `Congestion`. */
export interface CongestionOptions {
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  readonly state: BacklogState;
}

/** Watches the rate at which bans are applied. */
export class Congestion {
  readonly #options: CongestionOptions;
  #nextLook: Micros = -Infinity;
  /** Time of the last look, if bans were many, and number of bans applied since; null: few. */
  #crowd: { readonly since: Micros; done: number } | null = null;
  #isWarned = false;
  /** Since when the firewall has taken no call; null: it takes calls. */
  #stuckSince: Micros | null = null;
  #isToldStuck = false;

  constructor(options: CongestionOptions) {
    this.#options = options;
  }

  /** Counts bans that the firewall took. */
  carriedOut(bans: number): void {
    if (this.#crowd !== null) this.#crowd.done += bans;
  }

  /** Warns once while too many bans wait, at a look now and then. Throws errors of the state. */
  look(): void {
    const { firewall, clock, state } = this.#options;
    const time = clock();
    // The clock may have been set back.
    const isEarly = time < this.#nextLook && time >= this.#nextLook - LOOK;
    if (firewall.batch > 1 || isEarly) return;
    this.#nextLook = time + LOOK;
    const waiting = state.backlog();
    const before = this.#crowd;
    this.#crowd = waiting < MANY ? null : { since: time, done: 0 };
    if (waiting === 0) this.#isWarned = false;
    if (this.#isWarned || before === null || waiting < MANY) return;
    const { since, done } = before;
    if (waiting * (time - since) > done * SOON) this.#warn({ waiting, done, span: time - since });
  }

  /** Logs once that a firewall still takes no call, although none is under way. */
  stuck(isStuck: boolean): void {
    if (!isStuck) {
      [this.#stuckSince, this.#isToldStuck] = [null, false];
      return;
    }
    const time = this.#options.clock();
    // The clock may have been set back.
    this.#stuckSince = Math.min(this.#stuckSince ?? time, time);
    if (this.#isToldStuck || time - this.#stuckSince < ENDING) return;
    this.#isToldStuck = true;
    this.#options.log.error(
      "no ban is carried out: as many commands as may run at once exceeded their time and cannot be ended",
    );
  }

  #warn({ waiting, done, span }: { waiting: number; done: number; span: Micros }): void {
    this.#isWarned = true;
    const wait = counted(waiting, "ban waits", "bans wait");
    this.#options.log.warn(
      `${wait} for the firewall, which took ${done} within ${formatDuration(span)}: ` +
        "each module gets its turn, the newest come first; nftables takes thousands at once",
    );
  }
}
