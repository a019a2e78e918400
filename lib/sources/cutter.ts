import { MAX_MESSAGE } from "../types.ts";

/** Characters of a line that are kept: a message and what may stand before it. */
export const MAX_LINE = MAX_MESSAGE + 1_024;
/** Bytes that hold more than `MAX_LINE` characters, whatever they are. */
const MAX_BYTES = 4 * MAX_LINE;
const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

/** Lines that ended, and how many of them were cut to size. */
export interface Lines {
  readonly lines: readonly string[];
  readonly damaged: number;
}

/**
 * Cuts bytes that come in pieces into lines, without their line ends. Invalid UTF-8 becomes U+FFFD, NUL bytes that a line
 * begins with are passed over (a truncated file has a hole of them), and memory stays bounded whatever comes.
 */
export class LineCutter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest: Uint8Array = NOTHING;
  /** Bytes of the unfinished line that were let go of. */
  #dropped = 0;
  #offset: number;

  /** @param offset of the first byte that will be pushed, at which a line begins */
  constructor(offset: number) {
    this.#offset = offset;
  }

  /** Where the line begins that has not ended yet. */
  get offset(): number {
    return this.#offset;
  }

  /** Where the next byte to be pushed comes from. */
  get end(): number {
    return this.#offset + this.#dropped + this.#rest.length;
  }

  /** The lines that `bytes` complete. */
  push(bytes: Uint8Array): Lines {
    const last = bytes.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(bytes);
      return { lines: [], damaged: 0 };
    }
    const ended = concat(this.#rest, bytes.subarray(0, last));
    const wasCut = this.#dropped > 0;
    this.#offset = this.end + last + 1;
    this.#rest = NOTHING;
    this.#dropped = 0;
    this.#keep(bytes.subarray(last + 1));
    return this.#cut(ended, wasCut);
  }

  /** The last line of what will grow no more; none when it had ended. */
  flush(): Lines {
    const rest = this.#rest;
    const wasCut = this.#dropped > 0;
    this.#offset = this.end;
    this.#rest = NOTHING;
    this.#dropped = 0;
    return rest.length === 0 ? { lines: [], damaged: 0 } : this.#cut(rest, wasCut);
  }

  #cut(bytes: Uint8Array, wasCut: boolean): Lines {
    let damaged = wasCut ? 1 : 0;
    const lines = this.#decoder.decode(bytes).split("\n").map((text, i) => {
      const line = withoutEnds(text);
      if (line.length <= MAX_LINE) return line;
      if (i > 0 || !wasCut) damaged++;
      // The cut may have parted a surrogate pair.
      return line.slice(0, MAX_LINE).toWellFormed();
    });
    return { lines: lines.filter((line) => line !== ""), damaged };
  }

  #keep(bytes: Uint8Array): void {
    const isStart = this.#rest.length === 0 && this.#dropped === 0;
    const from = isStart ? leadingNuls(bytes) : 0;
    this.#offset += from;
    const joined = concat(this.#rest, bytes.subarray(from));
    // A copy: what was pushed is the reader's buffer.
    this.#rest = joined.slice(0, MAX_BYTES);
    this.#dropped += joined.length - this.#rest.length;
  }
}

function withoutEnds(line: string): string {
  const end = line.endsWith("\r") ? line.length - 1 : line.length;
  let start = 0;
  while (start < end && line.charCodeAt(start) === 0) start++;
  return line.slice(start, end);
}

function leadingNuls(bytes: Uint8Array): number {
  let count = 0;
  while (count < bytes.length && bytes[count] === 0) count++;
  return count;
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}
