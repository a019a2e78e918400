import { Bell, nextTurn } from "../../core/async.ts";
import {
  areWatchersBlocked,
  type DirectoryWatcher,
  lookForPipes,
  watchDirectories,
} from "../../core/directory_watch.ts";
import { identityAt } from "../../core/file_identity.ts";

/** Changes since the last call. */
export interface Changes {
  /** Whether to check everything: names came or went, or nobody can tell. */
  readonly all: boolean;
  /** Paths of files that were written to. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Reports when files in some directories change: at once by inotify(7); if that is unavailable or
 * misses changes, by a check of everything from time to time.
 */
export class Watch implements AsyncDisposable {
  readonly #concerns: (path: string) => boolean;
  readonly #poll: number;
  #watcher: DirectoryWatcher | null = null;
  #listening: Promise<void> = Promise.resolve();
  /** The watched directories with their identities. */
  #directories = "";
  #paths = new Set<string>();
  #all = true;
  #polled = 0;
  readonly #bell = new Bell();

  /**
   * @param concerns whether a name that comes or goes requires a check
   * @param poll milliseconds between checks
   */
  constructor(concerns: (path: string) => boolean, poll: number) {
    this.#concerns = concerns;
    this.#poll = poll;
  }

  /**
   * Watches these directories from now on. A new watcher requires a check of everything. It starts
   * one as seldom as possible: Deno keeps polling closed watchers, and a new one waits while a
   * flood of writes keeps it busy.
   */
  follow(directories: readonly string[]): void {
    // No watcher has events any more: the regular checks find changes.
    if (lookForPipes()) return;
    const present = directories.filter((path) => identityAt(path) !== null);
    const identities = present.map((path) => `${path}:${identityAt(path)}`).join();
    if (this.#watcher !== null && identities === this.#directories) return;
    this.#close();
    this.#directories = identities;
    if (present.length === 0) return;
    this.#watcher = watchDirectories(present);
    if (this.#watcher === null) return;
    this.#all = true;
    this.#listening = this.#listen(this.#watcher);
  }

  /** Returns the changes since the last call; with `wait`, waits for one or for an abort. */
  async next(wait: boolean, signal: AbortSignal): Promise<Changes> {
    if (wait && !this.#all && this.#paths.size === 0) {
      await this.#bell.wait(this.#polled + this.#poll - performance.now(), signal);
    } else await nextTurn();
    this.#bell.take();
    const due = performance.now() - this.#polled >= this.#poll;
    const changes = { all: this.#all || due, paths: this.#paths };
    if (changes.all) this.#polled = performance.now();
    [this.#all, this.#paths] = [false, new Set()];
    return changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#listening;
  }

  async #listen(watcher: DirectoryWatcher): Promise<void> {
    try {
      for await (const event of watcher.events) if (this.#note(event)) this.#bell.ring();
    } catch {
      // The same; the next check tries again.
      if (this.#watcher === watcher) this.#close();
    }
  }

  /** Returns false for irrelevant events, such as our own reads. */
  #note({ kind, paths }: Deno.FsEvent): boolean {
    if (kind === "access") return false;
    if (kind === "modify") paths.forEach((path) => this.#paths.add(path));
    else if (paths.length === 0 || paths.some(this.#concerns)) this.#all = true;
    else return false;
    return true;
  }

  #close(): void {
    this.#watcher?.close();
    if (areWatchersBlocked()) this.#listening = Promise.resolve();
    this.#watcher = null;
  }
}
