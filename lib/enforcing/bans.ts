/**
 * Everything about bans in the state while a monitor runs:
 *
 *   enforce(decision)   after its commit: logs the decision and tells the firewalls. Decides nothing
 *   refresh()           others have changed the state or the whitelist
 *
 * `Ends` ends bans, and each `Lane` makes a firewall follow the state.
 */
import type { Boot } from "../core/boot.ts";
import { messageOf } from "../core/error.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import { type Ban, lengthOf, nameOf, type NewBan } from "../deciding/ban.ts";
import { type Decision, NO_DECISION } from "../deciding/decider.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { Changes, type ChangesState } from "./changes.ts";
import { Ends, type EndsOptions, type EndsState } from "./ends.ts";
import { type Holding, Lane, type LaneState } from "./lane.ts";

/** The state's methods for bans that `Bans` uses. */
interface BansState extends EndsState, ChangesState {
  addAll(bans: readonly NewBan[]): void;
  inForceByAddress(addresses: readonly string[]): ReadonlyMap<string, unknown>;
}

/** The state's methods for firewalls that `Bans` uses. */
interface FirewallState extends LaneState {
  /** Returns the part for a module's own firewall. */
  of(module: string): LaneState;
}

/** Options of `Bans`. */
interface BansOptions extends Pick<EndsOptions, "whitelist" | "log" | "clock" | "freed"> {
  readonly state: { readonly bans: BansState; readonly enforcement: FirewallState };
  readonly firewall: Firewall;
  /** Modules' own firewalls, by module name. */
  readonly moduleFirewalls?: ReadonlyMap<string, Firewall>;
  /** Returns this boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** End of the trial, by which all bans leave a firewall that keeps time; null: no trial. */
  readonly trialEnd?: Micros | null;
}

/** Ends bans and makes the firewalls follow the state. */
export class Bans {
  readonly #options: BansOptions;
  readonly #ends: Ends;
  /** Lane of the general firewall, and all lanes with those of modules. */
  readonly #lane: Lane;
  readonly #lanes: readonly Lane[];
  readonly #changes: Changes;
  #trialEnd: Micros | null;

  constructor(options: BansOptions) {
    this.#options = options;
    const { state: { bans, enforcement }, firewall, moduleFirewalls = new Map(), log } = options;
    this.#trialEnd = options.trialEnd ?? null;
    const failed = (error: unknown) => log.error(`bans are held up: ${messageOf(error)}`);
    const makeLane = (firewall: Firewall, module: string | null) =>
      new Lane({
        ...options,
        state: module === null ? enforcement : enforcement.of(module),
        bans,
        firewall,
        module,
        ends: this.#ends,
        endOf: ({ until }) => this.#trialEnd === null ? until : Math.min(until ?? Infinity, this.#trialEnd),
        failed,
      });
    this.#ends = new Ends({ ...options, state: bans, ended: () => this.#wake(), failed });
    this.#lane = makeLane(firewall, null);
    this.#lanes = [this.#lane, ...moduleFirewalls.entries().map(([module, own]) => makeLane(own, module))];
    this.#changes = new Changes(bans);
    for (const lane of this.#lanes) lane.takeUpAll();
  }

  /** Reports whether a firewall that really bans carries out a ban. */
  isReal(ban: Pick<Ban, "scope">): boolean {
    return this.#lanes.find((lane) => lane.has(ban))?.firewall !== "observe";
  }

  /** Logs a committed decision and tells the firewalls of it. */
  enforce({ bans, spared, gains }: Decision = NO_DECISION): void {
    const { log } = this.#options;
    for (const sentence of spared) log.info(sentence);
    for (const ban of bans) {
      const gain = gains.get(ban);
      const verb = (this.isReal(ban) ? "banning" : "would ban") + (gain === undefined ? "" : " for longer");
      const sentence = `${verb} ${nameOf(ban)} ${lengthOf(ban)}: ${ban.reason}, ${counted(ban.count, "hit")}`;
      if (gain !== undefined && isMinor(ban, gain)) log.debug(() => sentence);
      else log.warn(sentence);
    }
    this.#changes.made(bans);
    // Bans that were already in force may end later now.
    this.#retell(bans);
    this.#wake();
  }

  /**
   * Ends bans that the whitelist now covers, and adopts others' changes in the state. Returns
   * addresses without a ban, whose last ones ended since the last call.
   */
  refresh(): string[] {
    const { ended: lifted, moved } = this.#changes.take();
    lifted.forEach((address) => this.#ends.note(address));
    this.#retell(moved);
    this.#ends.endWhitelisted();
    this.#wake();
    const ended = this.#ends.take();
    const inForce = this.#options.state.bans.inForceByAddress(ended);
    return ended.filter((address) => !inForce.has(address));
  }

  /** Result of the general firewall's last comparison with the state; null: none yet. */
  get holding(): Holding | null {
    return this.#lane.holding;
  }

  /** Compares the firewalls with the state, and makes them apply missing bans. */
  async reconcile(): Promise<void> {
    for (const lane of this.#lanes) await lane.reconcile();
  }

  /** Makes the next comparison adopt the firewalls' bans, after the state has lost bans. */
  adoptStrays(): void {
    for (const lane of this.#lanes) lane.adoptStrays();
  }

  /** Ends the trial after `confirm`: bans get their full length. */
  confirm(): void {
    if (this.#trialEnd === null) return;
    this.#trialEnd = null;
    for (const lane of this.#lanes) lane.retellAll();
    this.#wake();
  }

  /** Records that this boot is under way. Call it each minute. */
  noteBoot(): void {
    for (const lane of this.#lanes) lane.noteBoot();
  }

  /** Stops. A firewall's call may run until `deadline`; the next start does the rest. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#ends.stop();
    await Promise.all(this.#lanes.map((lane) => lane.stop(deadline)));
  }

  #wake(): void {
    for (const lane of this.#lanes) lane.wake();
  }

  #retell(bans: readonly Pick<Ban, "address" | "scope">[]): void {
    for (const lane of this.#lanes) lane.retell(bans);
  }
}

/**
 * Reports whether a ban that `gain` made longer ends before the next multiple of half its length.
 * Somebody whom no firewall stops passes a limit again and again, and each time adds seconds.
 */
function isMinor({ start, until }: NewBan, gain: Micros): boolean {
  if (until === null) return false;
  const half = (until - start) / 2;
  return Math.floor(until / half) === Math.floor((until - gain) / half);
}
