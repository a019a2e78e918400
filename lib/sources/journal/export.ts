/**
 * Reads the Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS): fields as lines
 * `NAME=value`, or, for values of any bytes, the name, the length in 64 bits and the value; an
 * empty line ends an entry. In: the output of journalctl. Out: records, as ranges of the buffer
 * that holds the output.
 */
import { isLate } from "../../core/async.ts";
import { EQUALS, LINE_FEED, ZERO } from "../../core/ascii.ts";
import { type Bytes, decode, LineEnds, Literal } from "../../core/bytes.ts";
import { MAX_MESSAGE, NO_PID } from "../../core/records.ts";
import type { Micros } from "../../core/time.ts";
import { JournalRecords } from "./journal_records.ts";

/** Bytes that hold any text of `MAX_MESSAGE` characters: more of a field is never kept. */
const MAX_FIELD = 4 * MAX_MESSAGE;
/** A binary field gives the length of its value in 64 bits, least significant byte first. */
const LENGTH_BYTES = 8;
/** Longest value of a field that journald has (`DATA_SIZE_MAX` in systemd's journal-importer.h). */
const LONGEST_VALUE = 768 * 1_024 * 1_024;
/** Room for the chunks of a flood and for an entry that continues in the next one. */
const SIZE = 1 << 16;
/** Programs and writers that are remembered. */
const MAX_ORIGINS = 64;
/** journalctl hands over multiples of this many bytes only if it has more. */
const FULL_WRITE = 4_096;
/** How long to wait for more after a full write. */
export const GATHER: Micros = 5_000;
/**
 * Bytes after which a read ends, a quarter of a pipe. journalctl works ahead only as far as the
 * pipe has room: if one read took all of the pipe, the two programs would take turns.
 */
const ENOUGH = 1 << 14;

/** The fields that are read, by their numbers. */
const [CURSOR, TIME, IDENTIFIER, PID, UID, UNIT, MESSAGE, TRANSPORT, CONTAINER] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const NAMES = [
  "__CURSOR",
  "__REALTIME_TIMESTAMP",
  "SYSLOG_IDENTIFIER",
  "_PID",
  "_UID",
  "_SYSTEMD_UNIT",
  "MESSAGE",
  "_TRANSPORT",
  "CONTAINER_ID_FULL",
].map((name) => new Literal(name));
const SYSLOG = new Literal("syslog");
/** Number of a field that is not read. */
const OTHER = -1;

/**
 * Makes records of the export format. A field may have any bytes and any length: invalid UTF-8
 * becomes U+FFFD, and memory stays bounded. If an entry has a field twice, the first counts. Drops
 * an entry without a message, a time or a cursor.
 */
export class ExportParser {
  /** The entries that the last bytes completed. */
  readonly records = new JournalRecords(SIZE);
  /** Number of entries that were dropped, or whose message was cut to `MAX_MESSAGE`. */
  damaged = 0;
  /** Cursor of the last entry that ended, even a dropped one; null before the first. */
  cursor: string | null = null;
  readonly #ends = new LineEnds();
  /** Start and end of each field of the current entry; a start below 0: not read yet. */
  readonly #from = new Int32Array(NAMES.length).fill(-1);
  readonly #to = new Int32Array(NAMES.length);
  /** Whether the message of the current entry is ASCII. */
  #isASCII = true;
  /** Start of the current entry, place of the current field, and end of the bytes read. */
  #entry = 0;
  #at = 0;
  #end = 0;
  /** Rest of a cut field to skip: this many bytes, or everything to the end of the line. */
  #skipBytes = 0;
  #skipsLine = false;
  /** Place of the last entry's cursor in these bytes; `#lastTo` below 0: none yet. */
  #lastFrom = 0;
  #lastTo = -1;
  /** Origins of the records, by their indexes there. */
  readonly #origins: KnownOrigin[] = [];

  /** Takes bytes behind those of `begin()`. */
  put(chunk: Uint8Array): void {
    this.records.put(this.#skip(chunk));
  }

  /** Returns records of the entries that the bytes complete, good until `begin()`. */
  parse(): JournalRecords {
    const { records } = this;
    const end = this.#end = records.end;
    while (this.#at < end && this.#readField(end));
    if (end - this.#at > MAX_FIELD) this.#cutField(end);
    if (this.#lastTo >= 0) this.cursor = decode(records.bytes, this.#lastFrom, this.#lastTo);
    return records;
  }

  /** Begins anew with the bytes of the unfinished entry, moved to the front of the buffer. */
  begin(): void {
    const { records } = this;
    const moved = this.#entry;
    // Rewritten messages are behind the bytes that were read.
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
    if (records.origins.length < MAX_ORIGINS) return;
    records.origins = [];
    this.#origins.length = 0;
  }

  /** Returns the bytes of `chunk` that do not belong to a cut field. */
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

  /** Reads the field, or the end of the entry, at `#at`. Returns false if it is not complete. */
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

  /** Takes the first part of a field that is too long, and marks the rest to be skipped. */
  #cutField(end: number): void {
    const { bytes } = this.records;
    const at = this.#at;
    const line = this.#ends.next(bytes, at, end);
    const equals = this.#equalsIn(bytes, at, line);
    const isBinary = line < end && equals === line;
    const length = isBinary ? lengthAt(bytes, line + 1) : 0;
    // To skip a made-up length would skip the journal.
    if ((!isBinary && equals === line) || length > LONGEST_VALUE) {
      throw new Error("Cannot read the journal: journalctl printed something else than its export format");
    }
    const field = this.#fieldOf(bytes, at, equals);
    const value = isBinary ? line + 1 + LENGTH_BYTES : equals + 1;
    if (isBinary) this.#skipBytes = value + length + 1 - end;
    else this.#skipsLine = true;
    this.#set(field, value, end, false);
    // Nothing is kept of a field that is not read.
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

  /** Makes a record of the current entry, and begins another one. */
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

  /** Returns the value of a field as a number; NaN if it is not a number or missing. */
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

  /** Returns the index of the entry's origin among those of the records. */
  #origin(): number {
    const uid = this.#number(UID);
    const isWhole = this.#is(TRANSPORT, SYSLOG);
    for (let i = 0; i < this.#origins.length; i++) {
      const known = this.#origins[i]!;
      if (
        Object.is(known.uid, uid) && known.isWhole === isWhole && this.#is(IDENTIFIER, known.identifier) &&
        this.#is(UNIT, known.unit) && this.#is(CONTAINER, known.container)
      ) return i;
    }
    const [identifier, unit, container] = [this.#text(IDENTIFIER), this.#text(UNIT), this.#text(CONTAINER)];
    const sender = { uid: Number.isNaN(uid) ? null : uid, unit };
    this.records.origins.push({ identifier, sender, isWhole, container });
    const known = {
      uid,
      isWhole,
      identifier: new Literal(identifier),
      unit: new Literal(unit),
      container: new Literal(container),
    };
    return this.#origins.push(known) - 1;
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
}

/** Reads entries from the output of a journalctl. */
export class EntryReader extends ExportParser {
  /** Whether journalctl had more to print at the last read. */
  hasMore = false;
  readonly #output: ReadableStreamBYOBReader;
  /** Target of reads; handed back and forth, so that no chunk needs a new one. */
  #buffer = new ArrayBuffer(ENOUGH);
  #next: Promise<Uint8Array> | null = null;

  constructor(output: ReadableStreamBYOBReader) {
    super();
    this.#output = output;
  }

  /**
   * Waits for the next output, a line or a flood, and returns records of the entries that it
   * completes, good until the next call. Null: the output has ended.
   */
  async read(): Promise<JournalRecords | null> {
    this.begin();
    let size = 0;
    do {
      const chunk = await this.#arrival();
      this.#next = null;
      this.put(chunk);
      size += chunk.length;
      this.hasMore = chunk.length > 0 && chunk.length % FULL_WRITE === 0 &&
        (size >= ENOUGH || !await isLate(this.#arrival(), GATHER));
    } while (this.hasMore && size < ENOUGH);
    return size === 0 ? null : this.parse();
  }

  /** Returns the next chunk, without taking it. */
  #arrival(): Promise<Uint8Array> {
    return this.#next ??= this.#receive();
  }

  async #receive(): Promise<Uint8Array> {
    const { value } = await this.#output.read(new Uint8Array(this.#buffer));
    // A cancelled stream keeps the buffer.
    if (value === undefined) return new Uint8Array(this.#buffer = new ArrayBuffer(ENOUGH), 0, 0);
    this.#buffer = value.buffer;
    return value;
  }
}

/** Values that identify an origin. */
interface KnownOrigin {
  /** NaN if journald did not know it. */
  readonly uid: number;
  readonly isWhole: boolean;
  readonly identifier: Literal;
  readonly unit: Literal;
  readonly container: Literal;
}

/** Returns the 64-bit number at a place; above 2^53 inexact, but more than any chunk. */
function lengthAt({ view }: Bytes, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}
