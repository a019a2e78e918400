import { columnsOf } from "./output.ts";

const WIDTH = 30;
const EVERY = 100;

const UNITS = {
  bytes: (count: number) => `${(count / 1e6).toFixed(1)} MB`,
  lines: (count: number) => `${count} lines`,
};

type Unit = keyof typeof UNITS;

/** A progress bar on standard error; draws nothing if that is no terminal. */
export class Progress {
  readonly #visible = Deno.stderr.isTerminal();
  #done = 0;
  #drawn = 0;
  #unit: Unit = "bytes";
  #total: number | null = null;

  /** Starts counting in a unit; `total` null: unknown. */
  begin(unit: Unit, total: number | null): void {
    this.#unit = unit;
    this.#total = total;
  }

  /** Adds an amount, and redraws the bar at most ten times a second. */
  add(count: number): void {
    this.#done += count;
    if (!this.#visible || performance.now() - this.#drawn < EVERY) return;
    this.#drawn = performance.now();
    // A line that the terminal breaks cannot be drawn over.
    write(`\r${this.#text().slice(0, columnsOf(Deno.stderr)! - 1)}`);
  }

  /** Erases the bar before other output. */
  clear(): void {
    if (this.#visible && this.#drawn > 0) write("\r\x1b[K");
  }

  #text(): string {
    const amount = UNITS[this.#unit](this.#done);
    if (this.#total === null || this.#total === 0) return amount;
    const share = Math.min(1, this.#done / this.#total);
    const filled = Math.round(share * WIDTH);
    return `[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${Math.round(share * 100)} % ${amount}`;
  }
}

function write(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
