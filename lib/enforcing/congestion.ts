/** Warns where bans wait: they come faster than a firewall takes them one by one, or nothing is carried out at all. */
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import { formatDuration, type Micros } from "../core/time.ts";
import type { Firewall } from "../firewall/firewall.ts";

/** How often the state is asked how many wait. */
const LOOK: Micros = 5_000_000;
/** Fewer bans are no flood. */
const MANY = 50;
/** Waiting bans that take longer than this at the rate of late are too many. */
const SOON: Micros = 60_000_000;

/** What `Congestion` works with. */
export interface CongestionOptions {
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** Bans in force that wait for the firewall. */
  readonly backlog: () => number;
}

/** Watches how fast bans are carried out. */
export class Congestion {
  readonly #options: CongestionOptions;
  #nextLook: Micros = -Infinity;
  /** Since the last look, at which bans were many, so many were carried out; null: they were few. */
  #crowd: { readonly since: Micros; done: number } | null = null;
  #isWarned = false;
  #isStuck = false;

  constructor(options: CongestionOptions) {
    this.#options = options;
  }

  /** Takes note of bans that the firewall took. */
  carriedOut(bans: number): void {
    if (this.#crowd !== null) this.#crowd.done += bans;
  }

  /** Looks now and then how many bans wait, and warns once of too many until none waits. Throws what the state throws. */
  look(): void {
    const { firewall, clock, backlog } = this.#options;
    const time = clock();
    // A clock may be set back.
    const isEarly = time < this.#nextLook && time >= this.#nextLook - LOOK;
    if (firewall.batch > 1 || isEarly) return;
    this.#nextLook = time + LOOK;
    const waiting = backlog();
    const before = this.#crowd;
    this.#crowd = waiting < MANY ? null : { since: time, done: 0 };
    if (waiting === 0) this.#isWarned = false;
    if (this.#isWarned || before === null || waiting < MANY) return;
    const { since, done } = before;
    if (waiting * (time - since) > done * SOON) this.#warn({ waiting, done, span: time - since });
  }

  /** Tells once of a firewall that takes no call although none is under way. */
  stuck(isStuck: boolean): void {
    if (isStuck && !this.#isStuck) {
      this.#options.log.error(
        "no ban is carried out: as many commands as may run at once exceeded their time and cannot be ended",
      );
    }
    this.#isStuck = isStuck;
  }

  #warn({ waiting, done, span }: { waiting: number; done: number; span: Micros }): void {
    this.#isWarned = true;
    this.#options.log.warn(
      `${counted(waiting, "ban waits", "bans wait")} for the firewall, which took ${done} within ${
        formatDuration(span)
      }: ` +
        "each module gets its turn, the newest come first; nftables takes thousands at once",
    );
  }
}
