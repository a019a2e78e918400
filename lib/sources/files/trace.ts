/**
 * The trace of a file has one number for each of the last lines read, newest last. It finds the
 * place where reading ended again, even at another offset or in another file.
 */
import { LINE_FEED } from "../../core/ascii.ts";
import { tried } from "../../core/error.ts";
import type { Content } from "./content.ts";
import { readBytes } from "./head.ts";

/** Most lines of a trace. */
const MAX_LINES = 32;
/** Bytes of a line that count. */
const MAX_COUNTED = 4_096;
/** First and most bytes of a file that are searched for its last lines. */
const [MIN_LOOK, MAX_LOOK] = [64 * 1_024, 1_024 * 1_024];

/** Numbers of lines; the last one read is at the end. */
export type Trace = readonly number[];

/** Numbers lines whose bytes come in pieces. Ignores NULs before a line: see `findData()`. */
export class LineNumbers {
  #number = FIRST;
  #length = 0;

  /**
   * Takes a piece that begins at `offset`; calls `tell` with the number of each line that ends in
   * it, and the start of the next.
   */
  take(bytes: Uint8Array, offset: number, tell: (number: number, end: number) => void): void {
    let number = this.#number;
    let length = this.#length;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === LINE_FEED) {
        tell(number >>> 0, offset + at + 1);
        number = FIRST;
        length = 0;
      } else if (length < MAX_COUNTED && (byte !== 0 || length > 0)) {
        // FNV-1a, 32 bits.
        number = Math.imul(number ^ byte, 0x01000193);
        length++;
      }
    }
    this.#number = number;
    this.#length = length;
  }
}
const FIRST = 0x811c9dc5 | 0;

/** Adds the last whole lines of `bytes`, which begin at a line's start, to a trace. */
export function extend(trace: Trace, bytes: Uint8Array): Trace {
  const end = bytes.lastIndexOf(LINE_FEED) + 1;
  if (end === 0) return trace;
  let start = end - 1;
  for (let lines = 0; lines < MAX_LINES && start > 0; lines++) {
    start = bytes.lastIndexOf(LINE_FEED, start - 1);
  }
  const added: number[] = [];
  new LineNumbers().take(bytes.subarray(start + 1, end), 0, (number) => added.push(number));
  return [...trace, ...added].slice(-MAX_LINES);
}

/** Returns the trace of the lines that end at `offset` or shortly before. */
export async function traceBefore(content: Content, offset: number): Promise<Trace> {
  for (let size = MIN_LOOK;; size *= 4) {
    const from = Math.max(0, offset - size);
    const bytes = await readBytes(content, { from, size: offset - from });
    // A line begins behind a NUL.
    const isWhole = from === 0 || bytes[0] === 0;
    const start = isWhole ? 0 : bytes.indexOf(LINE_FEED) + 1;
    const trace = !isWhole && start === 0 ? [] : extend([], bytes.subarray(start));
    if (trace.length > 0 || from === 0 || size >= MAX_LOOK) return trace;
  }
}

/** Reports whether two traces end with the same lines, as far as both go back. */
export function endAlike(a: Trace, b: Trace): boolean {
  const length = Math.min(a.length, b.length);
  if (length === 0) return a.length === b.length;
  return a.slice(-length).every((number, index) => number === b[b.length - length + index]);
}

/** Formats a trace for storage, in base64. */
export function formatTrace(trace: Trace): string {
  const bytes = new Uint8Array(Uint32Array.from(trace).buffer);
  return btoa(String.fromCharCode(...bytes));
}

/** Reads a result of `formatTrace()`; empty for anything else. */
export function parseTrace(text: string): Trace {
  const bytes = () => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  return tried(() => [...new Uint32Array(bytes().buffer)]) ?? [];
}
