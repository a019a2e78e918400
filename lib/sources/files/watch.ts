/** What happened since the last look. */
export interface Changes {
  /** Time for a look at everything: names came or went, or nobody can tell. */
  readonly all: boolean;
  /** Paths of files that were written to. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Tells when files in some directories change: at once by inotify(7), and where that is not to be
 * had, or fails to see something, by asking for a look at everything from time to time.
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
   * @param concerns whether a name that comes or goes calls for a look; @param poll milliseconds
   * between looks
   */
  constructor(concerns: (path: string) => boolean, poll: number) {
    this.#concerns = concerns;
    this.#poll = poll;
  }

  /**
   * Watches these directories from now on. When it begins with one, a look at everything is due. It
   * begins as seldom as can be: Deno goes on asking for watchers that were closed, and a new one
   * waits for what a flood of writes keeps it busy with.
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
      // No more watches, or none at all: looking from time to time must do.
      return;
    }
    this.#all = true;
    this.#listening = this.#listen(this.#watcher);
  }

  /** What happened since the last call; waits until something did when `wait`, but not beyond an abort. */
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
      // As above; the next look tries again.
      if (this.#watcher === watcher) this.#close();
    }
  }

  /** False for what does not matter, such as our own reading. */
  #note({ kind, paths }: Deno.FsEvent): boolean {
    if (kind === "access") return false;
    if (kind === "modify") paths.forEach((path) => this.#paths.add(path));
    else if (paths.length === 0 || paths.some(this.#concerns)) this.#all = true;
    else return false;
    return true;
  }

  #close(): void {
    // Deno's watcher opens whatever appears: a pipe keeps it until somebody writes, and closing
    // would wait for it.
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

/** Lets timers, aborts and the news of changes come in. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Whether something like a named pipe stands in a directory: neither file, directory nor link. */
function holdsPipe(directory: string): boolean {
  try {
    return [...Deno.readDirSync(directory)].some((entry) =>
      !entry.isFile && !entry.isDirectory && !entry.isSymlink
    );
  } catch {
    return false;
  }
}

/** A directory that is there, told from another of the same name. */
function identity(path: string): { path: string; toString(): string }[] {
  try {
    const { dev, ino } = Deno.statSync(path);
    return [{ path, toString: () => `${path}:${dev}:${ino}` }];
  } catch {
    return [];
  }
}
