import type { Config } from "./config.ts";
import { Bans } from "./bans.ts";
import { watchControl } from "./control.ts";
import { SECOND } from "./duration.ts";
import { CommandFirewall } from "./firewall/command.ts";
import { ObserveFirewall } from "./firewall/observe.ts";
import { canonicalAddress } from "./ip.ts";
import { Names, resolveBySystem } from "./names.ts";
import { type Counts, Pipeline } from "./pipeline.ts";
import { type Fleet, type FleetStatus, openFleet } from "./postgres/fleet.ts";
import { longestWindow } from "./rules/engine.ts";
import { Whitelist } from "./rules/whitelist.ts";
import { openJournal } from "./sources/journal.ts";
import type { State } from "./state/state.ts";
import { pause, supervise, untilAborted } from "./supervisor.ts";
import type { Firewall, Log, Micros, Source } from "./types.ts";

/** What one source is doing, for `strongmonitor status`. */
export interface SourceReport {
  readonly name: string;
  readonly running: boolean;
  /** When its last batch came. */
  readonly lastBatch: Micros | null;
}

/** What the running monitor tells about itself; instants in microseconds. */
export interface MonitorReport {
  readonly pid: number;
  readonly running: boolean;
  readonly started: Micros;
  readonly config: string;
  readonly firewall: string;
  readonly sources: readonly SourceReport[];
  readonly modules: readonly string[];
  /** Modules that failed too often. */
  readonly givenUp: readonly string[];
  readonly counts: Counts;
  /** Addresses being counted, each once per rule. */
  readonly tracked: number;
  readonly database: FleetStatus | null;
}

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

/** The wall clock. */
export function now(): Micros {
  return Date.now() * 1_000;
}

/**
 * Everything that runs while one configuration is in force, built in the constructor, started by `run()`
 * and stopped in order when `signal` aborts. The state outlives it.
 */
export class Monitor {
  readonly #config: Config;
  readonly #state: State;
  readonly #log: Log;
  readonly #whitelist = new Whitelist();
  readonly #names: Names;
  readonly #firewall: Firewall;
  readonly #bans: Bans;
  readonly #pipeline: Pipeline;
  readonly #sources: readonly Source[];
  readonly #reports = new Map<string, SourceReport>();
  readonly #started = now();
  #fleet: Fleet | null = null;
  #lastReport = "";
  #namesResolved = false;

  constructor(config: Config, { state, log }: { state: State; log: Log }) {
    this.#config = config;
    this.#state = state;
    this.#log = log;
    this.#names = new Names(config.whitelist.names, { log, resolve: resolveBySystem });
    this.#firewall = buildFirewall(config);
    this.#setWhitelist();
    this.#bans = new Bans({
      store: state.bans,
      firewall: this.#firewall,
      whitelist: this.#whitelist,
      log,
      clock: now,
      boot: now() - Deno.osUptime() * SECOND,
    });
    this.#pipeline = new Pipeline(config.modules, { store: state, judge: this.#bans, log });
    this.#sources = [openJournal({
      identifiers: config.modules.flatMap(({ module }) => module.identifiers),
      units: config.modules.flatMap(({ module }) => module.units),
    })];
  }

  /**
   * Monitors until `signal` aborts. Throws when no source is left, a `UserError` where that is what stopped
   * the last one.
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
        this.#sources.map((source) => this.#follow(source, stop.signal)),
      );
      const failed = results.find((result) => result.status === "rejected");
      if (failed && !signal.aborted) throw failed.reason;
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
      this.#followNames(signal),
    ]);
  }

  /** Reads one source as long as it can be read, each time from where the state says. */
  #follow(source: Source, signal: AbortSignal): Promise<void> {
    const lookBack = longestWindow(this.#config.modules, FIRST_LOOK_BACK);
    const since = this.#state.firstSince(source.name, now() - lookBack);
    const report = (running: boolean, lastBatch: Micros | null) =>
      this.#reports.set(source.name, { name: source.name, running, lastBatch });
    const read = async (progress: () => void) => {
      this.#pipeline.reset();
      report(true, null);
      for await (const batch of source.batches({ after: this.#state.position(source.name), since }, signal)) {
        this.#pipeline.process(batch, { source: source.name, now: now() });
        this.#fleet?.wake();
        report(true, now());
        progress();
      }
      if (!signal.aborted) throw new Error(`${source.name} ended`);
    };
    return supervise(read, { name: source.name, signal, log: this.#log })
      .finally(() => report(false, this.#reports.get(source.name)?.lastBatch ?? null));
  }

  /** Resolves the whitelisted names again and again; what they last were is known from the start. */
  async #followNames(signal: AbortSignal): Promise<void> {
    const { names, refresh } = this.#config.whitelist;
    while (names.length > 0 && !signal.aborted) {
      const addresses = await Promise.race([this.#names.refresh(), untilAborted(signal)]);
      if (addresses === null) return;
      this.#try("keep resolved names", () => {
        const entries = addresses.map((address) => ({ address, note: "" }));
        this.#state.replaceWhitelist("name", entries, now());
        this.#refresh();
      });
      this.#namesResolved = true;
      await pause(refresh / 1_000, signal);
    }
  }

  /**
   * Waits, but not for long, until it is known who is whitelisted by DNS and by the database: lines that have piled up
   * would otherwise be judged without.
   */
  async #learnWhitelist(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + LEARNING;
    const isKnown = () => {
      const database = this.#fleet?.status();
      return (this.#config.whitelist.names.length === 0 || this.#namesResolved) &&
        (!database || database.lastShipped !== null || database.error !== null);
    };
    while (!isKnown() && performance.now() < deadline && !signal.aborted) await pause(10, signal);
  }

  /** Takes over what commands and the database changed in the state, and what the network changed around us. */
  #refresh(): void {
    this.#setWhitelist();
    for (const address of this.#bans.refresh()) this.#pipeline.forget(address);
    this.#fleet?.wake();
    this.#report(true);
  }

  #setWhitelist(): void {
    const addresses = (origin: string) => this.#state.whitelist(origin).map(({ address }) => address);
    this.#whitelist.set("configuration", this.#config.whitelist.networks);
    this.#whitelist.set("command", addresses("command"));
    this.#whitelist.set("database", addresses("database"));
    this.#whitelist.set("DNS name", this.#config.whitelist.names.length > 0 ? addresses("name") : []);
    this.#whitelist.set("this machine", ownAddresses());
  }

  #keepHouse(): void {
    this.#refresh();
    // A backlog is counted on its own time: what is old now may be new to it.
    const counted = this.#pipeline.latest ?? 0;
    this.#pipeline.sweep(counted);
    for (const { module, rules } of this.#config.modules) {
      for (const { name, window } of rules) {
        if (window === null) continue;
        this.#state.expireHits({ service: module.name, rule: name, before: counted - window });
      }
    }
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
      this.#log.error(`Cannot ${what}: ${error instanceof Error ? error.message : error}`);
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
      modules: this.#config.modules.map(({ module }) => module.name),
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

/** This machine's own addresses, canonical. */
function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}

async function every(milliseconds: number, signal: AbortSignal, work: () => void): Promise<void> {
  while (!signal.aborted) {
    await pause(milliseconds, signal);
    if (!signal.aborted) work();
  }
}
