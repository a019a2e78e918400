import { dirname } from "node:path";
import type { Micros } from "../types.ts";

/** Wakes a reader when something changes in one of the directories that it looks at, or after a while in any case. */
export class Alarm implements Disposable {
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.#ring();
  #watcher: Deno.FsWatcher | null = null;
  #watched = "";
  #isRung = false;
  #ring: () => void = () => this.#isRung = true;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
  }

  /** Looks at the directories of `paths` from now on, as far as they can be looked at. */
  watch(paths: readonly string[]): void {
    const directories = [...new Set(paths.map((path) => dirname(path)))].filter(isDirectory).toSorted();
    if (directories.join("\0") === this.#watched) return;
    this.#stop();
    this.#watched = directories.join("\0");
    if (directories.length > 0) void this.#listen(directories);
  }

  /** Waits for a change, but at most for `span`. */
  async wait(span: Micros): Promise<void> {
    if (this.#isRung || this.#signal.aborted) {
      this.#isRung = false;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    const quiet = this.#ring;
    this.#ring = resolve;
    const timer = setTimeout(resolve, span / 1_000);
    await promise;
    clearTimeout(timer);
    this.#ring = quiet;
  }

  async #listen(directories: readonly string[]): Promise<void> {
    try {
      const watcher = Deno.watchFs([...directories], { recursive: false });
      this.#watcher = watcher;
      for await (const { kind } of watcher) {
        // Our own reading is no news.
        if (kind !== "access") this.#ring();
      }
    } catch {
      // Without inotify (no right, no memory, a file system without it) there is the clock.
    }
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#stop();
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
