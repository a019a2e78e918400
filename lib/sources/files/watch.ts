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
  #watcher: Deno.FsWatcher | null = null;
  #listening: Promise<void> = Promise.resolve();
  #watched: readonly string[] = [];
  #directories = "";
  #paths = new Set<string>();
  #all = true;
  #polled = 0;
  #wake: () => void = () => {};

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
    const states = directories.filter((path) => !holdsPipe(path)).flatMap(identity);
    if (this.#watcher !== null && states.join() === this.#directories) return;
    this.#close();
    this.#directories = states.join();
    if (states.length === 0) return;
    this.#watched = states.map(({ path }) => path);
    try {
      this.#watcher = Deno.watchFs([...this.#watched], { recursive: false });
    } catch {
      // No more watches, or none at all: the checks from time to time must do.
      return;
    }
    this.#all = true;
    this.#listening = this.#listen(this.#watcher);
  }

  /** Returns the changes since the last call; with `wait`, waits for one or for an abort. */
  async next(wait: boolean, signal: AbortSignal): Promise<Changes> {
    if (wait && !this.#all && this.#paths.size === 0) await this.#wait(signal);
    else await breathe();
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

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = () => {};
        resolve();
      };
      const timer = setTimeout(done, Math.max(0, this.#polled + this.#poll - performance.now()));
      this.#wake = done;
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }

  async #listen(watcher: Deno.FsWatcher): Promise<void> {
    try {
      for await (const event of watcher) if (this.#note(event)) this.#wake();
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
    // Deno's watcher opens each new entry: a pipe blocks it until somebody writes, and closing
    // would wait for that.
    if (this.#watched.some(holdsPipe)) this.#listening = Promise.resolve();
    else {
      try {
        this.#watcher?.close();
      } catch {
        // It ended by itself.
      }
    }
    this.#watcher = null;
  }
}

/** Lets timers, aborts and events of changes run. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Reports whether a directory has an entry such as a named pipe: no file, directory or link. */
function holdsPipe(directory: string): boolean {
  try {
    return [...Deno.readDirSync(directory)].some((entry) =>
      !entry.isFile && !entry.isDirectory && !entry.isSymlink
    );
  } catch {
    return false;
  }
}

/** Identifies an existing directory, also against another of the same name. */
function identity(path: string): { path: string; toString(): string }[] {
  try {
    const { dev, ino } = Deno.statSync(path);
    return [{ path, toString: () => `${path}:${dev}:${ino}` }];
  } catch {
    return [];
  }
}
