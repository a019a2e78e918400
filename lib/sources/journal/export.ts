/**
 * Reads the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS): fields as lines
 * `NAME=value`, or, for values of any bytes, the name, the length in 64 bits and the value; an
 * empty line ends an entry. Comes in: chunks cut anywhere. Goes out: records, as ranges of the
 * buffer that the chunks were put into.
 */
import { type Bytes, decode, LineEnds, Literal } from "../../core/bytes.ts";
import { MAX_MESSAGE, NO_PID, type Origin } from "../../core/records.ts";
import { JournalRecords } from "./journal_records.ts";

/** Bytes that hold more than `MAX_MESSAGE` characters, whatever they are: more of a field is never kept. */
const MAX_FIELD = 4 * MAX_MESSAGE;
/** A binary field gives the length of its value in 64 bits, least significant byte first. */
const LENGTH_BYTES = 8;
/** Room for the chunks of a flood and for an entry that goes on in the next one. */
const SIZE = 1 << 16;
/** Programs and writers that are remembered. */
const MAX_ORIGINS = 64;
const [LINE_FEED, EQUALS, ZERO] = [10, 61, 48];

/** The fields that are read, by their numbers. */
const [CURSOR, TIME, IDENTIFIER, PID, UID, UNIT, MESSAGE] = [0, 1, 2, 3, 4, 5, 6];
const NAMES = [
  "__CURSOR",
  "__REALTIME_TIMESTAMP",
  "SYSLOG_IDENTIFIER",
  "_PID",
  "_UID",
  "_SYSTEMD_UNIT",
  "MESSAGE",
].map((name) => new Literal(name));
/** Number of a field that is not read. */
const OTHER = -1;

/**
 * Makes records of the export format. A field may hold any bytes and be of any length: invalid
 * UTF-8 becomes U+FFFD, and memory stays bounded. Of a field that an entry has twice the first
 * counts. An entry without a message, a time or a cursor is dropped.
 */
export class ExportParser {
  /** The entries that the last chunk completed. */
  readonly records = new JournalRecords(SIZE);
  /** How many entries so far were dropped, or had their message cut to `MAX_MESSAGE`. */
  damaged = 0;
  /** Cursor of the last entry that ended, a dropped one included; null before the first. */
  cursor: string | null = null;
  readonly #ends = new LineEnds();
  /** Where each field of the entry under way begins, below 0 where it has not come, and where it ends. */
  readonly #from = new Int32Array(NAMES.length).fill(-1);
  readonly #to = new Int32Array(NAMES.length);
  /** Whether the message of the entry under way is ASCII. */
  #isASCII = true;
  /** Where the entry under way begins, the field that is looked at, and the end of what was read. */
  #entry = 0;
  #at = 0;
  #end = 0;
  /** What is still to come of a field that was cut: this many bytes, or all up to the end of the line. */
  #skipBytes = 0;
  #skipsLine = false;
  /** Where the cursor of the last entry of this chunk lies; `#lastTo` is below 0 before there is one. */
  #lastFrom = 0;
  #lastTo = -1;
  /** The origins of the records, by their indexes there. */
  readonly #origins: KnownOrigin[] = [];

  /** Takes a chunk, and returns the records of the entries that it completes, good until the next call. */
  push(chunk: Uint8Array): JournalRecords {
    const { records } = this;
    this.#beginChunk();
    records.put(this.#skip(chunk));
    const end = this.#end = records.end;
    while (this.#at < end && this.#readField(end));
    if (end - this.#at > MAX_FIELD) this.#cutField(end);
    if (this.#lastTo >= 0) this.cursor = decode(records.bytes, this.#lastFrom, this.#lastTo);
    return records;
  }

  /** Moves what has come of the entry under way to the front of the buffer. */
  #beginChunk(): void {
    const { records } = this;
    const moved = this.#entry;
    // Behind the bytes that were read stand messages that were written anew.
    records.end = this.#end;
    records.begin(moved);
    for (let field = 0; field < NAMES.length; field++) {
      if (this.#from[field]! < 0) continue;
      this.#from[field]! -= moved;
      this.#to[field]! -= moved;
    }
    this.#at -= moved;
    this.#entry = 0;
    this.#lastTo = -1;
    if (records.origins.length >= MAX_ORIGINS) this.#forgetOrigins();
  }

  /** What of `chunk` does not belong to a field that was cut. */
  #skip(chunk: Uint8Array): Uint8Array {
    if (this.#skipsLine) {
      const end = chunk.indexOf(LINE_FEED);
      this.#skipsLine = end < 0;
      return end < 0 ? chunk.subarray(0, 0) : chunk.subarray(end + 1);
    }
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    return chunk.subarray(skipped);
  }

  /**
   * Reads the field, or the end of the entry, that begins at `#at`. Returns false where it has not
   * come to its end.
   */
  #readField(end: number): boolean {
    const { bytes } = this.records;
    const at = this.#at;
    const line = this.#ends.next(bytes, at, end);
    if (line === end) return false;
    if (line === at) {
      this.#at = at + 1;
      this.#finishEntry();
      return true;
    }
    const equals = this.#equalsIn(bytes, at, line);
    if (equals < line) {
      this.#set(this.#fieldOf(bytes, at, equals), equals + 1, line, this.#ends.isASCII);
      this.#at = line + 1;
      return true;
    }
    const value = line + 1 + LENGTH_BYTES;
    if (value > end) return false;
    const to = value + lengthAt(bytes, line + 1);
    if (to >= end) return false;
    this.#set(this.#fieldOf(bytes, at, line), value, to, false);
    this.#at = to + 1;
    return true;
  }

  /** Takes what there is of a field that is too long, and has the rest skipped. */
  #cutField(end: number): void {
    const { bytes } = this.records;
    const at = this.#at;
    const line = this.#ends.next(bytes, at, end);
    const equals = this.#equalsIn(bytes, at, line);
    const isBinary = line < end && equals === line;
    if (!isBinary && equals === line) {
      throw new Error("Cannot read the journal: journalctl printed something else than its export format");
    }
    const field = this.#fieldOf(bytes, at, equals);
    const value = isBinary ? line + 1 + LENGTH_BYTES : equals + 1;
    if (isBinary) this.#skipBytes = value + lengthAt(bytes, line + 1) + 1 - end;
    else this.#skipsLine = true;
    this.#set(field, value, end, false);
    // Of a field that is not read nothing is kept.
    this.#at = this.#end = field === OTHER ? at : Math.min(end, value + MAX_FIELD);
  }

  #equalsIn({ array }: Bytes, from: number, to: number): number {
    let at = from;
    while (at < to && array[at] !== EQUALS) at++;
    return at;
  }

  #fieldOf(bytes: Bytes, from: number, to: number): number {
    for (let field = 0; field < NAMES.length; field++) {
      if (NAMES[field]!.length === to - from && NAMES[field]!.isAt(bytes, from)) return field;
    }
    return OTHER;
  }

  #set(field: number, from: number, to: number, isASCII: boolean): void {
    if (field === OTHER || this.#from[field]! >= 0) return;
    this.#from[field] = from;
    this.#to[field] = Math.min(to, from + MAX_FIELD);
    if (field === MESSAGE) this.#isASCII = isASCII;
  }

  /** Makes a record of the entry under way, and begins another one. */
  #finishEntry(): void {
    const { records } = this;
    const [from, to] = [this.#from, this.#to];
    if (from[CURSOR]! >= 0) {
      this.#lastFrom = from[CURSOR]!;
      this.#lastTo = to[CURSOR]!;
    }
    const time = this.#number(TIME);
    if (Number.isNaN(time) || from[CURSOR]! < 0 || from[MESSAGE]! < 0) this.damaged++;
    else {
      const i = records.length;
      const pid = this.#number(PID);
      const isCut = records.add(
        { from: from[MESSAGE]!, to: to[MESSAGE]!, isASCII: this.#isASCII, most: MAX_MESSAGE },
        { origin: this.#origin(), time, pid: Number.isNaN(pid) ? NO_PID : pid },
      );
      records.cursorFrom[i] = from[CURSOR]!;
      records.cursorTo[i] = to[CURSOR]!;
      if (isCut) this.damaged++;
    }
    from.fill(-1);
    this.#entry = this.#at;
  }

  /** The value of a field as a number; NaN where it is none or missing. */
  #number(field: number): number {
    const { array } = this.records.bytes;
    const to = this.#to[field]!;
    let at = this.#from[field]!;
    if (at < 0 || at === to) return NaN;
    let number = 0;
    for (; at < to; at++) {
      const digit = array[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) return NaN;
      number = 10 * number + digit;
    }
    return number;
  }

  /** The index of the entry's origin among those of the records. */
  #origin(): number {
    const uid = this.#number(UID);
    for (let i = 0; i < this.#origins.length; i++) {
      const known = this.#origins[i]!;
      if (Object.is(known.uid, uid) && this.#is(IDENTIFIER, known.identifier) && this.#is(UNIT, known.unit)) {
        return i;
      }
    }
    const [identifier, unit] = [this.#text(IDENTIFIER), this.#text(UNIT)];
    const origin: Origin = { identifier, sender: { uid: Number.isNaN(uid) ? null : uid, unit } };
    this.records.origins.push(origin);
    return this.#origins.push({ uid, identifier: new Literal(identifier), unit: new Literal(unit) }) - 1;
  }

  /** Reports whether a field's value is a text; a missing one is the empty text. */
  #is(field: number, text: Literal): boolean {
    const from = this.#from[field]!;
    if (from < 0) return text.length === 0;
    return this.#to[field]! - from === text.length && text.isAt(this.records.bytes, from);
  }

  #text(field: number): string {
    const from = this.#from[field]!;
    return from < 0 ? "" : decode(this.records.bytes, from, this.#to[field]!);
  }

  #forgetOrigins(): void {
    this.records.origins = [];
    this.#origins.length = 0;
  }
}

/** What tells an origin from others. */
interface KnownOrigin {
  /** NaN where journald did not know it. */
  readonly uid: number;
  readonly identifier: Literal;
  readonly unit: Literal;
}

/** The 64-bit number at a place; more than a chunk ever holds where it is larger than 2^53. */
function lengthAt({ view }: Bytes, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
