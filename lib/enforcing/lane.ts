/**
 * One firewall with its share of the bans: all, or those of a module that has a firewall of its own. Each firewall follows the
 * state by itself, so that a slow one holds up no other.
 */
import type { Boot } from "../core/boot.ts";
import type { Log } from "../core/log.ts";
import { isOfPackets } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { Ban, BanRange, HeldBan } from "../deciding/ban.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { Enforcer, type EnforcerStore } from "./enforcer.ts";
import { type Holding, Reconciler, type ReconcilerStore } from "./reconciler.ts";
import { Walk } from "./walk.ts";

/** What a lane needs of the state. */
export interface LaneStore extends EnforcerStore, ReconcilerStore {
  begin(
    firewall: string,
    options: { boot: Boot; takesOver: boolean; anew: boolean; knowsScopes: boolean },
  ): void;
  noteBoot(boot: Boot): void;
  applyAnew(range: BanRange): void;
}

/** What a lane works with. */
export interface LaneOptions {
  readonly store: LaneStore;
  readonly firewall: Firewall;
  /** The module whose bans these are; null: all that are of no module with a firewall of its own. */
  readonly module: string | null;
  readonly transaction: (work: () => void) => void;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** This boot of the machine, as of now. */
  readonly boot: () => Boot;
  readonly expire: () => boolean;
  readonly drop: (ban: Ban) => boolean;
  /** When a ban ends as far as the firewall is concerned; null: never. */
  readonly endOf: (until: Micros | null) => Micros | null;
  /** Id of the newest ban in the state. */
  readonly lastId: () => number;
  /** Makes bans of what the firewall has and nobody here, after a loss. */
  readonly adopt: (held: readonly HeldBan[], firewall: Firewall) => void;
  /** Told why a later slice of a walk failed. */
  readonly failed: (error: unknown) => void;
}

/** Has one firewall follow the state. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #enforcer: Enforcer;
  readonly #reconciler: Reconciler;
  /** Has the firewall told of all its bans in force: one that keeps time at the start, and one that has lost them. */
  readonly #taking: Walk;

  /** Begins with what the state says that the firewall has. */
  constructor(options: LaneOptions) {
    this.#options = options;
    const { store, firewall, transaction, log, clock, boot, expire, drop, lastId, failed } = options;
    const { name, takesOver, keepsTime, knowsScopes } = firewall;
    store.begin(name, { boot: boot(), takesOver, anew: keepsTime, knowsScopes });
    const endOf = ({ until }: Pick<Ban, "until">) => options.endOf(until);
    this.#enforcer = new Enforcer({ store, transaction, firewall, log, clock, endOf, expire, drop });
    this.#reconciler = new Reconciler({
      store,
      firewall,
      log,
      clock,
      endOf,
      lastId,
      adopt: (held) => options.adopt(held, firewall),
      isUnderWay: (ban) => this.#enforcer.isUnderWay(ban),
      signal: this.#enforcer.signal,
    });
    this.#taking = new Walk({ slice: (range) => this.#takeUp(range), done: () => {}, failed });
  }

  /** The name of the firewall. */
  get firewall(): string {
    return this.#options.firewall.name;
  }

  /** Reports whether a ban is in its share. */
  has({ scope }: Pick<Ban, "scope">): boolean {
    const { module } = this.#options;
    return isOfPackets(scope) ? module === null : scope.module === module;
  }

  /** Has a firewall that keeps time told of all its bans in force. */
  takeUpAll(): void {
    if (this.#options.firewall.keepsTime) this.#taking.begin(this.#options.lastId());
  }

  /** Takes note that something is new. */
  pump(): void {
    this.#enforcer.pump();
  }

  /** Has a firewall that keeps time told once more of those of `bans` that it has: they may end otherwise now. */
  retell(bans: readonly Pick<Ban, "address" | "scope">[]): void {
    if (!this.#options.firewall.keepsTime) return;
    const mine = bans.filter((ban) => this.has(ban));
    this.#options.store.reapply(mine);
    this.#enforcer.retell(mine);
  }

  /** Has a firewall that keeps time told once more of all bans: ends are others now. */
  retellAll(): void {
    const { store, firewall, lastId } = this.#options;
    if (!firewall.keepsTime) return;
    store.applyAnew({ after: 0, upTo: lastId() });
    this.#enforcer.retell();
  }

  /** How the firewall and the state agreed when they were last compared; null before the first time. */
  get holding(): Holding | null {
    return this.#reconciler.holding;
  }

  /** Compares the firewall with the state, and has it told of the bans that it misses. */
  async reconcile(): Promise<void> {
    // Until the firewall has been told everything it misses bans.
    if (this.#taking.isUnderWay) return;
    await this.#reconciler.reconcile();
    if (!this.#enforcer.signal.aborted) this.pump();
  }

  /** Takes note that the firewall has lost its bans: it is told of all in force again, and until then has none. */
  putBack(): void {
    const { log, lastId } = this.#options;
    log.warn("the firewall has lost its bans: putting them back");
    this.#reconciler.forget();
    this.#taking.begin(lastId());
    this.#enforcer.retell();
    this.pump();
  }

  /** The state has lost bans: the next comparison takes over those that the firewall has. */
  adoptStrays(): void {
    this.#reconciler.adoptStrays();
  }

  /** Notes that this boot is still under way. */
  noteBoot(): void {
    this.#options.store.noteBoot(this.#options.boot());
  }

  /** Stops; a call of the firewall gets until `deadline` to end, and what is left undone is done at the next start. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#taking.stop();
    return this.#enforcer.stop(deadline);
  }

  #takeUp(range: BanRange): void {
    this.#options.store.applyAnew(range);
    // The first slice is told with the first refresh.
    if (range.after > 0) this.pump();
  }
}
