import type { Config } from "./config.ts";
import { Bans } from "./bans.ts";
import { now } from "./clock.ts";
import { watchControl } from "./control.ts";
import { SECOND } from "./duration.ts";
import { isEstranged } from "./freshness.ts";
import { CommandFirewall } from "./firewall/command.ts";
import { ObserveFirewall } from "./firewall/observe.ts";
import { Knocking } from "./knocking.ts";
import type { MonitorReport, SourceReport } from "./monitor/report.ts";
import { type Feed, openFeeds } from "./monitor/sources.ts";
import { Whitelisting } from "./monitor/whitelisting.ts";
import { Pipeline } from "./pipeline.ts";
import { type Fleet, openFleet } from "./postgres/fleet.ts";
import { longestWindow } from "./rules/engine.ts";
import type { State } from "./state/state.ts";
import { every, pause, supervise } from "./supervisor.ts";
import { type Firewall, type Log, messageOf, type Micros, type ModuleRules, UserError } from "./types.ts";

/** How far the first start looks back when no rule has a window. */
const FIRST_LOOK_BACK: Micros = 3_600 * SECOND;
const HOUSEKEEPING = 60_000;
const BETWEEN_STEPS = 50;
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
  readonly #bans: Bans;
  readonly #knocking: Knocking;
  readonly #pipeline: Pipeline;
  readonly #feeds: readonly Feed[];
  readonly #reports = new Map<string, SourceReport>();
  readonly #started = now();
  #fleet: Fleet | null = null;
  /** Modules that have been complained of. */
  #estranged: readonly string[] = [];
  #lastReport = "";

  constructor(config: Config, { state, log }: { state: State; log: Log }) {
    this.#config = config;
    this.#state = state;
    this.#log = log;
    this.#whitelisting = new Whitelisting(config.whitelist, { state, log, changed: () => this.#refresh() });
    this.#firewall = buildFirewall(config);
    this.#bans = new Bans({
      store: state.bans,
      firewall: this.#firewall,
      whitelist: this.#whitelisting.whitelist,
      log,
      clock: now,
      boot: now() - Deno.osUptime() * SECOND,
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
      knocking: this.#knocking,
    });
    this.#feeds = openFeeds(config, { pipeline: this.#pipeline, log });
  }

  /**
   * Monitors until `signal` aborts. Throws when no source is left, or at once a `UserError` of any: what a person
   * must mend, such as a journal that may not be read, is not to be found out by chance.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const relay = () => stop.abort();
    signal.addEventListener("abort", relay, { once: true });
    if (signal.aborted) relay();
    const background = this.#startBackground(stop.signal).catch((error) => {
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
    } finally {
      stop.abort();
      signal.removeEventListener("abort", relay);
      await this.#stop(background);
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
      this.#pipeline.reset();
      report(true, this.#reports.get(source.name)?.lastBatch ?? null);
      for await (const batch of source.batches({ after: this.#state.position(source.name), since }, signal)) {
        this.#pipeline.process(batch, { source: source.name, reader, now: now() });
        this.#fleet?.wake();
        if (batch.entries.length > 0) report(true, now());
        progress();
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
    for (const address of this.#bans.refresh()) this.#pipeline.forget(address);
    this.#fleet?.wake();
    this.#report(true);
  }

  #keepHouse(): void {
    this.#state.expireWhitelist(now());
    this.#refresh();
    const counted = this.#pipeline.counted(now());
    this.#pipeline.sweep(counted);
    for (const { module, rules } of this.#config.modules) {
      for (const { name, window } of rules) {
        if (window === null) continue;
        this.#state.expireHits({ service: module.name, rule: name, before: counted - window });
      }
    }
    this.#warnOfStrangers();
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

  /** Deletes recorded lines that are kept no longer, with pauses between the small steps. */
  async #forgetLines(signal: AbortSignal): Promise<void> {
    const { keepLog } = this.#config;
    while (keepLog !== null && !signal.aborted) {
      const deleted = this.#try("delete old lines", () => this.#state.forget(now() - keepLog)) ?? 0;
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

  #report(running: boolean): void {
    const report: MonitorReport = {
      pid: Deno.pid,
      running,
      started: this.#started,
      config: this.#config.path,
      firewall: this.#firewall.name,
      sources: [...this.#reports.values()],
      modules: this.#pipeline.freshness(now()),
      givenUp: this.#pipeline.givenUp,
      counts: this.#pipeline.counts,
      tracked: this.#pipeline.tracked,
      database: this.#fleet?.status() ?? null,
    };
    const text = JSON.stringify(report);
    if (text === this.#lastReport) return;
    this.#lastReport = text;
    this.#state.setReport(report);
  }

  /** In order: sources have ended, then commands under way, then the last shipment. */
  async #stop(background: Promise<unknown>): Promise<void> {
    await this.#bans.stop(AbortSignal.timeout(STOP_COMMANDS));
    await this.#fleet?.close(STOP_SHIPPING);
    await background;
    this.#try("report", () => this.#report(false));
  }
}

function buildFirewall(config: Config): Firewall {
  const { command, unban, timeout, concurrency } = config.ban;
  return command === null
    ? new ObserveFirewall()
    : new CommandFirewall({ ban: command, unban, timeout, concurrency });
}
