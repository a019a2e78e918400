import { type Entry, MAX_MESSAGE, type Micros } from "../types.ts";

/** An entry with its cursor, its place in the journal. The cursor lasts as long as the entry: copy it to keep it. */
export interface JournalEntry extends Entry {
  readonly cursor: string;
}

/** More bytes of a field than `MAX_MESSAGE` characters can take (three each at most) are never kept. */
const MAX_FIELD = 4 * MAX_MESSAGE;
const LENGTH_BYTES = 8;

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
/** One character for each byte, whatever the byte. */
const BYTEWISE = new TextDecoder("latin1");
const NOTHING = new Uint8Array();

/**
 * Reads the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS) as it arrives, cut anywhere.
 * Fields may hold any bytes: invalid UTF-8 becomes U+FFFD. Memory is bounded by `MAX_MESSAGE`, however long a
 * field is. Of a field that stands twice in an entry the first counts.
 */
export class ExportParser {
  /** End of what has come so far, not yet a whole field. */
  #rest: Uint8Array = NOTHING;
  /** Bytes still to come of a field that was cut. */
  #skipBytes = 0;
  /** Whether the rest of a line is still to come that was cut. */
  #skipLine = false;
  #draft = new Draft();
  #cursor: string | null = null;
  #damaged = 0;

  /** Cursor of the last entry that ended, even of one that was dropped; null before the first. */
  get cursor(): string | null {
    return this.#cursor === null ? null : UTF8.decode(new TextEncoder().encode(this.#cursor));
  }

  /** Entries so far whose message was cut, and those dropped for want of a message, a time or a cursor. */
  get damaged(): number {
    return this.#damaged;
  }

  /** The entries that `chunk` completes, in order. */
  push(chunk: Uint8Array): JournalEntry[] {
    const fresh = this.#skip(chunk);
    const text = new Text(this.#rest.length === 0 ? fresh : concat(this.#rest, fresh));
    const entries: JournalEntry[] = [];
    let start = 0;
    for (let field = text.field(0); field !== null && field.end <= text.length; field = text.field(start)) {
      if (field.name !== "") this.#draft.set(field.name, text.value(field));
      else this.#finish(entries);
      start = field.end;
    }
    this.#keep(text, start);
    return entries;
  }

  /** What of `chunk` does not belong to a field that was cut. */
  #skip(chunk: Uint8Array): Uint8Array {
    if (this.#skipLine) {
      const end = chunk.indexOf(0x0a);
      if (end < 0) return NOTHING;
      this.#skipLine = false;
      return chunk.subarray(end + 1);
    }
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    return chunk.subarray(skipped);
  }
}
