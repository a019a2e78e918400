/** The run of a monitor under one configuration. composition.ts builds its parts. */
import { abortedWith, every, pause } from "../core/async.ts";
import { ClockWatch } from "../core/clock_watch.ts";
import { counted } from "../core/text.ts";
import { localTime, type Micros, now, SECOND } from "../core/time.ts";
import type { Config } from "../config/types.ts";
import type { Fleet } from "../postgres/fleet.ts";
import type { Lock } from "../state/lock.ts";
import type { State } from "../state/state.ts";
import { compose, type MonitorOptions, type MonitorParts } from "./composition.ts";
import { watchControl } from "./control.ts";
import { joinFleet } from "./fleet.ts";

/** Milliseconds between two reports into the state. */
const REPORTING = 2_000;
/** Milliseconds between two checks of the state's file and of the lock. */
const CHECKING = 500;
/** Milliseconds between two checks of whitelist files and of this machine's addresses. */
const LOOKING = 1_000;
/** Milliseconds that the first lines wait for the whitelist. */
const LEARNING = 3_000;
/** Age from which the log adds the time to a command's change. */
const LATE: Micros = 5 * SECOND;
/** Milliseconds that a stop waits for commands under way. */
const STOP_COMMANDS = 2_500;
/** The same for lifting all bans. All these waits together stay below `TimeoutStopSec`. */
const STOP_LIFTING = 10_000;
/** How long a stop waits for the last shipment. */
const STOP_SHIPPING: Micros = SECOND;

/** Monitors by one configuration, from `run()` until its signal aborts. */
export class Monitor {
  readonly #config: Config;
  readonly #state: State;
  readonly #lock: Pick<Lock, "look"> | null;
  readonly #parts: MonitorParts;
  readonly #clock = new ClockWatch();
  #fleet: Fleet | null = null;
  #isRefreshDue = false;

  constructor(config: Config, options: MonitorOptions) {
    this.#config = config;
    this.#state = options.state;
    this.#lock = options.lock ?? null;
    this.#parts = compose(config, options, {
      refresh: () => this.#refresh(),
      refreshSoon: () => this.#refreshSoon(),
      rebase: () => this.#rebase(),
      fleet: () => this.#fleet,
    });
  }

  /**
   * Monitors until `signal` aborts; true: a trial ended unconfirmed. Throws when no source is left;
   * at once on a source's `UserError`, such as an unreadable journal: an operator must act.
   * @param next returns the configuration that takes over; null: the program ends
   */
  async run(signal: AbortSignal, next: () => Config | null = () => null): Promise<boolean> {
    try {
      const isTrialOver = await this.#run(signal, next);
      await this.#parts.publishing.end(null, next());
      return isTrialOver;
    } catch (error) {
      await this.#parts.publishing.end(error, null);
      throw error;
    }
  }

  async #run(signal: AbortSignal, next: () => Config | null): Promise<boolean> {
    const { trial, surroundings, feeding, reporting } = this.#parts;
    using stop = abortedWith(signal);
    let isTrialOver = false;
    const trying = trial.run(stop.signal, () => this.#refresh()).then((isOver) => {
      isTrialOver = isOver;
      if (isOver) stop.abort();
    });
    // The system answers while all else starts.
    const looking = surroundings.follow(stop.signal);
    await this.#look(stop.signal);
    this.#fleet = await this.#joinFleet();
    const background = Promise.all([this.#startBackground(stop.signal), trying, looking]).catch(
      (error) => {
        stop.abort();
        throw error;
      },
    );
    background.catch(() => {});
    try {
      await this.#learnWhitelist(stop.signal);
      await feeding.follow(stop, signal);
      return isTrialOver;
    } catch (error) {
      reporting.noteFailure(error);
      throw error;
    } finally {
      stop.abort();
      await this.#stop(background, { next: next(), isTrialOver });
    }
  }

  #joinFleet(): Promise<Fleet | null> {
    const { log, surroundings, decider, bans, totals } = this.#parts;
    return joinFleet(this.#config, {
      state: this.#state,
      log,
      totals: totals.shipment,
      whyNot: (target) => decider.whyNot(target, now()),
      isReal: (ban) => bans.isReal(ban),
      onPeer: (address) => surroundings.note("database host", [address]),
      changed: () => this.#refresh(),
    });
  }

  #startBackground(signal: AbortSignal): Promise<unknown> {
    const { log, whitelisting, firewalls, batches, settler, housekeeping, reporting, publishing } =
      this.#parts;
    this.#refresh();
    const attempt = (name: string, work: () => void) => housekeeping.attempt(name, work);
    return Promise.all([
      watchControl(this.#state.directory, {
        changed: () => {
          log.debug(() => "a command changed the state");
          attempt("look after the state", () => this.#checkState());
          this.#tryRefresh();
        },
        signal,
      }),
      every(CHECKING, signal, () => this.#checkState()),
      housekeeping.run(signal),
      settler.run(signal),
      firewalls.watch(() => housekeeping.attemptAsync("look at bans", () => this.#reconcile()), signal),
      every(REPORTING, signal, () => attempt("report", () => reporting.write(true))),
      every(REPORTING, signal, () => attempt("keep counts of the hour", () => batches.flush())),
      publishing.run(signal),
      whitelisting.followNames(signal),
      every(LOOKING, signal, () => this.#look(signal)),
    ]);
  }

  /**
   * Waits up to `LEARNING` for the whitelist of DNS names and the database: a backlog of lines
   * would otherwise be judged without it.
   */
  async #learnWhitelist(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + LEARNING;
    const { whitelisting, surroundings } = this.#parts;
    const isKnown = () => {
      const database = this.#fleet?.status();
      return whitelisting.namesResolved && surroundings.isKnown &&
        (!database || database.lastShipped !== null || database.error !== null);
    };
    while (!isKnown() && performance.now() < deadline && !signal.aborted) await pause(10, signal);
  }

  /** Checks the state's file and the lock. Throws `UserError` (69) if it cannot mend them. */
  #checkState(): void {
    const isReplaced = this.#state.look();
    this.#lock?.look();
    if (!isReplaced) return;
    const { reporting, pipeline, housekeeping } = this.#parts;
    reporting.invalidate();
    pipeline.engine.nameGroups();
    housekeeping.attempt("go on with another state", () => this.#refresh());
  }

  /** Checks whitelist files and this machine's interfaces. Logs a failure. */
  #look(signal: AbortSignal): Promise<void> {
    const { housekeeping, whitelisting } = this.#parts;
    return housekeeping.attemptAsync("look at the whitelist", () => whitelisting.look(signal));
  }

  /** Refreshes. Logs a failure. */
  #tryRefresh(): void {
    this.#parts.housekeeping.attempt("take over a change", () => this.#refresh());
  }

  /** Refreshes in a microtask, after the commit that is under way. */
  #refreshSoon(): void {
    if (this.#isRefreshDue) return;
    this.#isRefreshDue = true;
    queueMicrotask(() => {
      this.#isRefreshDue = false;
      this.#tryRefresh();
    });
  }

  /** Takes over changes by commands, by the database and in the network around us. */
  #refresh(): void {
    const { log, knocking, whitelisting, trial, bans, pipeline, reporting } = this.#parts;
    for (const { time, who, what } of this.#state.manualChanges.take()) {
      // No monitor ran when the command was given.
      const isLate = now() - time > LATE;
      log.info(`by hand: ${what}, by ${who}${isLate ? ` ${localTime(time)}` : ""}`);
    }
    knocking.takeKeys();
    whitelisting.gather();
    if (trial.takeConfirmation()) bans.confirm();
    pipeline.forget(bans.refresh());
    this.#fleet?.wake();
    reporting.write(true);
  }

  /** Mends bans after the clock ran ahead. Never call it at a start: a slow clock would then end all bans. */
  #rebase(): void {
    this.#clock.look((time) => {
      const count = this.#state.bans.rebase(time);
      if (count === 0) return;
      const bans = counted(count, "ban");
      this.#parts.log.warn(
        `the clock ran ahead: mending ${bans} that began later than now, or ended too early`,
      );
      // Other servers may have lifted theirs meanwhile.
      this.#fleet?.ask(this.#state.fleet.followedAddresses());
    });
  }

  /** Compares the firewalls with the state. */
  async #reconcile(): Promise<void> {
    if (this.#state.takeLoss()) this.#parts.bans.adoptStrays();
    await this.#parts.bans.reconcile();
  }

  /** Stops in order: the sources have ended, then running commands end, then the last shipment. */
  async #stop(
    background: Promise<unknown>,
    end: { next: Config | null; isTrialOver: boolean },
  ): Promise<void> {
    const { bans, batches, housekeeping, reporting } = this.#parts;
    await bans.stop(AbortSignal.timeout(STOP_COMMANDS));
    await this.#clear(end);
    await this.#fleet?.close(STOP_SHIPPING);
    await background;
    // The next monitor would not know that the clock was set back.
    housekeeping.attempt("mend bans of a clock that ran ahead", () => this.#rebase());
    housekeeping.attempt("keep counts of the hour", () => batches.flush({ isLast: true }));
    housekeeping.attempt("report", () => reporting.write(false));
  }

  /**
   * Lifts all bans in nftables at the end if the configuration says so, or if the next one leaves
   * nftables. With an unconfirmed trial they have left it by themselves.
   */
  async #clear({ next, isTrialOver }: { next: Config | null; isTrialOver: boolean }): Promise<void> {
    const { log, firewalls, housekeeping } = this.#parts;
    const { firewall, unbanOnStop } = this.#config.ban;
    const isNft = firewall === "nftables";
    const isLeft = next !== null && isNft && next.ban.firewall !== firewall;
    if (isLeft || (next === null && unbanOnStop)) {
      if (!await firewalls.clear({ signal: AbortSignal.timeout(STOP_LIFTING), log })) return;
      log.info(
        isLeft
          ? `${firewall} no longer has any ban, as the configuration does not use it`
          : "no ban holds while the monitor is stopped",
      );
    } else if (!isNft || !isTrialOver) return;
    housekeeping.attempt("note that bans are lifted", () => this.#state.enforcement.cleared());
  }
}
