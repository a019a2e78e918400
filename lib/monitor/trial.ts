/**
 * A trial: bans end after a time, unless somebody confirms. In: the state's trial, and the command
 * `confirm`, which deletes it there. Out: `confirmed` once, or the end of all bans that the trial
 * has made.
 */
import { pause } from "../core/async.ts";
import type { Log } from "../core/log.ts";
import { type Micros, now } from "../core/time.ts";
import type { Trial } from "../deciding/ban.ts";
import type { State } from "../state/state.ts";

/** Milliseconds between two checks whether the trial is over. */
const LOOK = 1_000;
/** Milliseconds that the end of a trial waits for the firewall to lift its bans. */
const LIFTING = 10_000;
const BETWEEN_LOOKS = 50;

/** Watches the trial that is under way, if any. */
export class TrialWatch {
  readonly #state: State;
  readonly #log: Log;
  #trial: Trial | null;

  constructor(trial: Trial | null, { state, log }: { state: State; log: Log }) {
    this.#trial = trial;
    this.#state = state;
    this.#log = log;
  }

  /** When the trial ends; null: no trial is under way. */
  get end(): Micros | null {
    return this.#trial?.end ?? null;
  }

  /** Takes over a confirmation from the state; returns true once. */
  takeConfirmation(): boolean {
    if (this.#trial === null || this.#state.trial() !== null) return false;
    this.#trial = null;
    this.#log.info("the trial is confirmed: bans hold as long as they are meant to");
    return true;
  }

  /**
   * Waits for the trial's end. True: it ended unconfirmed; its bans have ended, and the firewall
   * has lifted those that it could in time. False: there is no trial, it was confirmed, or `signal`
   * aborted.
   * @param changed called when the bans have ended in the state, or for a late confirmation
   */
  async run(signal: AbortSignal, changed: () => void): Promise<boolean> {
    while (this.#trial !== null && this.#trial.end > now() && !signal.aborted) {
      await pause(Math.min((this.#trial.end - now()) / 1_000, LOOK), signal);
    }
    if (this.#trial === null || signal.aborted) return false;
    if (!this.#lapse(this.#trial)) {
      changed();
      return false;
    }
    // From here on nobody can confirm the trial.
    this.#trial = null;
    this.#log.warn("the trial is over and nobody has confirmed it: its bans are lifted, and monitoring ends");
    changed();
    const deadline = performance.now() + LIFTING;
    while (this.#state.bans.lingering().length > 0 && performance.now() < deadline && !signal.aborted) {
      await pause(BETWEEN_LOOKS, signal);
    }
    return true;
  }

  /** Ends a trial's bans in the state; false: a command has confirmed it, which nobody took over yet. */
  #lapse({ lastBan }: Trial): boolean {
    const { bans } = this.#state;
    return bans.transaction(() => {
      if (this.#state.trial() === null) return false;
      bans.endNewer(lastBan, { reason: "trial", time: now() });
      this.#state.setTrial(null);
      return true;
    });
  }
}
