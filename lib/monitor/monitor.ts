import type { Config } from "../config/types.ts";
import { Bans } from "../enforcing/bans.ts";
import { type Micros, now, SECOND } from "../core/time.ts";
import { watchControl } from "./control.ts";
import { countedAs } from "../core/address.ts";
import { isEstranged } from "../reading/health.ts";
import { CommandFirewall } from "../firewall/command.ts";
import { NftablesFirewall } from "../firewall/nftables.ts";
import { ObserveFirewall } from "../firewall/observe.ts";
import { Knocking } from "./knocking.ts";
import type { MonitorReport, SourceReport } from "./report.ts";
import { type Feed, openFeeds } from "./feeds.ts";
import { Whitelisting } from "./whitelisting.ts";
import { resolveBySystem } from "./names.ts";
import { Pipeline } from "./pipeline.ts";
import { type Fleet, openFleet } from "../postgres/fleet.ts";
import { longestWindow } from "../rules/engine.ts";
import { Logins } from "../deciding/logins.ts";
import type { State } from "../state/state.ts";
import { every, pause, supervise } from "../core/async.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Log } from "../core/log.ts";
import { messageOf, UserError } from "../core/error.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { Trial } from "../deciding/ban.ts";

/** How far the first start looks back when no rule has a window. */
const FIRST_LOOK_BACK: Micros = 3_600 * SECOND;
const HOUSEKEEPING = 60_000;
/** Milliseconds until the firewall is first asked what it has. */
const FIRST_LOOK = 5_000;
const BETWEEN_STEPS = 50;
/** Milliseconds between looks whether a trial is over, and that its bans have to be lifted. */
const TRIAL_LOOK = 1_000;
const TRIAL_LIFTING = 10_000;
const REPORTING = 2_000;
/** Milliseconds that the first lines wait for the whitelist to be known. */
const LEARNING = 3_000;
/** How long a stop waits for commands under way, and for the last shipment. */
const STOP_COMMANDS = 2_500;
const STOP_SHIPPING: Micros = SECOND;

/**
 * Everything that runs while one configuration is in force, built in the constructor, started by `run()`
 * and stopped in order when `signal` aborts. The state outlives it.
 */
export class Monitor {
  readonly #config: Config;
  readonly #state: State;
  readonly #log: Log;
  readonly #whitelisting: Whitelisting;
  readonly #firewall: Firewall;
  #trial: Trial | null;
  readonly #bans: Bans;
  readonly #knocking: Knocking;
  readonly #pipeline: Pipeline;
  readonly #feeds: readonly Feed[];
  readonly #reports = new Map<string, Omit<SourceReport, "delivery">>();
  readonly #started = now();
  #fleet: Fleet | null = null;
  /** Modules that have been complained of. */
  #estranged: readonly string[] = [];
  /** Addresses that were too many to count, as far as they have been told of. */
  #forgotten = 0;
  #lastReport = "";

  /** @param parts.trial in which bans end early unless somebody confirms */
  constructor(
    config: Config,
    { state, log, trial = null }: { state: State; log: Log; trial?: Trial | null },
  ) {
    this.#config = config;
    this.#trial = trial;
    this.#state = state;
    this.#log = log;
    this.#whitelisting = new Whitelisting(config, {
      state,
      log,
      clock: now,
      resolve: resolveBySystem,
      changed: () => this.#refresh(),
    });
    this.#firewall = buildFirewall(config);
    const boot = now() - Deno.osUptime() * SECOND;
    state.logins.expire({ logins: now() - (config.trust?.span ?? 0), sessions: boot });
    const logins = new Logins(config.trust);
    this.#bans = new Bans({
      store: state.bans,
      firewall: this.#firewall,
      whitelist: this.#whitelisting.whitelist,
      logins,
      known: () => ({ logins: state.logins.logins(), sessions: state.logins.sessions() }),
      networks: config.networkBans,
      log,
      clock: now,
      boot,
      trialEnd: trial?.end,
    });
    this.#knocking = new Knocking({
      config: config.knock,
      log,
      keys: () => state.knocks.keys(),
      opened: () => this.#refresh(),
    });
    const before = (state.report() as MonitorReport | null)?.modules.filter((module) =>
      typeof module === "object"
    );
    this.#pipeline = new Pipeline(config.modules, {
      store: state,
      judge: this.#bans,
      log,
      before,
      counting: {
        countedAs: (address) => countedAs(address, config.ipv6Prefix),
        lenience: (address, time) => logins.lenience(address, time),
      },
      knocking: this.#knocking,
    });
    this.#feeds = openFeeds(config, { pipeline: this.#pipeline, log });
  }

  /**
   * Monitors until `signal` aborts. Throws when no source is left, or at once a `UserError` of any: what a person
   * must mend, such as a journal that may not be read, is not to be found out by chance. True: a trial is over that nobody has
   * confirmed.
   * @param isEnd whether the program ends, or a new configuration takes over
   */
  async run(signal: AbortSignal, isEnd: () => boolean = () => true): Promise<boolean> {
    let isTrialOver = false;
    const stop = new AbortController();
    const relay = () => stop.abort();
    signal.addEventListener("abort", relay, { once: true });
    if (signal.aborted) relay();
    const trial = this.#endTrial(stop.signal).then((isOver) => {
      isTrialOver = isOver;
      if (isOver) stop.abort();
    });
    const background = Promise.all([this.#startBackground(stop.signal), trial]).catch((error) => {
      stop.abort();
      throw error;
    });
    background.catch(() => {});
    try {
      await this.#learnWhitelist(stop.signal);
      const results = await Promise.allSettled(
        this.#feeds.map((feed) =>
          this.#follow(feed, stop.signal).catch((error) => {
            if (error instanceof UserError) stop.abort();
            throw error;
          })
        ),
      );
      const failures = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
      const failed = failures.find((error) => error instanceof UserError) ?? failures[0];
      if (failed && !signal.aborted) throw failed;
      return isTrialOver;
    } finally {
      stop.abort();
      signal.removeEventListener("abort", relay);
      await this.#stop(background, isEnd());
    }
  }

  #startBackground(signal: AbortSignal): Promise<unknown> {
    const { database, keepLog } = this.#config;
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
      });
    }
    this.#refresh();
    this.#report(true);
    return Promise.all([
      watchControl(this.#state.directory, {
        changed: () => this.#try("take over a change", () => this.#refresh()),
        signal,
      }),
      every(HOUSEKEEPING, signal, () => this.#try("keep house", () => this.#keepHouse())),
      this.#forgetLines(signal),
      this.#reconcile(signal),
      every(REPORTING, signal, () => this.#try("report", () => this.#report(true))),
      this.#whitelisting.followNames(signal),
    ]);
  }

  /** Reads one source as long as it can be read, each time from where the state says. */
  #follow({ source, reader, modules }: Feed, signal: AbortSignal): Promise<void> {
    const since = this.#state.firstSince(source.name, this.#lookBack(modules));
    const report = (running: boolean, lastBatch: Micros | null) =>
      this.#reports.set(source.name, { name: source.name, running, lastBatch });
    const read = async (progress: () => void) => {
      report(true, this.#reports.get(source.name)?.lastBatch ?? null);
      try {
        for await (
          const batch of source.batches({ after: this.#state.position(source.name), since }, signal)
        ) {
          const isStored = this.#pipeline.process(batch, { source: source.name, reader, now: now() });
          this.#fleet?.wake();
          if (batch.entries.length > 0) report(true, now());
          // What is only taken in may still fail to be stored.
          if (isStored) progress();
        }
      } finally {
        this.#pipeline.settle(source.name);
      }
      if (!signal.aborted) throw new Error(`${source.name} ended`);
    };
    return supervise(read, { name: source.name, signal, log: this.#log })
      .finally(() => report(false, this.#reports.get(source.name)?.lastBatch ?? null));
  }

  /**
   * Since when a source that is new is read: as far as a rule looks back, but nothing that its modules saw already, in files
   * that were named otherwise.
   */
  #lookBack(modules: readonly ModuleRules[]): Micros {
    const seen = this.#pipeline.freshness(now())
      .filter(({ name }) => modules.some(({ module }) => module.name === name))
      .map(({ lastLine }) => (lastLine ?? 0) + 1);
    return Math.max(now() - longestWindow(modules, FIRST_LOOK_BACK), ...seen);
  }

  /**
   * Waits, but not for long, until it is known who is whitelisted by DNS and by the database: lines that have piled up
   * would otherwise be judged without.
   */
  async #learnWhitelist(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + LEARNING;
    const isKnown = () => {
      const database = this.#fleet?.status();
      return this.#whitelisting.namesResolved &&
        (!database || database.lastShipped !== null || database.error !== null);
    };
    while (!isKnown() && performance.now() < deadline && !signal.aborted) await pause(10, signal);
  }

  /** Takes over what commands and the database changed in the state, and what the network changed around us. */
  #refresh(): void {
    this.#knocking.takeKeys();
    this.#whitelisting.gather();
    if (this.#trial !== null && this.#state.trial() === null) this.#passTrial();
    for (const address of this.#bans.refresh()) this.#pipeline.forget(address);
    this.#fleet?.wake();
    this.#report(true);
  }

  #keepHouse(): void {
    this.#state.expireWhitelist(now());
    this.#refresh();
    const counted = this.#pipeline.counted(now());
    this.#pipeline.sweep(counted);
    this.#bans.sweep(counted);
    this.#state.tallies.expire(counted);
    this.#warnOfStrangers();
    this.#warnOfForgotten();
  }

  #passTrial(): void {
    this.#trial = null;
    this.#log.info("the trial is confirmed: bans hold as long as they are meant to");
    this.#bans.confirm();
  }

  /** Waits for the end of a trial that nobody confirms; true then: its bans are lifted as far as the firewall has answered. */
  async #endTrial(signal: AbortSignal): Promise<boolean> {
    while (this.#trial !== null && !signal.aborted) {
      const left = this.#trial.end - now();
      if (left <= 0) break;
      await pause(Math.min(left / 1_000, TRIAL_LOOK), signal);
    }
    if (this.#trial === null || signal.aborted) return false;
    const { lastBan } = this.#trial;
    // From here on it is over, and cannot be confirmed any more.
    this.#trial = null;
    this.#state.bans.endNewer(lastBan, { reason: "trial", time: now() });
    this.#state.setTrial(null);
    this.#log.warn("the trial is over and nobody has confirmed it: its bans are lifted, and monitoring ends");
    this.#refresh();
    const deadline = performance.now() + TRIAL_LIFTING;
    while (this.#state.bans.lingering().length > 0 && performance.now() < deadline && !signal.aborted) {
      await pause(BETWEEN_STEPS, signal);
    }
    return true;
  }

  /** Complains once of each module that understands too little of what it sees. */
  #warnOfStrangers(): void {
    const estranged = this.#pipeline.freshness(now()).filter(isEstranged);
    for (const { name, lines, understood } of estranged) {
      if (this.#estranged.includes(name)) continue;
      this.#log.warn(
        `module ${name} understood only ${understood} of ${lines} lines in the last hour: has its log format changed?`,
      );
    }
    this.#estranged = estranged.map(({ name }) => name);
  }

  #warnOfForgotten(): void {
    const { forgotten, tracked } = this.#pipeline;
    const more = forgotten - this.#forgotten;
    this.#forgotten = forgotten;
    if (more > 0) {
      this.#log.warn(`${more} addresses were forgotten, the oldest first: ${tracked} are counted`);
    }
  }

  /** Holds the firewall against the state every minute. */
  async #reconcile(signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_LOOK; !signal.aborted; wait = HOUSEKEEPING) {
      await pause(wait, signal);
      if (!signal.aborted) await this.#bans.reconcile();
    }
  }

  /** Deletes recorded lines that are kept no longer, with pauses between the small steps. */
  async #forgetLines(signal: AbortSignal): Promise<void> {
    const { keepLog } = this.#config;
    while (keepLog !== null && !signal.aborted) {
      const deleted = this.#try("delete old lines", () => this.#state.log.forget(now() - keepLog)) ?? 0;
      await pause(deleted > 0 ? BETWEEN_STEPS : HOUSEKEEPING, signal);
    }
  }

  /** Does what can wait for its next turn when the state is locked or the disk full: that must not end the monitor. */
  #try<T>(what: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.#log.error(`Cannot ${what}: ${messageOf(error)}`);
    }
  }

  /** Lifts everything in the firewall; the state keeps it for the next start. */
  async #liftAll(): Promise<void> {
    const error = await this.#firewall.clear(AbortSignal.timeout(STOP_COMMANDS));
    if (error === null) this.#log.info("no ban holds while the monitor is stopped");
    else this.#log.error(`Cannot lift all bans: ${error}`);
  }

  #report(running: boolean): void {
    const report: MonitorReport = {
      pid: Deno.pid,
      running,
      started: this.#started,
      config: this.#config.path,
      firewall: this.#firewall.name,
      holding: this.#bans.holding,
      trialEnd: this.#trial?.end ?? null,
      sources: this.#feeds.flatMap(({ source }) => {
        const report = this.#reports.get(source.name);
        return report ? [{ ...report, delivery: source.delivery ?? null }] : [];
      }),
      modules: this.#pipeline.freshness(now()),
      givenUp: this.#pipeline.givenUp,
      counts: this.#pipeline.counts,
      tracked: this.#pipeline.tracked,
      forgotten: this.#pipeline.forgotten,
      database: this.#fleet?.status() ?? null,
    };
    const text = JSON.stringify(report);
    if (text === this.#lastReport) return;
    this.#lastReport = text;
    this.#state.setReport(report);
  }

  /** In order: sources have ended, then commands under way, then the last shipment. */
  async #stop(background: Promise<unknown>, isEnd: boolean): Promise<void> {
    await this.#bans.stop(AbortSignal.timeout(STOP_COMMANDS));
    if (isEnd && this.#config.ban.unbanOnStop) await this.#liftAll();
    await this.#fleet?.close(STOP_SHIPPING);
    await background;
    this.#try("report", () => this.#report(false));
  }
}

function buildFirewall(config: Config): Firewall {
  const { firewall, nft, command, unban, timeout, concurrency } = config.ban;
  if (firewall === "nftables") return new NftablesFirewall({ command: nft, timeout, clock: now });
  return firewall === "observe"
    ? new ObserveFirewall()
    : new CommandFirewall({ ban: command!, unban, timeout, concurrency });
}
