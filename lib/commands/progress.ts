const WIDTH = 30;
const EVERY = 100;

/** A progress bar on standard error. Draws nothing where standard error is not a terminal. */
export class Progress {
  readonly #visible = Deno.stderr.isTerminal();
  #done = 0;
  #drawn = 0;
  /** Total number of bytes; null when unknown. */
  total: number | null = null;

  /** Counts bytes that were read, and redraws the bar at most ten times a second. */
  add(bytes: number): void {
    this.#done += bytes;
    if (!this.#visible || performance.now() - this.#drawn < EVERY) return;
    this.#drawn = performance.now();
    write(`\r${this.#text()}`);
  }

  /** Erases the bar before other output. */
  clear(): void {
    if (this.#visible && this.#drawn > 0) write("\r\x1b[K");
  }

  #text(): string {
    const megabytes = `${(this.#done / 1e6).toFixed(1)} MB`;
    if (this.total === null || this.total === 0) return megabytes;
    const share = Math.min(1, this.#done / this.total);
    const filled = Math.round(share * WIDTH);
    return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${Math.round(share * 100)} % ${megabytes}`;
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
