import { MAX_MESSAGE } from "../../core/entry.ts";

/** Bytes that hold more than `MAX_MESSAGE` characters, whatever they are: more of a field is never kept. */
export const MAX_FIELD = 4 * MAX_MESSAGE;
/** A binary field gives the length of its value in 64 bits, least significant byte first. */
const LENGTH_BYTES = 8;
const EQUALS = 0x3d;
const ZERO = 0x30;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Makes one character of each byte. */
const BYTEWISE = new TextDecoder("latin1");

/** The fields that are read, with their names in bytes: V8 compares these one by one in a fraction of what a piece of text costs. */
const NAMES = [
  "__CURSOR",
  "__REALTIME_TIMESTAMP",
  "SYSLOG_IDENTIFIER",
  "_PID",
  "_UID",
  "_SYSTEMD_UNIT",
  "MESSAGE",
]
  .map((name) => ({ name, bytes: new TextEncoder().encode(name) }));

/**
 * Bytes that can be searched as a string, in which every byte is one character, with the field that is looked at: a flood has
 * millions of them, so none is an object of its own.
 */
export class Text {
  readonly bytes: Uint8Array;
  readonly length: number;
  /** Where the field begins. */
  start = 0;
  /** It is the empty line that ends an entry. */
  isEnd = false;
  /** Empty: none of those that are read. */
  name = "";
  /** Its value is `from` up to `to`, the next field begins at `end`: past the text where they are still to come. */
  from = 0;
  to = 0;
  end = 0;
  readonly #text: string;
  /** Whether `#text` is also what the bytes say, as it is for ASCII. */
  readonly #isDecoded: boolean;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = bytes.length;
    const text = UTF8.decode(bytes);
    this.#isDecoded = text.length === bytes.length;
    this.#text = this.#isDecoded ? text : BYTEWISE.decode(bytes);
  }

  /** Looks at the field at `start`; false while its line, or the length of its value, is incomplete. */
  look(): boolean {
    const { bytes, start } = this;
    const line = this.#text.indexOf("\n", start);
    if (line < 0) return false;
    this.isEnd = line === start;
    let equals = start;
    while (equals < line && bytes[equals] !== EQUALS) equals++;
    this.name = this.#nameUpTo(equals);
    if (equals === line && !this.isEnd) return this.#lookAtBinary(line);
    this.from = equals + 1;
    this.to = line;
    this.end = line + 1;
    return true;
  }

  #nameUpTo(end: number): string {
    const length = end - this.start;
    for (const { name, bytes } of NAMES) if (bytes.length === length && this.#isAt(bytes)) return name;
    return "";
  }

  #isAt(name: Uint8Array): boolean {
    const { bytes, start } = this;
    for (let i = name.length - 1; i >= 0; i--) if (bytes[start + i] !== name[i]) return false;
    return true;
  }

  /** Goes on to the next field. */
  pass(): void {
    this.start = this.end;
  }

  /** The same for a field whose value, of any bytes, comes behind its line and its length. */
  #lookAtBinary(line: number): boolean {
    this.from = line + 1 + LENGTH_BYTES;
    if (this.from > this.length) return false;
    this.to = this.from +
      Number(new DataView(this.bytes.buffer, this.bytes.byteOffset + line + 1).getBigUint64(0, true));
    this.end = this.to + 1;
    return true;
  }

  /** Looks at the field at `start`, whose line goes on beyond the text. */
  lookAtOpenLine(): void {
    this.from = this.#text.indexOf("=", this.start) + 1;
    if (this.from === 0) {
      throw new Error("Cannot read the journal: journalctl printed something else than its export format");
    }
    this.name = this.#nameUpTo(this.from - 1);
    this.to = this.length;
    this.end = Infinity;
  }

  /** The value of the field as far as it has come. */
  value(): string {
    const until = Math.min(this.to, this.from + MAX_FIELD, this.length);
    return this.#isDecoded
      ? this.#text.slice(this.from, until)
      : UTF8.decode(this.bytes.subarray(this.from, until));
  }

  /** The value of the field as a number. */
  number(): number {
    const { bytes, to } = this;
    let number = 0;
    for (let at = this.from; at < to; at++) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return NaN;
      number = number * 10 + digit;
    }
    return number;
  }
}
