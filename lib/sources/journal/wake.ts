import { messageOf } from "../../core/error.ts";
import type { Micros } from "../../core/time.ts";

/** How journalctl is kept awake. */
export interface WakeOptions {
  /**
   * A directory of this program's own that holds a link to each directory of the machine's journal,
   * named by 32 hexadecimal digits: journalctl(1) takes it for `--directory`.
   */
  readonly directory: string;
  readonly interval: Micros;
}

/**
 * Has journalctl look for new entries every `interval`. journald writes an entry at once, but tells of
 * it up to half a second later. journalctl also looks whenever inotify(7) tells it of a change in the
 * directory that it was given, and new times on that directory itself are one.
 */
export class Waker {
  /** Null: entries come as journald announces them. */
  #options: WakeOptions | null;
  readonly #problem: (sentence: string) => void;
  /** Null while nobody is woken. */
  #timer: ReturnType<typeof setInterval> | null = null;

  /** @param problem told in a sentence why waking does not work, which is the end of it */
  constructor(options: WakeOptions | null, problem: (sentence: string) => void) {
    this.#options = options;
    this.#problem = problem;
  }

  /** How soon entries come, in words. */
  get delivery(): string {
    return this.#options === null || this.#timer === null
      ? "as journald announces them"
      : `at once, woken every ${this.#options.interval / 1_000} ms`;
  }

  /** The directory by which journalctl is woken; undefined: it is not. */
  get directory(): string | undefined {
    return this.#timer === null ? undefined : this.#options?.directory;
  }

  /**
   * Begins to wake, unless that is given up.
   * @param isShownIn tells whether a directory shows the journal; null: nobody knows, and nobody is
   * woken this time
   * @param lost called when it fails later on
   */
  async start(isShownIn: (directory: string) => Promise<boolean | null>, lost: () => void): Promise<void> {
    if (this.#options === null) return;
    const { directory, interval } = this.#options;
    try {
      touch(directory);
    } catch (error) {
      return this.giveUp(messageOf(error));
    }
    const isShown = await isShownIn(directory);
    if (isShown === false) this.giveUp("it does not show this machine's journal");
    if (isShown !== true) return;
    this.#timer = setInterval(() => {
      try {
        touch(directory);
      } catch (error) {
        this.giveUp(messageOf(error));
        lost();
      }
    }, interval / 1_000);
  }

  /** Wakes nobody until it is started again. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Wakes nobody any more. */
  giveUp(reason: string): void {
    this.stop();
    if (this.#options === null) return;
    const { directory } = this.#options;
    this.#options = null;
    this.#problem(
      `Cannot wake journalctl by ${directory}: ${reason}. Entries come as journald announces them, up to half a second late`,
    );
  }
}

function touch(directory: string): void {
  const seconds = Date.now() / 1_000;
  Deno.utimeSync(directory, seconds, seconds);
}
