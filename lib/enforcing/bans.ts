/**
 * The pipeline's judge, and everything about bans while a monitor runs:
 *
 *   note(event)             a login, or the end of a session
 *   decide(trips, knocks)   ─► ALL bans that follow, of addresses and networks, in order; writes nothing
 *   takeLogins()            ─► logins and sessions for the same commit
 *       … the caller commits bans, logins, lines, notes and position in ONE transaction …
 *   enforce(bans)           after the commit: logs the decisions and tells the firewall. Decides nothing
 *   reset()                 instead, after a failed commit: makes memory from the state again
 *
 *   refresh()               others have changed the state or the whitelist
 *
 * `Decider` decides, `Ends` ends bans, and each `Lane` makes a firewall follow the state.
 */
import type { Boot } from "../core/boot.ts";
import { messageOf } from "../core/error.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import {
  type Ban,
  type BanInForce,
  type CountedBan,
  effectOf,
  gainOf,
  lengthOf,
  nameOf,
  type NewBan,
  type PastBan,
} from "../deciding/ban.ts";
import { type BanHistory, Decider } from "../deciding/decider.ts";
import type { Knock } from "../deciding/knock.ts";
import type { Login, Session } from "../deciding/login_change.ts";
import type { Logins, LoginUpdate } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Room } from "../rules/note_memory.ts";
import type { Trip } from "../rules/rule.ts";
import { Changes, type ChangesState } from "./changes.ts";
import { Ends, type EndsOptions, type EndsState } from "./ends.ts";
import { type Holding, Lane, type LaneState } from "./lane.ts";

/** The state's methods for bans that the judge uses. */
interface BansState extends EndsState, ChangesState {
  addAll(bans: readonly NewBan[]): void;
  inForceByAddress(addresses: readonly string[]): ReadonlyMap<string, readonly BanInForce[]>;
  past(address: string): readonly PastBan[];
  /** Returns decisions of rules and networks after `since`, in order. */
  decisionsSince(since: Micros): CountedBan[];
}

/** The state's methods for firewalls that the judge uses. */
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
  readonly logins: Logins;
  readonly known: () => { logins: Iterable<Login>; sessions: Iterable<Session> };
  readonly networks: readonly NetworkStep[];
  /** Room for counts of networks. Default: the decider's own. */
  readonly networkRoom?: Room;
  /** Returns this boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** End of the trial, by which all bans leave a firewall that keeps time; null: no trial. */
  readonly trialEnd?: Micros | null;
}

/** Decides on bans and makes the firewall follow the state. */
export class Bans {
  readonly #options: BansOptions;
  readonly #decider: Decider;
  readonly #ends: Ends;
  /** Lane of the general firewall, and all lanes with those of modules. */
  readonly #lane: Lane;
  readonly #lanes: readonly Lane[];
  /** Addresses spared by decisions that are not committed yet. */
  #spared: readonly string[] = [];
  readonly #changes: Changes;
  /** Decided bans that extend one in force, with the added time. */
  readonly #extensions = new WeakMap<NewBan, Micros>();
  #trialEnd: Micros | null;
  /** Whether sessions have begun or ended that the whitelist does not show. */
  #haveSessionsChanged = false;

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
    this.#decider = new Decider(options);
    this.reset();
    for (const lane of this.#lanes) lane.takeUpAll();
  }

  /** Handles a login or the end of a connection: addresses with an open session are not banned. */
  note(event: LogEvent): void {
    if (this.#options.logins.note(event)) this.#haveSessionsChanged = true;
  }

  /** Returns the logins and sessions to store since the last call. */
  takeLogins(): LoginUpdate {
    this.#whitelistSessions();
    return this.#options.logins.takeUpdate();
  }

  /**
   * Returns all bans that follow from trips: of addresses, and of the networks that these fill, but
   * not of senders of `knocks`. Call `enforce()` after the commit, or `reset()` if it fails.
   */
  decide(trips: readonly Trip[], knocks: readonly Knock[] = []): NewBan[] {
    if (trips.length === 0) return [];
    this.#whitelistSessions();
    const history = this.#history(trips);
    const { bans, spared } = this.#decider.decide(trips, { history, now: this.#options.clock(), knocks });
    for (const ban of bans) {
      const inForce = history.inForce(ban.address);
      if (effectOf(ban, inForce) === "extended") this.#extensions.set(ban, gainOf(ban, inForce));
    }
    this.#spared = [...this.#spared, ...spared];
    return [...bans];
  }

  /** Reports whether a firewall that really bans carries out a ban. */
  isReal(ban: Pick<Ban, "scope">): boolean {
    return this.#lanes.find((lane) => lane.has(ban))?.firewall !== "observe";
  }

  /** Returns why an address or network may not be banned now; null: it may. */
  whyNot(target: string): string | null {
    this.#whitelistSessions();
    return this.#decider.whyNot(target, this.#options.clock());
  }

  /** Replaces memory by the state. Throws if the state cannot be read. */
  reset(): void {
    const { state: { bans }, logins, known, networks, clock } = this.#options;
    this.#spared = [];
    logins.restore(known());
    this.#haveSessionsChanged = true;
    this.#whitelistSessions();
    const longest = Math.max(0, ...networks.map(({ window }) => window));
    if (longest > 0) this.#decider.restore(bans.decisionsSince(clock() - longest));
  }

  /** Logs committed decisions and tells the firewall of them. */
  enforce(committed: readonly NewBan[] = []): void {
    const { log } = this.#options;
    for (const sentence of this.#spared) log.info(sentence);
    this.#spared = [];
    for (const ban of committed) {
      const gain = this.#extensions.get(ban);
      const verb = (this.isReal(ban) ? "banning" : "would ban") + (gain === undefined ? "" : " for longer");
      const sentence = `${verb} ${nameOf(ban)} ${lengthOf(ban)}: ${ban.reason}, ${counted(ban.count, "hit")}`;
      if (gain !== undefined && isMinor(ban, gain)) log.debug(() => sentence);
      else log.warn(sentence);
    }
    this.#changes.made(committed);
    // Bans that were already in force may end later now.
    this.#retell(committed);
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

  /** Frees unused memory and records that this boot is under way. Call it each minute. */
  sweep(now: Micros): void {
    this.#decider.sweep(now);
    this.#options.logins.sweep(now);
    for (const lane of this.#lanes) lane.noteBoot();
  }

  /** Stops. A firewall's call may run until `deadline`; the next start does the rest. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#ends.stop();
    await Promise.all(this.#lanes.map((lane) => lane.stop(deadline)));
  }

  /** Returns the state's history: read now for the addresses of trips, later for networks. */
  #history(trips: readonly Trip[]): BanHistory {
    const { bans } = this.#options.state;
    const addresses = new Set(trips.flatMap(({ address, source }) => [address, source]));
    const known = bans.inForceByAddress([...addresses]);
    return {
      inForce: (address) =>
        (addresses.has(address) ? known : bans.inForceByAddress([address])).get(address) ?? [],
      past: (address) => bans.past(address),
    };
  }

  /** Whitelists addresses with an open session: once for all lines of a batch. */
  #whitelistSessions(): void {
    if (!this.#haveSessionsChanged) return;
    this.#haveSessionsChanged = false;
    const { logins, whitelist } = this.#options;
    whitelist.set("open session", logins.openAddresses);
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
