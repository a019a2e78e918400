import { type Entry, MAX_MESSAGE, type Micros } from "../types.ts";

/** An entry with its cursor: its place in the journal. */
export interface JournalEntry extends Entry {
  readonly cursor: string;
}

/** Bytes that hold more than `MAX_MESSAGE` characters, whatever they are: more of a field is never kept. */
const MAX_FIELD = 4 * MAX_MESSAGE;
/** A binary field gives the length of its value in 64 bits, least significant byte first. */
const LENGTH_BYTES = 8;
const NEWLINE = 0x0a;

const NOTHING = new Uint8Array();
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** Makes one character of each byte. */
const BYTEWISE = new TextDecoder("latin1");

/**
 * Reads the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS) in chunks cut anywhere. A field may
 * hold any bytes and be of any length: invalid UTF-8 becomes U+FFFD, and memory stays bounded. Of a field that an
 * entry has twice the first counts. An entry without a message, a time or a cursor is dropped.
 */
export class ExportParser {
  /** The field that has begun but not ended. */
  #rest: Uint8Array = NOTHING;
  /** What is still to come of a field that was cut: this many bytes, or all up to the end of the line. */
  #skipBytes = 0;
  #skipLine = false;
  #draft = new Draft();
  #cursor: string | null = null;
  #damaged = 0;

  /** Cursor of the last entry that ended, a dropped one included; null before the first. */
  get cursor(): string | null {
    // A copy: the slice would keep its whole chunk alive.
    return this.#cursor === null ? null : UTF8.decode(new TextEncoder().encode(this.#cursor));
  }

  /** How many entries so far were dropped, or had their message cut to `MAX_MESSAGE`. */
  get damaged(): number {
    return this.#damaged;
  }

  /** The entries that `chunk` completes, in order. */
  push(chunk: Uint8Array): JournalEntry[] {
    const text = new Text(concat(this.#rest, this.#skip(chunk)));
    const entries: JournalEntry[] = [];
    let next = 0;
    for (let field = text.field(next); field !== null; field = text.field(next)) {
      if (field.end > text.length) break;
      if (field.name === "") this.#finish(entries);
      else this.#draft.set(field, text);
      next = field.end;
    }
    this.#keep(text, next);
    return entries;
  }

  #finish(entries: JournalEntry[]): void {
    const draft = this.#draft;
    this.#draft = new Draft();
    const entry = draft.entry();
    this.#cursor = draft.cursor ?? this.#cursor;
    if (entry !== null) entries.push(entry);
    if (entry === null || draft.cut) this.#damaged++;
  }

  /** Keeps an unfinished field for the next chunk; of one that is too long, takes what there is and skips the rest. */
  #keep(text: Text, start: number): void {
    const rest = text.bytes.subarray(start);
    if (rest.length <= MAX_FIELD) {
      this.#rest = rest.slice();
      return;
    }
    this.#rest = NOTHING;
    const field = text.field(start) ?? text.openLine(start);
    this.#draft.set(field, text);
    if (field.end === Infinity) this.#skipLine = true;
    else this.#skipBytes = field.end - text.length;
  }

  /** What of `chunk` does not belong to a field that was cut. */
  #skip(chunk: Uint8Array): Uint8Array {
    if (this.#skipLine) {
      const end = chunk.indexOf(NEWLINE);
      this.#skipLine = end < 0;
      return end < 0 ? NOTHING : chunk.subarray(end + 1);
    }
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    return chunk.subarray(skipped);
  }
}

/** Where a field stands in a `Text`. The empty line that ends an entry is a field without a name. */
interface Field {
  readonly name: string;
  /** Its value is `from` up to `to`, the next field begins at `end`: past the text where they are still to come. */
  readonly from: number;
  readonly to: number;
  readonly end: number;
}

/** Bytes that can be searched as a string, in which every byte is one character. */
class Text {
  readonly bytes: Uint8Array;
  readonly length: number;
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

  /** The field at `start`; null while its line, or the length of its value, is incomplete. */
  field(start: number): Field | null {
    const end = this.#text.indexOf("\n", start);
    if (end < 0) return null;
    if (end === start) return { name: "", from: start, to: start, end: end + 1 };
    const equals = this.#text.indexOf("=", start);
    if (equals >= 0 && equals < end) {
      return { name: this.#text.slice(start, equals), from: equals + 1, to: end, end: end + 1 };
    }
    const from = end + 1 + LENGTH_BYTES;
    if (from > this.length) return null;
    const to = from +
      Number(new DataView(this.bytes.buffer, this.bytes.byteOffset + end + 1).getBigUint64(0, true));
    return { name: this.#text.slice(start, end), from, to, end: to + 1 };
  }

  /** The field at `start`, whose line goes on beyond the text. */
  openLine(start: number): Field {
    const from = this.#text.indexOf("=", start) + 1;
    if (from === 0) {
      throw new Error("Cannot read the journal: journalctl printed something else than its export format");
    }
    return { name: this.#text.slice(start, from - 1), from, to: this.length, end: Infinity };
  }

  /** The value of a field as far as it has come. */
  value({ from, to }: Field): string {
    const until = Math.min(to, from + MAX_FIELD, this.length);
    return this.#isDecoded ? this.#text.slice(from, until) : UTF8.decode(this.bytes.subarray(from, until));
  }
}

/** An entry in the making. */
class Draft {
  cursor: string | null = null;
  cut = false;
  #time: Micros | null = null;
  #identifier: string | null = null;
  #pid: number | null = null;
  #uid: number | null = null;
  #unit: string | null = null;
  #message: string | null = null;

  set(field: Field, text: Text): void {
    switch (field.name) {
      case "__CURSOR":
        this.cursor ??= text.value(field);
        break;
      case "__REALTIME_TIMESTAMP":
        this.#time ??= Number(text.value(field));
        break;
      case "SYSLOG_IDENTIFIER":
        this.#identifier ??= text.value(field);
        break;
      case "_PID":
        this.#pid ??= Number(text.value(field));
        break;
      case "_UID":
        this.#uid ??= Number(text.value(field));
        break;
      case "_SYSTEMD_UNIT":
        this.#unit ??= text.value(field);
        break;
      case "MESSAGE":
        this.#message ??= this.#cutToSize(text.value(field));
    }
  }

  #cutToSize(message: string): string {
    if (message.length <= MAX_MESSAGE) return message;
    this.cut = true;
    // The cut may have parted a surrogate pair.
    return message.slice(0, MAX_MESSAGE).toWellFormed();
  }

  /** The entry, or null when it lacks what every entry must have. */
  entry(): JournalEntry | null {
    if (this.#message === null || this.#time === null || this.cursor === null) return null;
    return {
      time: this.#time,
      identifier: this.#identifier ?? "",
      pid: this.#pid,
      message: this.#message,
      sender: { uid: this.#uid, unit: this.#unit ?? "" },
      cursor: this.cursor,
    };
  }
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}
