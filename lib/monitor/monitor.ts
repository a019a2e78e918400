/**
 * The composition root: everything that runs while one configuration is in force is built, connected, started and stopped
 * here, in this order: state (given), whitelist, firewall, bans, pipeline, feeds. The only file that knows everybody.
 */
import { currentBoot } from "../core/boot.ts";
import { Bell, every, pause } from "../core/async.ts";
import { ClockWatch } from "../core/clock_watch.ts";
import { messageOf } from "../core/error.ts";
import { VERSION } from "../core/version.ts";
import { countMessages, type Log } from "../core/log.ts";
import { type Micros, now, SECOND } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import type { Trial } from "../deciding/ban.ts";
import type { FollowRules } from "../deciding/following.ts";
import { Logins } from "../deciding/logins.ts";
import { Bans } from "../enforcing/bans.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { type Fleet, openFleet, type Sharing } from "../postgres/fleet.ts";
import type { Deed } from "../state/deed_table.ts";
import type { Lock } from "../state/lock.ts";
import type { BatchWriter } from "../state/batch_writer.ts";
import type { State } from "../state/state.ts";
import { watchControl } from "./control.ts";
import { FleetBans } from "./fleet_bans.ts";
import { openFirewall } from "./firewall.ts";
import { Feeding } from "./feeding.ts";
import { type MonitorFeed, openFeeds } from "./feeds.ts";
import { houseOf } from "./house.ts";
import { HOUSEKEEPING, Housekeeping } from "./housekeeping.ts";
import { Knocking } from "./knocking.ts";
import { type AppliedBan, Leaks } from "./leaks.ts";
import { systemResolve } from "./names.ts";
import { Pipeline } from "./pipeline.ts";
import { Recent } from "./recent.ts";
import { type MonitorReport, readReport } from "./report.ts";
import { Surroundings, systemSources } from "./surroundings.ts";
import { Telling } from "./telling.ts";
import { TrialWatch } from "./trial.ts";
import { ownAddresses, Whitelisting } from "./whitelisting.ts";

/** Milliseconds until the firewall is first asked what it has. */
const FIRST_LOOK = 5_000;
/** Milliseconds between the loss of bans and the look at what is left. */
const SETTLING = 200;
/** Milliseconds between two reports into the state. */
const REPORTING = 2_000;
/** Milliseconds between looks at the state's file and at the lock. */
const KEEPING = 500;
/** Milliseconds that the first lines wait for the whitelist to be known. */
const LEARNING = 3_000;
/** From then on the log tells when a change by a command was made. */
const LATE: Micros = 5 * SECOND;
/** Milliseconds that a stop waits for commands under way. */
const STOP_COMMANDS = 2_500;
/** How long a stop waits for the last shipment. */
const STOP_SHIPPING: Micros = SECOND;

/** What a monitor is given. */
export interface MonitorParts {
  /** Outlives the monitor. */
  readonly state: State;
  /** The proof that no other monitor runs on it. */
  readonly lock?: Pick<Lock, "look">;
  readonly log: Log;
  /** Bans hold no longer than the trial, unless somebody confirms; null: there is no trial. */
  readonly trial?: Trial | null;
  /** The machine's boot id, as systemd's `%b` spells it; null: nobody told. */
  readonly bootId?: string | null;
}

/** Monitors by one configuration: built in the constructor, started by `run()`, stopped in order when its signal aborts. */
export class Monitor {
  readonly #config: Config;
  readonly #state: State;
  readonly #lock: Pick<Lock, "look"> | null;
  readonly #log: Log;
  readonly #whitelisting: Whitelisting;
  readonly #surroundings: Surroundings;
  readonly #firewall: Firewall;
  /** Names of the firewalls that ban, and do not only observe. */
  readonly #realFirewalls: ReadonlySet<string>;
  readonly #trial: TrialWatch;
  readonly #bans: Bans;
  readonly #knocking: Knocking;
  /** Null: nobody is really banned. */
  readonly #leaks: Leaks | null;
  readonly #batches: BatchWriter;
  readonly #pipeline: Pipeline;
  readonly #feeds: readonly MonitorFeed[];
  readonly #feeding: Feeding;
  readonly #housekeeping: Housekeeping;
  readonly #telling: Telling;
  readonly #started = now();
  readonly #clock = new ClockWatch();
  #fleet: Fleet | null = null;
  readonly #recent = new Recent();
  #lastReport = "";
  /** Why it ends by itself. */
  #failure: string | null = null;
  #isRefreshDue = false;

  constructor(
    config: Config,
    { state, lock, log: outer, trial = null, bootId = null }: MonitorParts,
  ) {
    const { log, counts: messages } = countMessages(outer);
    this.#config = config;
    this.#state = state;
    this.#lock = lock ?? null;
    this.#log = log;
    this.#trial = new TrialWatch(trial, { state, log });
    this.#whitelisting = new Whitelisting(config, {
      state,
      log,
      clock: now,
      resolve: systemResolve(),
      changed: () => this.#housekeeping.attempt("take over a change", () => this.#refresh()),
    });
    this.#surroundings = new Surroundings({
      state,
      log,
      clock: now,
      sources: systemSources(log),
      database: config.database?.host ?? null,
      changed: () => this.#refreshSoon(),
    });
    this.#firewall = openFirewall(config.ban, { lost: () => this.#bans.putBack() });
    const moduleFirewalls = new Map(config.moduleBans.map(({ module, ban }) => [module, openFirewall(ban)]));
    this.#realFirewalls = new Set(
      [this.#firewall, ...moduleFirewalls.values()].map(({ name }) => name).filter((name) =>
        name !== "observe"
      ),
    );
    state.bans.rescope([...moduleFirewalls.keys()], now());
    state.enforcement.rebase(now());
    const { start } = currentBoot(bootId);
    state.logins.expire({ logins: now() - (config.trust?.span ?? 0), sessions: start });
    const logins = new Logins(config.trust);
    this.#bans = new Bans({
      state,
      firewall: this.#firewall,
      moduleFirewalls,
      whitelist: this.#whitelisting.whitelist,
      logins,
      known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
      networks: config.networkBans,
      log,
      clock: now,
      boot: () => currentBoot(bootId),
      trialEnd: trial?.end,
      // Another server's ban may outlast an own one.
      expired: (addresses) => this.#fleet?.ask(state.bans.ownExpired(addresses)),
    });
    this.#knocking = new Knocking({
      config: config.knock,
      log,
      keys: () => state.knocks.keys(),
      opened: () => this.#refreshSoon(),
    });
    this.#leaks = this.#realFirewalls.size === 0 ? null : new Leaks({
      modules: config.modules.map(({ module: { name }, rules }) => ({
        name,
        scope: rules[0]?.scope ?? "all",
      })),
      bansOf: (addresses) => this.#appliedBans(addresses),
      lengths: bannedLengths(config),
      log,
    });
    this.#batches = state.batches(config.modules.map(({ module }) => module.name));
    this.#pipeline = new Pipeline(config.modules, {
      store: this.#batches,
      judge: this.#bans,
      log,
      before: readReport(state.report())?.modules,
      counting: {
        ipv6Prefix: config.ipv6Prefix,
        lenience: (address, time) => logins.lenience(address, time),
      },
      knocking: this.#knocking,
      leaks: this.#leaks,
    });
    this.#feeds = openFeeds(config, { pipeline: this.#pipeline, log });
    this.#feeding = new Feeding(this.#feeds, {
      state,
      pipeline: this.#pipeline,
      log,
      processed: () => this.#fleet?.wake(),
      failed: (source, error) => this.#telling.noteFailure(source, error),
    });
    this.#housekeeping = new Housekeeping(
      houseOf(config, {
        state,
        pipeline: this.#pipeline,
        bans: this.#bans,
        rebase: () => this.#rebase(),
        refresh: () => this.#refresh(),
      }),
      log,
    );
    this.#telling = new Telling(config, {
      state,
      pipeline: this.#pipeline,
      report: (running) => this.#makeReport(running),
      firewall: this.#firewall.name,
      log,
      messages,
    });
  }

  /**
   * Monitors until `signal` aborts. Throws when no source is left, or at once a `UserError` of any: what a person must mend,
   * such as a journal that may not be read, is not to be found out by chance. True: a trial is over that nobody has confirmed.
   * @param isEnd whether the program ends, or a new configuration takes over
   */
  async run(signal: AbortSignal, isEnd: () => boolean = () => true): Promise<boolean> {
    try {
      const isTrialOver = await this.#run(signal, isEnd);
      await this.#telling.end(null, isEnd());
      return isTrialOver;
    } catch (error) {
      await this.#telling.end(error, true);
      throw error;
    }
  }

  async #run(signal: AbortSignal, isEnd: () => boolean): Promise<boolean> {
    const stop = new AbortController();
    const relay = () => stop.abort();
    signal.addEventListener("abort", relay, { once: true });
    if (signal.aborted) relay();
    let isTrialOver = false;
    const trial = this.#trial.run(stop.signal, () => this.#refresh()).then((isOver) => {
      isTrialOver = isOver;
      if (isOver) stop.abort();
    });
    // The system answers while all else starts.
    const surroundings = this.#surroundings.follow(stop.signal);
    await this.#whitelisting.look(stop.signal);
    const background = Promise.all([this.#startBackground(stop.signal), trial, surroundings]).catch(
      (error) => {
        stop.abort();
        throw error;
      },
    );
    background.catch(() => {});
    try {
      await this.#learnWhitelist(stop.signal);
      await this.#feeding.follow(stop, signal);
      return isTrialOver;
    } catch (error) {
      this.#failure = messageOf(error);
      throw error;
    } finally {
      stop.abort();
      signal.removeEventListener("abort", relay);
      await this.#stop(background, isEnd());
    }
  }

  #startBackground(signal: AbortSignal): Promise<unknown> {
    const { database, keepLog, following } = this.#config;
    if (database !== null) {
      this.#fleet = openFleet(database, {
        outbox: this.#state.outbox,
        hostName: Deno.hostname(),
        log: this.#log,
        keepLog,
        onWhitelist: (entries) => {
          this.#state.replaceWhitelist("database", entries, now());
          this.#refresh();
        },
        onPeer: (address) => this.#surroundings.note("database host", [address]),
        sharing: following && this.#share(following),
        self: () => ({
          version: VERSION,
          addresses: ownAddresses(),
          followed: this.#state.bans.followed(),
        }),
      });
    }
    this.#refresh();
    this.#report(true);
    const attempt = (name: string, work: () => void) => this.#housekeeping.attempt(name, work);
    return Promise.all([
      watchControl(this.#state.directory, {
        changed: () => {
          this.#log.debug(() => "a command changed the state");
          attempt("look after the state", () => this.#keep());
          attempt("take over a change", () => this.#refresh());
        },
        signal,
      }),
      every(KEEPING, signal, () => this.#keep()),
      this.#housekeeping.run(signal),
      this.#reconcile(signal),
      every(REPORTING, signal, () => attempt("report", () => this.#report(true))),
      every(REPORTING, signal, () => attempt("keep counts of the hour", () => this.#batches.flush())),
      this.#telling.run(signal),
      this.#whitelisting.followNames(signal),
      this.#whitelisting.followFiles(signal),
    ]);
  }

  /** How the bans of other servers are followed. */
  #share(rules: FollowRules): Sharing {
    const bans = new FleetBans({
      rules,
      state: this.#state,
      log: this.#log,
      whyNot: (target) => this.#bans.whyNot(target),
      isReal: this.#firewall.name !== "observe",
      changed: () => this.#refresh(),
    });
    return {
      positions: this.#state.fleet.positions(),
      window: rules.window,
      onNews: (news) => bans.take(news),
    };
  }

  /**
   * Waits, but not for long, until it is known who is whitelisted by DNS and by the database: lines that have piled up
   * would otherwise be judged without.
   */
  async #learnWhitelist(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + LEARNING;
    const isKnown = () => {
      const database = this.#fleet?.status();
      return this.#whitelisting.namesResolved && this.#surroundings.isKnown &&
        (!database || database.lastShipped !== null || database.error !== null);
    };
    while (!isKnown() && performance.now() < deadline && !signal.aborted) await pause(10, signal);
  }

  /** Refreshes in a turn of its own: a commit is under way. */
  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    queueMicrotask(() => {
      this.#isRefreshDue = false;
      this.#housekeeping.attempt("take over a change", () => this.#refresh());
    });
  }

  /** Sees that the state and the lock are still what they were. Throws `UserError` (69) where nothing can be mended. */
  #keep(): void {
    const isAnother = this.#state.look();
    this.#lock?.look();
    if (!isAnother) return;
    this.#lastReport = "";
    this.#pipeline.nameGroups();
    this.#housekeeping.attempt("go on with another state", () => this.#refresh());
  }

  /** Takes over what commands and the database changed in the state, and what the network changed around us. */
  #refresh(): void {
    for (const deed of this.#state.deeds.take()) this.#log.info(deedText(deed, now()));
    this.#knocking.takeKeys();
    this.#whitelisting.gather();
    if (this.#trial.takeConfirmation()) this.#bans.confirm();
    this.#pipeline.forget(this.#bans.refresh());
    this.#fleet?.wake();
    this.#report(true);
  }

  /** Never at a start: a clock that is behind would end all bans as soon as it is right. */
  #rebase(): void {
    this.#clock.look((time) => {
      const count = this.#state.bans.rebase(time);
      if (count > 0) this.#log.warn(`the clock ran ahead: ${count} bans that began later than now begin now`);
    });
  }

  /** Holds the firewall against the state every minute, and soon after it tells that it has lost bans. */
  async #reconcile(signal: AbortSignal): Promise<void> {
    const bell = new Bell();
    const watch = this.#firewall.watch?.(() => bell.ring(), signal);
    for (let wait = FIRST_LOOK; !signal.aborted; wait = HOUSEKEEPING) {
      await bell.wait(wait, signal);
      // A reload deletes and makes tables, one after the other.
      if (bell.take()) await pause(SETTLING, signal);
      if (this.#state.takeLoss()) this.#bans.adoptStrays();
      if (!signal.aborted) await this.#bans.reconcile();
    }
    await watch;
  }

  /** The bans in force of some addresses, as far as firewalls really have them. */
  #appliedBans(addresses: readonly string[]): AppliedBan[] {
    return this.#state.bans.inForceOf(addresses).map(({ appliedBy, appliedAt, ...ban }) => ({
      ...ban,
      appliedAt: this.#realFirewalls.has(appliedBy ?? "") ? appliedAt : null,
    }));
  }

  #report(running: boolean): void {
    const report = this.#makeReport(running);
    const text = JSON.stringify(report);
    if (text === this.#lastReport) return;
    this.#lastReport = text;
    const time = now();
    this.#state.setReport(JSON.stringify({ time, ...report, recent: this.#recent.add(time, report.counts) }));
  }

  #makeReport(running: boolean): MonitorReport {
    return {
      pid: Deno.pid,
      running,
      started: this.#started,
      failure: this.#failure,
      config: this.#config.path,
      firewall: this.#firewall.name,
      moduleFirewalls: this.#config.moduleBans.map(({ module, ban: { firewall } }) => ({ module, firewall })),
      holding: this.#bans.holding,
      leaks: this.#leaks?.look(now()) ?? [],
      trialEnd: this.#trial.end,
      sources: this.#feeds.flatMap(({ source }) => {
        const report = this.#feeding.reports.get(source.name);
        const { delivery = null, problems = [], isWaiting: waiting = false } = source;
        const lag = this.#pipeline.lags.get(source.name);
        return report ? [{ ...report, delivery, problems, waiting, lag }] : [];
      }),
      modules: this.#pipeline.activity(now()),
      givenUp: this.#pipeline.givenUp,
      counts: this.#pipeline.counts,
      tracked: this.#pipeline.tracked,
      forgotten: this.#pipeline.evicted,
      database: this.#fleet?.status() ?? null,
      notify: this.#telling.notices,
    };
  }

  /** In order: sources have ended, then commands under way, then the last shipment. */
  async #stop(background: Promise<unknown>, isEnd: boolean): Promise<void> {
    await this.#bans.stop(AbortSignal.timeout(STOP_COMMANDS));
    if (isEnd && this.#config.ban.unbanOnStop) await this.#liftAll();
    await this.#fleet?.close(STOP_SHIPPING);
    await background;
    // What takes over would not know that the clock was set back.
    this.#housekeeping.attempt("mend bans of a clock that ran ahead", () => this.#rebase());
    this.#housekeeping.attempt("keep counts of the hour", () => this.#batches.flush({ isLast: true }));
    this.#housekeeping.attempt("report", () => this.#report(false));
  }

  /** Lifts everything in the firewall; the state keeps it for the next start. */
  async #liftAll(): Promise<void> {
    const error = await this.#firewall.clear(AbortSignal.timeout(STOP_COMMANDS));
    if (error === null) this.#log.info("no ban holds while the monitor is stopped");
    else this.#log.error(`Cannot lift all bans: ${error}`);
  }
}

/** How the log tells of a change by a command: with its time, where no monitor ran then. */
function deedText({ time, who, what }: Deed, now: Micros): string {
  const isPast = now - time > LATE;
  return `by hand: ${what}, by ${who}${isPast ? ` at ${new Date(time / 1_000).toISOString()}` : ""}`;
}

/** Lengths of prefixes of networks that are banned: by rules, for the bans inside of them, and mostly by people. */
function bannedLengths({ ipv6Prefix, networkBans }: Config): { ipv4: number[]; ipv6: number[] } {
  return {
    ipv4: [...networkBans.flatMap(({ ipv4 }) => ipv4 ?? []), 8, 16, 24],
    ipv6: [ipv6Prefix, ...networkBans.flatMap(({ ipv6 }) => ipv6 ?? []), 32, 48, 56, 64],
  };
}
