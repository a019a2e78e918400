import { detached } from "../../core/text.ts";
import { MAX_FIELD, Text } from "./export_text.ts";
import { type Entry, MAX_MESSAGE, type Sender } from "../../core/entry.ts";
import type { Micros } from "../../core/time.ts";

/** An entry with its cursor: its place in the journal. */
export interface JournalEntry extends Entry {
  readonly cursor: string;
}

const NEWLINE = 0x0a;
const NOTHING = new Uint8Array();

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
  readonly #draft = new Draft();
  #cursor: string | null = null;
  #damaged = 0;

  /** Cursor of the last entry that ended, a dropped one included; null before the first. */
  get cursor(): string | null {
    // A copy: the slice would keep its whole chunk alive.
    return this.#cursor === null ? null : detached(this.#cursor);
  }

  /** How many entries so far were dropped, or had their message cut to `MAX_MESSAGE`. */
  get damaged(): number {
    return this.#damaged;
  }

  /** The entries that `chunk` completes, in order. */
  push(chunk: Uint8Array): JournalEntry[] {
    const text = new Text(concat(this.#rest, this.#skip(chunk)));
    const entries: JournalEntry[] = [];
    for (; text.look() && text.end <= text.length; text.pass()) {
      if (text.isEnd) this.#finish(entries);
      else this.#draft.set(text);
    }
    this.#keep(text);
    return entries;
  }

  #finish(entries: JournalEntry[]): void {
    const { cursor, cut } = this.#draft;
    const entry = this.#draft.take();
    this.#cursor = cursor ?? this.#cursor;
    if (entry !== null) entries.push(entry);
    if (entry === null || cut) this.#damaged++;
  }

  /** Keeps an unfinished field for the next chunk; of one that is too long, takes what there is and skips the rest. */
  #keep(text: Text): void {
    const rest = text.bytes.subarray(text.start);
    if (rest.length <= MAX_FIELD) {
      this.#rest = rest.slice();
      return;
    }
    this.#rest = NOTHING;
    if (!text.look()) text.lookAtOpenLine();
    this.#draft.set(text);
    if (text.end === Infinity) this.#skipLine = true;
    else this.#skipBytes = text.end - text.length;
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

/** An entry in the making, and what it most probably has in common with the one before. */
class Draft {
  cursor: string | null = null;
  cut = false;
  #time: Micros | null = null;
  #identifier: string | null = null;
  #pid: number | null = null;
  #uid: number | null = null;
  #unit: string | null = null;
  #message: string | null = null;
  #lastIdentifier = "";
  #lastSender: Sender = { uid: null, unit: "" };

  /** Takes the field that a text looks at. */
  set(text: Text): void {
    switch (text.name) {
      case "__CURSOR":
        this.cursor ??= text.value();
        break;
      case "__REALTIME_TIMESTAMP":
        this.#time ??= text.number();
        break;
      case "SYSLOG_IDENTIFIER":
        this.#identifier ??= text.value();
        break;
      case "_PID":
        this.#pid ??= text.number();
        break;
      case "_UID":
        this.#uid ??= text.number();
        break;
      case "_SYSTEMD_UNIT":
        this.#unit ??= text.value();
        break;
      case "MESSAGE":
        this.#message ??= this.#cutToSize(text.value());
    }
  }

  #cutToSize(message: string): string {
    if (message.length <= MAX_MESSAGE) return message;
    this.cut = true;
    // The cut may have parted a surrogate pair.
    return message.slice(0, MAX_MESSAGE).toWellFormed();
  }

  /** The entry, or null when it lacks what every entry must have; another one begins. */
  take(): JournalEntry | null {
    const { cursor } = this;
    const [time, message] = [this.#time, this.#message];
    const entry = message === null || time === null || cursor === null ? null : {
      time,
      identifier: this.#takeIdentifier(),
      pid: this.#pid,
      message,
      sender: this.#takeSender(),
      cursor,
    };
    this.cursor =
      this.#time =
      this.#identifier =
      this.#pid =
      this.#uid =
      this.#unit =
      this.#message =
        null;
    this.cut = false;
    return entry;
  }

  #takeIdentifier(): string {
    const identifier = this.#identifier ?? "";
    if (identifier !== this.#lastIdentifier) this.#lastIdentifier = detached(identifier);
    return this.#lastIdentifier;
  }

  #takeSender(): Sender {
    const [uid, unit] = [this.#uid, this.#unit ?? ""];
    const last = this.#lastSender;
    if (uid !== last.uid || unit !== last.unit) this.#lastSender = { uid, unit: detached(unit) };
    return this.#lastSender;
  }
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array {
  if (head.length === 0) return tail;
  const joined = new Uint8Array(head.length + tail.length);
  joined.set(head);
  joined.set(tail, head.length);
  return joined;
}

/**
 * Whether two cursors name the same entry. One that was copied to another file (`journalctl --flush`) has a new
 * number, behind `s=` and `i=`, but the same boot, times and hash.
 */
export function isSameEntry(a: string, b: string): boolean {
  const [boot, fileOfB] = [b.indexOf(";b="), b.slice(0, b.indexOf(";"))];
  return a === b || (boot > 0 && a.endsWith(b.slice(boot)) && !a.startsWith(fileOfB));
}
