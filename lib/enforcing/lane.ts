/**
 * One firewall with its share of the bans: all, or those of a module with its own firewall. Each
 * firewall follows the state separately, so that a slow one delays no other.
 */
import type { Boot } from "../core/boot.ts";
import { isOfPackets } from "../core/scope.ts";
import type { Ban, BanRange, HeldBan } from "../deciding/ban.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { EndsStore } from "./ends.ts";
import { Enforcer, type EnforcerOptions, type EnforcerStore } from "./enforcer.ts";
import { type Holding, Reconciler, type ReconcilerStore } from "./reconciler.ts";
import { Walk } from "./walk.ts";

/** The state's methods that a lane uses. */
export interface LaneStore extends EnforcerStore, ReconcilerStore {
  begin(
    firewall: string,
    options: { boot: Boot; takesOver: boolean; anew: boolean; knowsScopes: boolean },
  ): void;
  noteBoot(boot: Boot): void;
  applyAnew(range: BanRange): void;
}

/** Options of a lane. */
interface LaneOptions extends EnforcerOptions {
  readonly bans: Pick<EndsStore, "transaction" | "lastId">;
  readonly store: LaneStore;
  /** Module of the bans; null: all bans but those of modules with their own firewall. */
  readonly module: string | null;
  /** Returns this boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** Adopts bans that only the firewall has, after a loss. */
  readonly adopt: (held: readonly HeldBan[], firewall: Firewall) => void;
  /** Called with the error of a later slice of a walk. */
  readonly failed: (error: unknown) => void;
}

/** Makes one firewall follow the state. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #enforcer: Enforcer;
  readonly #reconciler: Reconciler;
  /** Tells the firewall of all its bans in force: at a start if it keeps time, after a loss. */
  readonly #taking: Walk;

  /** Begins with the firewall's bans as the state has them. */
  constructor(options: LaneOptions) {
    this.#options = options;
    const { store, firewall, boot, failed } = options;
    const { name, takesOver, keepsTime, knowsScopes } = firewall;
    store.begin(name, { boot: boot(), takesOver, anew: keepsTime, knowsScopes });
    this.#enforcer = new Enforcer(options);
    this.#reconciler = new Reconciler({
      ...options,
      adopt: (held) => options.adopt(held, firewall),
      isUnderWay: (ban) => this.#enforcer.isUnderWay(ban),
      signal: this.#enforcer.signal,
    });
    this.#taking = new Walk({ slice: (range) => this.#takeUp(range), failed });
  }

  get firewall(): string {
    return this.#options.firewall.name;
  }

  /** Reports whether a ban is in the lane's share. */
  has({ scope }: Pick<Ban, "scope">): boolean {
    const { module } = this.#options;
    return isOfPackets(scope) ? module === null : scope.module === module;
  }

  /** Tells a firewall that keeps time of all its bans in force. */
  takeUpAll(): void {
    if (this.#options.firewall.keepsTime) this.#taking.begin(this.#options.bans.lastId());
  }

  /** Handles news. */
  wake(): void {
    this.#enforcer.wake();
  }

  /** Tells a firewall that keeps time again of those of `bans` that it has: ends may have moved. */
  retell(bans: readonly Pick<Ban, "address" | "scope">[]): void {
    if (!this.#options.firewall.keepsTime) return;
    const mine = bans.filter((ban) => this.has(ban));
    this.#options.store.reapply(mine);
    this.#enforcer.retell(mine);
  }

  /** Tells a firewall that keeps time again of all bans, as ends have moved. */
  retellAll(): void {
    const { store, firewall, bans } = this.#options;
    if (!firewall.keepsTime) return;
    store.applyAnew({ after: 0, upTo: bans.lastId() });
    this.#enforcer.retell();
  }

  /** Result of the last comparison with the state; null: none yet. */
  get holding(): Holding | null {
    return this.#reconciler.holding;
  }

  /** Compares the firewall with the state, and makes it apply missing bans. */
  async reconcile(): Promise<void> {
    // Until told of all bans, the firewall lacks some.
    if (this.#taking.isUnderWay) return;
    await this.#reconciler.reconcile();
    if (!this.#enforcer.signal.aborted) this.wake();
  }

  /** Handles the loss of the firewall's bans: all in force count as not applied until told. */
  putBack(): void {
    const { log, bans } = this.#options;
    log.warn("the firewall has lost its bans: putting them back");
    this.#reconciler.dropResult();
    this.#taking.begin(bans.lastId());
    this.#enforcer.retell();
    this.wake();
  }

  /** Makes the next comparison adopt the firewall's bans, after the state has lost bans. */
  adoptStrays(): void {
    this.#reconciler.adoptStrays();
  }

  /** Records that this boot is under way. */
  noteBoot(): void {
    this.#options.store.noteBoot(this.#options.boot());
  }

  /** Stops. A firewall's call may run until `deadline`; the next start does the rest. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#taking.stop();
    return this.#enforcer.stop(deadline);
  }

  #takeUp(range: BanRange): void {
    this.#options.store.applyAnew(range);
    // The first refresh tells of the first slice.
    if (range.after > 0) this.wake();
  }
}
