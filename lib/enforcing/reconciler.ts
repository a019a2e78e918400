/**
 * Compares the firewall with the state from time to time. Missing bans are applied again, like bans
 * that were never confirmed; stray bans are reported and left alone.
 */
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import { counted } from "../core/text.ts";
import { type Ban, type BanRange, type HeldBan, nameOf } from "../deciding/ban.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { EndsStore } from "./ends.ts";
import { rangesUpTo } from "./walk.ts";

/** Result of the last comparison of the firewall with the state. */
export interface Holding {
  readonly time: Micros;
  /** Number of bans that it had; null: it cannot tell. */
  readonly held: number | null;
  /** Number of bans that it lacked, to be put back. */
  readonly missing: number;
  /** The first twenty bans in the firewall that nobody here made. */
  readonly stray: readonly string[];
  /** Why the comparison failed; null: it succeeded. */
  readonly error: string | null;
}

/** The state's methods that the reconciler uses. */
export interface ReconcilerStore {
  held(firewall: string, range: BanRange): HeldBan[];
  reapply(bans: readonly Pick<Ban, "address" | "scope">[]): number;
  mayHold(ban: Pick<Ban, "address" | "scope">): boolean;
}

/** Options of the reconciler. */
export interface ReconcilerOptions {
  readonly store: ReconcilerStore;
  readonly firewall: Firewall;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  readonly bans: Pick<EndsStore, "lastId">;
  /** Returns a ban's end for the firewall; null: never. */
  readonly endOf: (ban: Pick<Ban, "until">) => Micros | null;
  /** Adopts bans that only the firewall has, after a loss. */
  readonly adopt: (bans: readonly HeldBan[]) => void;
  /** Reports whether the firewall is being told of a ban. */
  readonly isUnderWay: (ban: HeldBan) => boolean;
  readonly signal: AbortSignal;
}

const MOST_STRAYS = 20;

/** Finds out whether the firewall really has the bans. */
export class Reconciler {
  readonly #options: ReconcilerOptions;
  #holding: Holding | null = null;
  #isAdopting = false;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
  }

  /** Result of the last comparison; null: none yet. */
  get holding(): Holding | null {
    return this.#holding;
  }

  /** Drops the last result, which is out of date. */
  dropResult(): void {
    this.#holding = null;
  }

  /** Makes the next comparison adopt bans that only the firewall has, after a loss in the state. */
  adoptStrays(): void {
    this.#isAdopting = true;
  }

  /** Compares once. Never throws. */
  async reconcile(): Promise<void> {
    const { clock, firewall, log, signal } = this.#options;
    const [time, before] = [clock(), this.#holding];
    try {
      const holding = await this.#compare(time);
      if (holding === null) return;
      this.#holding = holding;
      log.debug(() => {
        const { held, missing, stray } = holding;
        const has = held === null ? "an unknown number of bans" : counted(held, "ban");
        const strays = counted(stray.length, "is nobody's", "are nobody's");
        return `${firewall.name} has ${has}, lacks ${missing}, and ${strays}`;
      });
      if (holding.missing > 0) {
        const gone = counted(holding.missing, "ban was", "bans were");
        const them = holding.missing === 1 ? "it" : "them";
        log.warn(`${gone} gone from the firewall: putting ${them} back`);
      }
    } catch (error) {
      if (signal.aborted) return;
      const message = messageOf(error);
      this.#holding = { time, held: null, missing: 0, stray: [], error: message };
      if (before?.error !== message) log.error(`Cannot tell whether bans hold: ${message}`);
    }
  }

  /** Null: stopped meanwhile. */
  async #compare(time: Micros): Promise<Holding | null> {
    const { store, firewall, isUnderWay, signal } = this.#options;
    const bans = await this.#held();
    const found = await firewall.inspect(bans, signal);
    const missing = found?.missing.filter((ban) => !isUnderWay(ban)) ?? [];
    // Bans under way in either direction are no strays.
    let stray = found?.stray.filter((ban) => !store.mayHold(ban)) ?? [];
    if (signal.aborted) return null;
    if (this.#isAdopting) {
      if (stray.length > 0) this.#options.adopt(stray);
      this.#isAdopting = false;
      stray = [];
    }
    const named = stray.slice(0, MOST_STRAYS).map(nameOf);
    this.#tellOfStrays(named, stray.length);
    return {
      time,
      held: found && bans.length - found.missing.length,
      missing: store.reapply(missing),
      stray: named,
      error: null,
    };
  }

  #tellOfStrays(named: readonly string[], count: number): void {
    if (count === 0 || named.join() === this.#holding?.stray.join()) return;
    const more = count > named.length ? ` and ${count - named.length} more` : "";
    const list = named.join(", ") + more;
    this.#options.log.warn(`the firewall bans ${list}, of which the state knows nothing: left as it is`);
  }

  async #held(): Promise<HeldBan[]> {
    const { store, firewall, bans, endOf } = this.#options;
    const held: HeldBan[] = [];
    for await (const range of rangesUpTo(bans.lastId())) {
      for (const ban of store.held(firewall.name, range)) held.push({ ...ban, until: endOf(ban) });
    }
    return held;
  }
}
