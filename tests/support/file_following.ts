/** Log files in a directory, and their reader. */
import { strict as assert } from "node:assert";
import { type FileOptions, openFiles } from "../../lib/sources/files/files.ts";
import { entriesOf, type Entry } from "./records.ts";
import { eventually } from "./helpers.ts";

/** A directory for logs, deleted at the end of the scope. */
export class LogDirectory implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "strongmonitor-logs-" });

  /** Returns the absolute path of a file in it. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  has(name: string): boolean {
    return [...Deno.readDirSync(this.path)].some((entry) => entry.name === name);
  }

  /** Writes a file anew. An existing file keeps its inode. */
  write(name: string, text: string | Uint8Array): void {
    Deno.writeFileSync(this.at(name), typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  append(name: string, text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    Deno.writeFileSync(this.at(name), bytes, { append: true });
  }

  rename(from: string, to: string): void {
    Deno.renameSync(this.at(from), this.at(to));
  }

  copy(from: string, to: string): void {
    Deno.copyFileSync(this.at(from), this.at(to));
  }

  remove(name: string): void {
    Deno.removeSync(this.at(name), { recursive: true });
  }

  truncate(name: string): void {
    Deno.truncateSync(this.at(name));
  }

  /** Returns a file compressed by gzip(1). */
  gzip(name: string): void {
    assert.ok(new Deno.Command("gzip", { args: [this.at(name)] }).outputSync().success);
  }

  /** Sets the time of a file's last change, in seconds. */
  touch(name: string, seconds: number): void {
    Deno.utimeSync(this.at(name), seconds, seconds);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Options of a reader. */
export interface FollowOptions extends FileOptions {
  /** Position to resume from. */
  readonly after?: string | null;
  readonly since?: number;
}

/** A running reader of log files. */
export class Following implements AsyncDisposable {
  readonly entries: Entry[] = [];
  readonly problems: string[] = [];
  /** Position after the last batch. */
  position: string | null;
  damaged = 0;
  batches = 0;
  #running = true;
  readonly #source: ReturnType<typeof openFiles>;
  readonly #stopping = new AbortController();
  readonly #done: Promise<void>;

  /** Begins to read. Default: at the ends of the files. */
  constructor(pattern: string, { after = null, since = Infinity, ...options }: FollowOptions = {}) {
    this.position = after;
    this.#source = openFiles(pattern, { problem: (sentence) => this.problems.push(sentence), ...options });
    const batches = this.#source.batches({ after, since }, this.#stopping.signal);
    this.#done = this.#collect(batches).finally(() => this.#running = false);
  }

  get lines(): string[] {
    return this.entries.map(({ message }) => message);
  }

  /** The problems that are present. */
  get present(): readonly string[] {
    return this.#source.problems ?? [];
  }

  /** Whether no file is there yet. */
  get isWaiting(): boolean {
    return this.#source.isWaiting ?? false;
  }

  /** Settles when the reader ends by itself or fails. */
  get hasEnded(): boolean {
    return !this.#running;
  }

  /** Waits for the first position: the reader has then seen the present files. */
  async begun(): Promise<this> {
    await eventually(() => this.batches > 0);
    return this;
  }

  /** Waits for as many lines as expected, and compares them. */
  async saw(...lines: string[]): Promise<void> {
    try {
      await eventually(() => this.entries.length >= lines.length, 10);
    } finally {
      assert.deepEqual(this.lines, lines);
    }
  }

  /** Stops, and returns the position reached. */
  async stop(): Promise<string> {
    this.#stopping.abort();
    await this.#done;
    assert.ok(this.position !== null);
    return this.position;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #collect(batches: ReturnType<ReturnType<typeof openFiles>["batches"]>): Promise<void> {
    for await (const { records, position, damaged } of batches) {
      this.entries.push(...entriesOf(records));
      this.damaged += damaged;
      this.position = position;
      this.batches++;
    }
  }
}

/** Reads from a position until as many lines as expected came, compares them and stops. */
export async function resume(
  pattern: string,
  { after, lines, ...options }: FileOptions & { after: string; lines: string[] },
): Promise<string> {
  await using following = new Following(pattern, { after, ...options });
  await following.begun();
  await following.saw(...lines);
  return await following.stop();
}
