import { messageOf } from "../../core/error.ts";
import { type Micros, MILLISECOND, MINUTE } from "../../core/time.ts";

/** How journalctl is kept awake. */
export interface WakeOptions {
  /**
   * A directory of this program that has a link to each directory of the machine's journal, named
   * by 32 hexadecimal digits: journalctl(1) accepts it for `--directory`.
   */
  readonly directory: string;
  readonly interval: Micros;
}

/** Time without entries after which journalctl is woken less often. */
const SILENCE: Micros = MINUTE;
/** Shortest interval then. */
const REST: Micros = 60 * MILLISECOND;

/**
 * Makes journalctl look for new entries every `interval`, and after a silent minute every 60 ms
 * until the next entry, as each wake takes some 0.2 ms of the processor. journald writes an entry at
 * once, but announces it up to half a second later. journalctl also looks when inotify(7) reports a
 * change in its directory, and new times of that directory are a change.
 */
export class Waker {
  /** Null: entries come as journald announces them. */
  #options: WakeOptions | null;
  readonly #problem: (sentence: string) => void;
  /** Null while it does not wake journalctl. */
  #timer: ReturnType<typeof setInterval> | null = null;
  /** Time between two wakes. */
  #interval: Micros = 0;
  /** Called if waking fails. */
  #lost = () => {};
  /** Number of wakes since an entry came. */
  #silent = 0;

  /** @param problem called with a sentence on why waking does not work, when it is given up */
  constructor(options: WakeOptions | null, problem: (sentence: string) => void) {
    this.#options = options;
    this.#problem = problem;
  }

  /** How soon entries come, in words. */
  get delivery(): string {
    return this.#timer === null
      ? "entries come up to half a second late"
      : `entries come within some ${this.#interval / 1_000} ms`;
  }

  /** The directory by which journalctl is woken; undefined: it is not woken. */
  get directory(): string | undefined {
    return this.#timer === null ? undefined : this.#options?.directory;
  }

  /**
   * Begins to wake, unless it was given up.
   * @param isShownIn tells whether a directory shows the journal; null: unknown, so nothing is
   * woken this time
   * @param lost called if waking fails later
   */
  async start(isShownIn: (directory: string) => Promise<boolean | null>, lost: () => void): Promise<void> {
    if (this.#options === null) return;
    const { directory, interval } = this.#options;
    this.#silent = 0;
    try {
      touch(directory);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) return this.giveUp(messageOf(error));
      // Nothing is wrong: only the units make the directory. `delivery` tells how entries come.
      this.#options = null;
      return;
    }
    const isShown = await isShownIn(directory);
    if (isShown === false) this.giveUp("it does not show this machine's journal");
    // It may have been given up meanwhile.
    if (isShown !== true || this.#options === null) return;
    this.#lost = lost;
    this.#wakeEvery(interval);
  }

  /** Notes that journalctl has printed something. */
  heard(): void {
    this.#silent = 0;
    if (this.#timer === null) return;
    const { interval } = this.#options!;
    if (interval < this.#interval) this.#wakeEvery(interval);
  }

  /** Stops waking until the next `start()`. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Stops waking for good. */
  giveUp(reason: string): void {
    this.stop();
    if (this.#options === null) return;
    const { directory } = this.#options;
    this.#options = null;
    this.#problem(
      `Cannot wake journalctl by ${directory}: ${reason}. Entries come as journald announces them, up to half a second late`,
    );
  }

  #wakeEvery(interval: Micros): void {
    this.stop();
    this.#interval = interval;
    this.#timer = setInterval(() => this.#wake(), interval / 1_000);
  }

  #wake(): void {
    // A timer that had come when it was cleared may still run.
    if (this.#options === null) return;
    const { directory, interval } = this.#options;
    try {
      touch(directory);
    } catch (error) {
      this.giveUp(reasonOf(error));
      return this.#lost();
    }
    if (this.#interval < REST && ++this.#silent * interval >= SILENCE) this.#wakeEvery(REST);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Deno.errors.NotFound ? "it does not exist" : messageOf(error);
}

function touch(directory: string): void {
  const seconds = Date.now() / 1_000;
  Deno.utimeSync(directory, seconds, seconds);
}
