import { MAX_LINE } from "../../core/entry.ts";

/** Bytes that hold so many characters, whatever they are, and one more to tell that there were too many. */
const MAX_BYTES = 4 * (MAX_LINE + 1);
const NEWLINE = 10;

/** Lines that bytes completed. */
export interface Lines {
  /** Without their ends; each at most `MAX_LINE` characters. */
  readonly lines: readonly string[];
  /** How many of them were longer. */
  readonly cut: number;
}

/**
 * Makes lines of bytes that come in pieces. Invalid UTF-8 becomes U+FFFD, and NUL bytes before a line are left out: a
 * file has a hole of them where it was truncated under a program that goes on writing at its old offset. Holds at most
 * some 540 KiB, whatever comes.
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #held: Uint8Array[] = [];
  #size = 0;
  #pending = 0;

  /** Bytes that came since the last line's end. */
  get pending(): number {
    return this.#pending;
  }

  /** Takes the next bytes, which the caller may reuse afterwards. */
  push(bytes: Uint8Array): Lines {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const made = end > 0 ? this.#complete(bytes.subarray(0, end)) : { lines: [], cut: 0 };
    this.#hold(bytes.subarray(end));
    return made;
  }

  /** The unfinished line, when no more will come; none when there is nothing left. */
  finish(): Lines {
    const made = this.#size > 0 ? this.#clean([this.#take()]) : { lines: [], cut: 0 };
    this.#pending = 0;
    return made;
  }

  #complete(bytes: Uint8Array): Lines {
    this.#pending = 0;
    if (this.#size === 0) return this.#clean(this.#split(bytes));
    const end = bytes.indexOf(NEWLINE) + 1;
    this.#keep(bytes.subarray(0, end - 1));
    return this.#clean([this.#take(), ...this.#split(bytes.subarray(end))]);
  }

  /** Whole lines, decoded together: much faster than one by one. */
  #split(bytes: Uint8Array): string[] {
    return bytes.length === 0 ? [] : this.#decoder.decode(bytes.subarray(0, -1)).split("\n");
  }

  #clean(raw: string[]): Lines {
    let cut = 0;
    const lines = raw.map((text) => {
      const line = text.endsWith("\r") ? text.slice(0, -1) : text;
      const whole = line.startsWith("\0") ? line.replace(/^\0+/, "") : line;
      if (whole.length <= MAX_LINE) return whole;
      cut++;
      return whole.slice(0, MAX_LINE);
    });
    return { lines, cut };
  }

  #hold(bytes: Uint8Array): void {
    this.#pending += bytes.length;
    this.#keep(bytes);
  }

  #keep(bytes: Uint8Array): void {
    const start = this.#size > 0 ? 0 : bytes.findIndex((byte) => byte !== 0);
    const part = start < 0 ? bytes.subarray(0, 0) : bytes.slice(start, start + MAX_BYTES - this.#size);
    if (part.length > 0) this.#held.push(part);
    this.#size += part.length;
  }

  #take(): string {
    const bytes = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#held) {
      bytes.set(part, at);
      at += part.length;
    }
    [this.#held, this.#size] = [[], 0];
    return this.#decoder.decode(bytes);
  }
}
