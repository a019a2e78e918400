/** Records as objects, for tests that make or read them. */
import { decode, encode } from "../../lib/core/bytes.ts";
import { LINE, NO_PID, type Records, type Sender } from "../../lib/core/records.ts";
import type { Micros } from "../../lib/core/time.ts";
import { RecordBuffer } from "../../lib/core/record_buffer.ts";

const encoder = new TextEncoder();

/** One record. */
export interface Entry {
  readonly time: Micros;
  /** Null: a line of text. */
  readonly identifier: string | null;
  readonly pid: number | null;
  readonly message: string;
  /** Null: a line of text. */
  readonly sender: Sender | null;
}

/** Returns the records as objects that outlive them. */
export function entriesOf(records: Records): Entry[] {
  return Array.from({ length: records.length }, (_, i) => {
    const origin = records.origins[records.origin[i]!];
    return {
      time: records.times[i]!,
      identifier: origin?.identifier ?? null,
      pid: records.pids[i] === NO_PID ? null : records.pids[i]!,
      message: decode(records.bytes, records.from[i]!, records.to[i]!),
      sender: origin?.sender ?? null,
    };
  });
}

/** Returns records of these entries, which keep each entry whole. */
export function recordsOf(entries: readonly Entry[]): Records {
  const buffer = new RecordBuffer(0);
  for (const { time, identifier, pid, message, sender } of entries) {
    const { bytes, end } = encode(message);
    const from = buffer.end;
    buffer.put(bytes.array.subarray(0, end));
    const origin = identifier === null
      ? LINE
      : buffer.origins.push({ identifier, sender: sender ?? { uid: null, unit: "" } }) - 1;
    const to = buffer.end;
    if (origin === LINE) {
      buffer.put(encoder.encode("\n"));
      buffer.bytes.logged = buffer.end;
    }
    const range = { from, to, isASCII: true, most: Infinity };
    buffer.add(range, { origin, time, pid: pid ?? NO_PID });
  }
  return buffer;
}

/** Returns records of lines of text that were read at `time`. */
export function linesAt(time: Micros, ...lines: readonly string[]): Records {
  return recordsOf(lines.map((message) => ({ time, identifier: null, pid: null, message, sender: null })));
}
