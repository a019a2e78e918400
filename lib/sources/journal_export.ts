import { type Entry, MAX_MESSAGE, type Micros } from "../types.ts";

/** What a chunk of the stream completed. */
export interface Exported {
  readonly entries: Entry[];
  /** Cursor of the last entry completed, whether or not it is in `entries`; null when there was none. */
  readonly position: string | null;
  /** Messages cut short, and entries without one or without a time. */
  readonly damaged: number;
}

/** Bytes of a field that are kept: any message of `MAX_MESSAGE` characters fits. */
const MAX_FIELD = 4 * MAX_MESSAGE;
const NEWLINE = 10;
const EQUALS = 61;

/** Fields that are used, by the length of their names, which tells most others apart at once. */
const FIELDS = Map.groupBy(
  ["__CURSOR", "__REALTIME_TIMESTAMP", "MESSAGE", "SYSLOG_IDENTIFIER", "_PID", "_UID", "_SYSTEMD_UNIT"].map((
    name,
  ) => ({
    name,
    bytes: new TextEncoder().encode(name),
  })),
  ({ name }) => name.length,
);

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What one entry has said so far. */
interface Draft {
  cursor: Uint8Array | null;
  time: Micros;
  message: string | null;
  identifier: string | null;
  pid: number | null;
  uid: number | null;
  unit: string;
}

function emptyDraft(): Draft {
  return { cursor: null, time: NaN, message: null, identifier: null, pid: null, uid: null, unit: "" };
}

/** A line or binary field whose end has not come yet. */
interface Unfinished {
  /** Name of the binary field, "" for one that is not used; null: a line. */
  readonly field: string | null;
  readonly kept: Uint8Array;
  filled: number;
  /** Bytes still to come, the newline behind them included; Infinity for a line. */
  left: number;
}

/**
 * Reads systemd's Journal Export Format (https://systemd.io/JOURNAL_EXPORT_FORMATS/) in chunks cut anywhere. Memory is
 * bounded, whatever a field's length. Strings are copies: no chunk is kept alive by them.
 */
export class ExportParser {
  readonly #isOwn: (entry: Entry) => boolean;
  #draft = emptyDraft();
  #unfinished: Unfinished | null = null;
  /** Name of a binary field and as many bytes of its length as have come. */
  #length: { readonly field: string; readonly bytes: number[] } | null = null;
  #entries: Entry[] = [];
  #position: Uint8Array | null = null;
  #damaged = 0;

  /** @param isOwn says which entries to leave out */
  constructor(isOwn: (entry: Entry) => boolean = () => false) {
    this.#isOwn = isOwn;
  }

  /** Takes the next bytes of the stream. */
  feed(chunk: Uint8Array): Exported {
    for (let at = 0; at < chunk.length;) {
      if (this.#length) at = this.#readLength(chunk, at);
      else if (this.#unfinished !== null && this.#unfinished.field !== null) at = this.#readBinary(chunk, at);
      else at = this.#readLine(chunk, at);
    }
    const position = this.#position === null ? null : decoder.decode(this.#position);
    const exported = { entries: this.#entries, position, damaged: this.#damaged };
    this.#entries = [];
    this.#position = null;
    this.#damaged = 0;
    // The chunk goes; what is still needed of it must stay.
    this.#draft.cursor = this.#draft.cursor?.slice() ?? null;
    return exported;
  }

  #readLine(chunk: Uint8Array, at: number): number {
    const end = chunk.indexOf(NEWLINE, at);
    if (end >= 0 && this.#unfinished === null) {
      this.#line(chunk.subarray(at, end));
      return end + 1;
    }
    const part = this.#unfinished ??= {
      field: null,
      kept: new Uint8Array(MAX_FIELD),
      filled: 0,
      left: Infinity,
    };
    append(part, chunk.subarray(at, end < 0 ? chunk.length : end));
    if (end < 0) return chunk.length;
    this.#unfinished = null;
    this.#line(part.kept.subarray(0, part.filled));
    return end + 1;
  }

  #line(line: Uint8Array): void {
    if (line.length === 0) return this.#endEntry();
    const equals = line.indexOf(EQUALS);
    if (equals < 0) this.#length = { field: nameOf(line) ?? "", bytes: [] };
    else {
      const field = nameOf(line.subarray(0, equals));
      if (field !== null) this.#take(field, line.subarray(equals + 1));
    }
  }

  #readLength(chunk: Uint8Array, at: number): number {
    const { field, bytes } = this.#length!;
    bytes.push(chunk[at]!);
    if (bytes.length < 8) return at + 1;
    const length = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
    this.#length = null;
    const kept = new Uint8Array(field === "" ? 0 : Math.min(length, MAX_FIELD));
    this.#unfinished = { field, kept, filled: 0, left: length + 1 };
    return at + 1;
  }

  #readBinary(chunk: Uint8Array, at: number): number {
    const part = this.#unfinished!;
    const end = Math.min(chunk.length, at + part.left);
    append(part, chunk.subarray(at, end));
    part.left -= end - at;
    if (part.left > 0) return end;
    this.#unfinished = null;
    if (part.field !== "") this.#take(part.field!, part.kept);
    return end;
  }

  /** The first value of a field counts: further ones are the writer's own addition. */
  #take(field: string, value: Uint8Array): void {
    const draft = this.#draft;
    switch (field) {
      case "__CURSOR":
        draft.cursor = value;
        break;
      case "__REALTIME_TIMESTAMP":
        draft.time = digits(value) ?? NaN;
        break;
      case "MESSAGE":
        draft.message ??= decoder.decode(value);
        break;
      case "SYSLOG_IDENTIFIER":
        draft.identifier ??= decoder.decode(value);
        break;
      case "_PID":
        draft.pid = digits(value);
        break;
      case "_UID":
        draft.uid = digits(value);
        break;
      case "_SYSTEMD_UNIT":
        draft.unit = decoder.decode(value);
    }
  }

  #endEntry(): void {
    const { cursor, time, message, identifier, pid, uid, unit } = this.#draft;
    this.#draft = emptyDraft();
    if (cursor === null) return;
    this.#position = cursor;
    if (message === null || Number.isNaN(time)) {
      this.#damaged++;
      return;
    }
    const isLong = message.length > MAX_MESSAGE;
    if (isLong) this.#damaged++;
    const entry: Entry = {
      time,
      identifier: identifier ?? "",
      pid,
      message: isLong ? message.slice(0, MAX_MESSAGE) : message,
      sender: { uid, unit },
    };
    if (!this.#isOwn(entry)) this.#entries.push(entry);
  }
}

/** Keeps what still fits of `bytes`. */
function append(part: Unfinished, bytes: Uint8Array): void {
  const fitting = bytes.subarray(0, part.kept.length - part.filled);
  part.kept.set(fitting, part.filled);
  part.filled += fitting.length;
}

function nameOf(bytes: Uint8Array): string | null {
  const candidates = FIELDS.get(bytes.length);
  return candidates?.find((field) => field.bytes.every((byte, i) => byte === bytes[i]))?.name ?? null;
}

/** A decimal number; null when the bytes are something else. */
function digits(bytes: Uint8Array): number | null {
  let value = 0;
  for (const byte of bytes) {
    if (byte < 48 || byte > 57) return null;
    value = value * 10 + byte - 48;
  }
  return bytes.length > 0 ? value : null;
}
