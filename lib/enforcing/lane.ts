/**
 * One firewall with its share of the bans: all, or those of a module with its own firewall. Each
 * firewall follows the state separately, so that a slow one delays no other. Compares the firewall
 * with the state from time to time: missing bans are applied again, like bans that were never
 * confirmed; stray bans are reported and left alone.
 */
import type { Boot } from "../core/boot.ts";
import { nextTurn, pause } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import { isOfPackets } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import { type Ban, type BanRange, type HeldBan, nameOf, type NewBan } from "../deciding/ban.ts";
import type { EndsState } from "./ends.ts";
import { Enforcer, type EnforcerOptions, type EnforcerState } from "./enforcer.ts";
import { rangesUpTo, Walk } from "./walk.ts";

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

/** The state's methods that a lane uses. */
export interface LaneState extends EnforcerState {
  begin(
    firewall: string,
    options: { boot: Boot; takesOver: boolean; anew: boolean; knowsScopes: boolean },
  ): void;
  noteBoot(boot: Boot): void;
  applyAnew(range: BanRange): void;
  held(firewall: string, range: BanRange): HeldBan[];
  mayHold(ban: Pick<Ban, "address" | "scope">): boolean;
}

/** Options of a lane. */
interface LaneOptions extends EnforcerOptions {
  readonly bans: Pick<EndsState, "transaction" | "lastId"> & { addAll(bans: readonly NewBan[]): void };
  readonly state: LaneState;
  /** Module of the bans; null: all bans but those of modules with their own firewall. */
  readonly module: string | null;
  /** Returns this boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** Called with the error of a later slice of a walk. */
  readonly failed: (error: unknown) => void;
}

const MOST_STRAYS = 20;
/** Missing bans that are marked at once: 20 ms of work, where 100,000 take more than a second. */
const SLICE = 1_000;
/** Milliseconds between looks whether the firewall has been told of all bans. */
const BETWEEN_LOOKS = 50;

/** Makes one firewall follow the state. */
export class Lane {
  readonly #options: LaneOptions;
  readonly #enforcer: Enforcer;
  /** Tells a firewall that keeps time of all its bans in force at a start. */
  readonly #taking: Walk;
  #holding: Holding | null = null;
  #isAdopting = false;

  /** Begins with the firewall's bans as the state has them. */
  constructor(options: LaneOptions) {
    this.#options = options;
    const { state, firewall, boot, failed } = options;
    const { name, takesOver, keepsTime, knowsScopes } = firewall;
    state.begin(name, { boot: boot(), takesOver, anew: keepsTime, knowsScopes });
    this.#enforcer = new Enforcer(options);
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
    this.#options.state.reapply(mine);
    this.#enforcer.queue.mark(mine);
  }

  /** Tells a firewall that keeps time again of all bans, as ends have moved. */
  retellAll(): void {
    const { state, firewall, bans } = this.#options;
    if (!firewall.keepsTime) return;
    state.applyAnew({ after: 0, upTo: bans.lastId() });
    this.#enforcer.queue.mark();
  }

  /** Result of the last comparison with the state; null: none yet. */
  get holding(): Holding | null {
    return this.#holding;
  }

  /** Compares the firewall with the state, and makes it apply missing bans. Never throws. */
  async reconcile(): Promise<void> {
    // Until told of all bans, the firewall lacks some. It may have lost those that it was told of.
    while (this.#taking.isUnderWay) await pause(BETWEEN_LOOKS, this.#enforcer.signal);
    const { clock, log } = this.#options;
    const [time, before] = [clock(), this.#holding];
    try {
      const holding = await this.#compare(time);
      if (holding !== null) this.#tellOf(this.#holding = holding);
    } catch (error) {
      if (this.#enforcer.signal.aborted) return;
      const message = messageOf(error);
      this.#holding = { time, held: null, missing: 0, stray: [], error: message };
      if (before?.error !== message) log.error(`Cannot tell whether bans hold: ${message}`);
    }
    if (!this.#enforcer.signal.aborted) this.wake();
  }

  /** Makes the next comparison adopt the firewall's bans, after the state has lost bans. */
  adoptStrays(): void {
    this.#isAdopting = true;
  }

  /** Records that this boot is under way. */
  noteBoot(): void {
    this.#options.state.noteBoot(this.#options.boot());
  }

  /** Stops. A firewall's call may run until `deadline`; the next start does the rest. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#taking.stop();
    return this.#enforcer.stop(deadline);
  }

  #takeUp(range: BanRange): void {
    this.#options.state.applyAnew(range);
    // The first refresh tells of the first slice.
    if (range.after > 0) this.wake();
  }

  /** Returns null if it was stopped meanwhile. */
  async #compare(time: Micros): Promise<Holding | null> {
    const { state, firewall } = this.#options;
    const { signal } = this.#enforcer;
    const bans = await this.#held();
    const found = await firewall.inspect(bans, signal);
    const missing = found?.missing.filter((ban) => !this.#enforcer.queue.isUnderWay(ban)) ?? [];
    // What took these may have taken those under way too, before the firewall's answer.
    if (missing.length > 0) this.#enforcer.queue.mark();
    // Bans under way in either direction are no strays.
    let stray = found?.stray.filter((ban) => !state.mayHold(ban)) ?? [];
    if (signal.aborted) return null;
    if (this.#isAdopting) {
      if (stray.length > 0) this.#adopt(stray);
      this.#isAdopting = false;
      stray = [];
    }
    const named = stray.slice(0, MOST_STRAYS).map(nameOf);
    this.#tellOfStrays(named, stray.length);
    let lacking = 0;
    for (let at = 0; at < missing.length; at += SLICE) {
      await nextTurn();
      if (signal.aborted) return null;
      lacking += state.reapply(missing.slice(at, at + SLICE));
    }
    const held = found && bans.length - found.missing.length;
    return { time, held, missing: lacking, stray: named, error: null };
  }

  async #held(): Promise<HeldBan[]> {
    const { state, firewall, bans, endOf } = this.#options;
    const held: HeldBan[] = [];
    for await (const range of rangesUpTo(bans.lastId())) {
      for (const ban of state.held(firewall.name, range)) held.push({ ...ban, until: endOf(ban) });
    }
    return held;
  }

  /** Adopts bans that only the firewall has. */
  #adopt(held: readonly HeldBan[]): void {
    const { bans, log, clock, firewall: { name } } = this.#options;
    const provenance = { kind: "import", name } as const;
    const reason = `[IMPORT] found in ${name} after a loss of the state`;
    bans.addAll(held.map((ban) => ({ ...ban, provenance, reason, count: 0, start: clock() })));
    log.warn(`taking over ${counted(held.length, "ban")} that ${name} has and the state has lost`);
  }

  #tellOf({ held, missing, stray }: Holding): void {
    const { firewall, log } = this.#options;
    log.debug(() => {
      const has = held === null ? "an unknown number of bans" : counted(held, "ban");
      const strays = counted(stray.length, "is nobody's", "are nobody's");
      return `${firewall.name} has ${has}, lacks ${missing}, and ${strays}`;
    });
    if (missing === 0) return;
    const gone = counted(missing, "ban was", "bans were");
    log.warn(`${gone} gone from the firewall: putting ${missing === 1 ? "it" : "them"} back`);
  }

  #tellOfStrays(named: readonly string[], count: number): void {
    if (count === 0 || named.join() === this.#holding?.stray.join()) return;
    const more = count > named.length ? ` and ${count - named.length} more` : "";
    const list = named.join(", ") + more;
    this.#options.log.warn(`the firewall bans ${list}, of which the state knows nothing: left as it is`);
  }
}
