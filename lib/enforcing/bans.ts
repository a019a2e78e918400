import { Enforcer } from "./enforcer.ts";
import { rangesUpTo, Walk } from "./walk.ts";
import { formatDuration, type Micros } from "../core/time.ts";
import { Decider, spanOf } from "../deciding/decider.ts";
import type { Login, LoginChange, LoginNews, Logins, Session } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import type { BanRange, BanStatus, HeldBan, NewBan } from "../deciding/ban.ts";
import type { BanStore } from "./ban_store.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Log } from "../core/log.ts";
import type { Trip } from "../rules/rule.ts";
import { messageOf } from "../core/error.ts";

/** What bans are made with. */
export interface BansOptions {
  readonly store: BanStore;
  readonly firewall: Firewall;
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  /** What is stored of those. */
  readonly known: () => { logins: Iterable<Login>; sessions: Iterable<Session> };
  /** When networks are banned for the bans inside of them. */
  readonly networks: readonly NetworkStep[];
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** When the machine started: what the firewall had before is gone. */
  readonly boot: Micros;
  /** No ban holds longer than this for now; null: there is no trial. */
  readonly trialEnd?: Micros | null;
}

/** How the firewall and the store agreed when they were last compared. */
export interface Holding {
  /** When that was. */
  readonly time: Micros;
  /** Bans that were there; null: the firewall cannot tell. */
  readonly held: number | null;
  /** Bans that were not there and have been put back. */
  readonly missing: number;
  /** What was there and nobody had banned. */
  readonly stray: readonly string[];
  /** Why nothing could be found out; null: it could. */
  readonly error: string | null;
}

/** Strays that are named. */
const MOST_STRAYS = 20;

/** Decides bans, ends them when their time has come, and has the firewall follow the store, which is always written first. */
export class Bans {
  readonly #options: BansOptions;
  readonly #decider: Decider;
  readonly #enforcer: Enforcer;
  /** Takes up what stands in the store at the start; until it is through, bans wait in `#unwidened` for the networks' count. */
  readonly #taking: Walk;
  /** Holds the bans in force against a whitelist that has changed. */
  readonly #sparing: Walk;
  readonly #unwidened: NewBan[] = [];
  /** Bans of networks that have been decided and could not be stored yet. */
  #unstored: NewBan[] = [];
  /** Ends of the bans made here since the store's changes were last taken over. */
  readonly #own = new Map<string, Micros | null>();
  /** Number of the store's latest change that has been taken over. */
  #lastChange: number;
  /** Addresses whose bans have ended since they were last asked for. */
  readonly #ended = new Set<string>();
  /** Revision of the whitelist that all bans in force were last held against. */
  #whitelistSeen: number | null = null;
  #trialEnd: Micros | null;
  #holding: Holding | null = null;

  constructor(options: BansOptions) {
    this.#options = options;
    const { store, firewall, boot, whitelist, logins, networks, log, trialEnd = null } = options;
    this.#trialEnd = trialEnd;
    store.begin(firewall.name, { boot, takesOver: firewall.takesOver, anew: firewall.keepsTime });
    this.#lastChange = store.lastChange();
    this.#decider = new Decider({
      whitelist,
      logins,
      networks,
      history: {
        standing: (network) => spanOrNone(store.standing(network)),
        past: (address) => store.past(address),
      },
      spared: (sentence) => log.info(sentence),
    });
    this.reset();
    this.#enforcer = new Enforcer({
      ...options,
      expire: () => this.#expire(),
      drop: ({ address }) => this.#dropIfWhitelisted(address),
      endOf: ({ until }) => this.#endOf(until),
    });
    const failed = (error: unknown) => log.error(`bans are held up: ${messageOf(error)}`);
    this.#taking = new Walk({
      slice: (range) => this.#takeUp(range),
      done: () => this.#widen(this.#unwidened.splice(0)),
      failed,
    });
    this.#sparing = new Walk({ slice: (range) => this.#spare(range), done: () => {}, failed });
    this.#taking.begin(store.lastId());
  }

  /** The bans that follow from trips. Changes nothing yet. */
  decide(trips: readonly Trip[]): NewBan[] {
    if (trips.length === 0) return [];
    // One question for all of them.
    const addresses = trips.flatMap(({ address, source }) =>
      address === source ? [address] : [address, source]
    );
    const spans = new Map<string, Micros>();
    for (const ban of this.#options.store.spans(addresses)) spans.set(ban.address, spanOf(ban));
    return this.#decider.decide(trips, (address) => spans.get(address));
  }

  /** Takes note of who logs in, and keeps those who are logged in from being banned. */
  note(change: LoginChange): void {
    const { logins, whitelist } = this.#options;
    if (logins.apply([change])) whitelist.set("open session", logins.open);
  }

  /** What is to be stored of that, once. */
  news(): LoginNews {
    return this.#options.logins.takeNews();
  }

  /** Forgets what was noted and not stored. */
  reset(): void {
    const { logins, known, whitelist } = this.#options;
    logins.restore(known());
    whitelist.set("open session", logins.open);
  }

  /** Takes note of bans that have been stored, bans the networks that they fill, and sees to it that the firewall gets all. */
  enforce(stored: readonly NewBan[] = []): void {
    this.#take(stored);
    if (this.#taking.isUnderWay) this.#unwidened.push(...stored);
    else this.#widen(stored);
    this.#enforcer.pump();
  }

  /**
   * Ends what the whitelist now covers and takes over what a command changed in the store. Returns the
   * addresses whose bans have ended since the last call.
   */
  refresh(): string[] {
    this.#takeOverChanges();
    this.#endWhitelisted();
    this.#widen([]);
    this.#enforcer.pump();
    const { store } = this.#options;
    const ended = [...this.#ended];
    this.#ended.clear();
    return ended.filter((address) => store.standing(address) === null);
  }

  /** How the firewall and the store agreed when they were last compared; null before the first time. */
  get holding(): Holding | null {
    return this.#holding;
  }

  /** Compares what the firewall has with the store: puts back what is missing, and tells of what nobody banned. */
  async reconcile(): Promise<void> {
    const { store, firewall, clock, log } = this.#options;
    const time = clock();
    const before = this.#holding;
    // Until then it has not been told everything.
    if (this.#taking.isUnderWay) return;
    try {
      const bans: HeldBan[] = [];
      for await (const range of rangesUpTo(store.lastId())) {
        for (const ban of store.held(firewall.name, range)) {
          bans.push({ ...ban, until: this.#endOf(ban.until) });
        }
      }
      const found = await firewall.inspect(bans, this.#enforcer.signal);
      if (this.#enforcer.signal.aborted) return;
      const missing = (found?.missing ?? []).filter((address) => this.#isSettled(address));
      const stray = (found?.stray ?? []).filter((address) => !this.#isKnown(address));
      store.reapply(missing);
      this.#holding = {
        time,
        held: found && bans.length - found.missing.length,
        missing: missing.length,
        stray: stray.slice(0, MOST_STRAYS),
        error: null,
      };
      if (missing.length > 0) {
        log.warn(`${missing.length} bans were gone from the firewall: putting them back`);
      }
      if (stray.length > 0 && stray.slice(0, MOST_STRAYS).join() !== before?.stray.join()) {
        log.warn(`the firewall bans ${listed(stray)}, which nobody here has banned: left as it is`);
      }
    } catch (error) {
      if (this.#enforcer.signal.aborted) return;
      this.#holding = { time, held: null, missing: 0, stray: [], error: messageOf(error) };
      if (before?.error !== messageOf(error)) {
        log.error(`Cannot tell whether bans hold: ${messageOf(error)}`);
      }
    }
    this.#enforcer.pump();
  }

  /** The trial has been passed: bans hold as long as they were meant to. */
  confirm(): void {
    if (this.#trialEnd === null) return;
    this.#trialEnd = null;
    const { store, firewall } = this.#options;
    if (firewall.keepsTime) {
      store.applyAnew({ after: 0, upTo: store.lastId() });
      this.#enforcer.retell();
    }
    this.#enforcer.pump();
  }

  /** Gives back memory that is needed no longer. */
  sweep(now: Micros): void {
    this.#decider.sweep(now);
  }

  /** Stops; a command under way gets until `deadline` to end, and what is left undone is done at the next start. */
  stop(deadline: AbortSignal): Promise<void> {
    this.#taking.stop();
    this.#sparing.stop();
    return this.#enforcer.stop(deadline);
  }

  #takeUp(range: BanRange): void {
    const { store, firewall, networks, clock } = this.#options;
    if (firewall.keepsTime) store.applyAnew(range);
    const longest = Math.max(0, ...networks.map(({ window }) => window));
    if (longest > 0) {
      const counted = store.since(clock() - longest, range);
      this.#decider.restore(counted.filter(({ reason }) => isAutomatic(reason)));
    }
    // What the first slice leaves due is told with the first refresh.
    if (range.after > 0) this.#enforcer.pump();
  }

  /** Bans the networks that bans have filled. */
  #widen(stored: readonly NewBan[]): void {
    this.#unstored.push(...this.#decider.widen(stored));
    const bans = this.#unstored;
    if (bans.length === 0) return;
    const { store, log } = this.#options;
    try {
      store.addAll(bans);
    } catch (error) {
      return log.error(`bans of networks are held up: ${messageOf(error)}`);
    }
    this.#unstored = [];
    this.#take(bans);
    this.#enforcer.pump();
  }

  /** Takes note of bans that have been stored. Of those that had been in force already the firewall is told the end anew. */
  #take(stored: readonly NewBan[]): void {
    const { firewall, log } = this.#options;
    if (firewall.keepsTime) this.#retell(stored.map(({ address }) => address));
    const verb = firewall.name === "observe" ? "would ban" : "banning";
    for (const { address, reason, count, start, until } of stored) {
      this.#own.set(address, until);
      const span = until === null ? "for good" : `for ${formatDuration(until - start)}`;
      log.warn(`${verb} ${address} ${span}: ${reason}, ${count} hits`);
    }
  }

  /** Follows what others changed in the store: bans that they ended, and other ends of those in force. */
  #takeOverChanges(): void {
    const { store, firewall } = this.#options;
    const moved: string[] = [];
    const lastChange = store.lastChange();
    for (const { address, until, isEnded } of store.changedSince(this.#lastChange)) {
      if (isEnded) this.#ended.add(address);
      else if (this.#own.get(address) !== until) moved.push(address);
    }
    this.#lastChange = lastChange;
    if (firewall.keepsTime) this.#retell(moved);
    this.#own.clear();
  }

  /** Has the firewall told of the ends of bans anew. */
  #retell(addresses: readonly string[]): void {
    this.#options.store.reapply(addresses);
    this.#enforcer.retell(addresses);
  }

  /** Ends the bans that the whitelist covers, if it is another than the last time. */
  #endWhitelisted(): void {
    const { store, whitelist } = this.#options;
    if (whitelist.revision === this.#whitelistSeen) return;
    this.#sparing.begin(store.lastId());
    this.#whitelistSeen = whitelist.revision;
  }

  #spare(range: BanRange): void {
    const { store } = this.#options;
    const ended = store.transaction(() =>
      store.addresses(range).filter((address) => this.#endIfWhitelisted(address))
    );
    ended.forEach((address) => this.#ended.add(address));
    if (range.after > 0 && ended.length > 0) this.#enforcer.pump();
  }

  #endIfWhitelisted(address: string): boolean {
    const { store, whitelist, log, clock } = this.#options;
    const origin = whitelist.covering(address);
    if (origin === null) return false;
    store.end(address, { reason: "whitelisted", time: clock() });
    log.info(`unbanning ${address}: whitelisted by ${origin}`);
    return true;
  }

  #expire(): boolean {
    const { store, clock, log } = this.#options;
    const { addresses, isMore } = store.expire(clock());
    for (const address of addresses) log.info(`unbanning ${address}: its time is up`);
    return isMore;
  }

  /** The whitelist may have grown since the ban was decided, and a ban by hand asks nobody. */
  #dropIfWhitelisted(address: string): boolean {
    return this.#endIfWhitelisted(address);
  }

  #endOf(until: Micros | null): Micros | null {
    return this.#trialEnd === null ? until : Math.min(until ?? Infinity, this.#trialEnd);
  }

  #isSettled(address: string): boolean {
    return this.#options.store.standing(address) !== null && !this.#enforcer.isBusy(address);
  }

  /** Bans being applied or lifted are no strays. */
  #isKnown(address: string): boolean {
    const latest = this.#options.store.latest(address);
    return latest !== null && (latest.ended === null || latest.appliedBy !== null);
  }
}

function spanOrNone(ban: BanStatus | null): Micros | undefined {
  return ban === null ? undefined : spanOf(ban);
}

/** Whether a rule has banned, not a person. */
function isAutomatic(reason: string): boolean {
  return reason.startsWith("[") && !reason.startsWith("[MANUAL]") && !reason.startsWith("[IMPORT]");
}

function listed(addresses: readonly string[]): string {
  const more = addresses.length - MOST_STRAYS;
  return addresses.slice(0, MOST_STRAYS).join(", ") + (more > 0 ? ` and ${more} more` : "");
}
