import { UNITS } from "../../core/program.ts";
import { decode, encode, grown } from "../../core/bytes.ts";
import type { Micros } from "../../core/time.ts";
import { RecordBuffer } from "../../core/record_buffer.ts";
import type { Start } from "../source.ts";
import { hashMark, isSameEntry } from "./cursor.ts";

const OWN_IDENTIFIER = "strongmonitor";
const OWN_UNITS: ReadonlySet<string> = new Set(UNITS.map((unit) => `${unit}.service`));

/** Records of entries, with the place of each in the journal. */
export class JournalRecords extends RecordBuffer {
  cursorFrom = new Int32Array(this.from.length);
  cursorTo = new Int32Array(this.from.length);

  cursor(i: number): string {
    return decode(this.bytes, this.cursorFrom[i]!, this.cursorTo[i]!);
  }

  /** Returns a number for the entry of record `i`, the same for copies in other files. */
  mark(i: number): number {
    return this.times[i]! + this.hash(i);
  }

  /** Returns the end of the hash in the cursor of record `i`. */
  hash(i: number): number {
    return hashMark(this.bytes, this.cursorFrom[i]!, this.cursorTo[i]!);
  }

  /** Adds a copy of record `i` of others, which outlives them. */
  copy(others: JournalRecords, i: number): void {
    const from = this.end;
    this.put(others.bytes.array.subarray(others.from[i]!, others.to[i]!));
    const to = this.end;
    this.put(others.bytes.array.subarray(others.cursorFrom[i]!, others.cursorTo[i]!));
    const copy = this.length;
    const origin = this.origins.push(others.origins[others.origin[i]!]!) - 1;
    this.add({ from, to, isASCII: true, most: Infinity }, {
      origin,
      time: others.times[i]!,
      pid: others.pids[i]!,
    });
    this.cursorFrom[copy] = to;
    this.cursorTo[copy] = this.end;
  }

  protected override move(i: number, to: number): void {
    super.move(i, to);
    this.cursorFrom[to] = this.cursorFrom[i]!;
    this.cursorTo[to] = this.cursorTo[i]!;
  }

  protected override growColumns(): void {
    super.growColumns();
    this.cursorFrom = grown(this.cursorFrom);
    this.cursorTo = grown(this.cursorTo);
  }
}

/**
 * Drops records that are not new: entries up to the position, this program's own, and entries that
 * a clock set back made too old.
 */
export class NewRecords {
  readonly #after: string | null;
  /** Hash of the cursor `#after`: cursors with other hashes need no comparison. */
  readonly #hash: number;
  readonly #since: Micros;

  constructor({ after, since }: Start) {
    this.#after = after;
    const { bytes, end } = encode(after ?? "");
    this.#hash = hashMark(bytes, 0, end);
    this.#since = since;
  }

  drop(records: JournalRecords): void {
    const isOwn = records.origins.map(({ identifier, sender }) =>
      identifier === OWN_IDENTIFIER || OWN_UNITS.has(sender.unit)
    );
    records.keep((i) => !isOwn[records.origin[i]!] && this.#isNew(records, i));
  }

  #isNew(records: JournalRecords, i: number): boolean {
    if (this.#after === null) return records.times[i]! >= this.#since;
    return records.hash(i) !== this.#hash || !isSameEntry(records.cursor(i), this.#after);
  }
}
