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
 * Has journalctl look for new entries every `interval` until disposed of. journald writes an entry
 * at once, but tells of it up to half a second later. journalctl also looks whenever inotify(7)
 * tells it of a change in the directory that it was given, and new times on that directory itself
 * are one.
 */
export class Waker implements Disposable {
  readonly directory: string;
  readonly interval: Micros;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Throws what `Deno.utimeSync()` throws where the directory cannot be touched.
   * @param failed called when that happens later on, which is the end of it
   */
  constructor({ directory, interval }: WakeOptions, failed: (error: unknown) => void) {
    this.directory = directory;
    this.interval = interval;
    touch(directory);
    this.#timer = setInterval(() => {
      try {
        touch(directory);
      } catch (error) {
        this[Symbol.dispose]();
        failed(error);
      }
    }, interval / 1_000);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function touch(directory: string): void {
  const seconds = Date.now() / 1_000;
  Deno.utimeSync(directory, seconds, seconds);
}
