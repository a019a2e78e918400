import { strict as assert } from "node:assert";
import { addressOf } from "../../lib/core/address_text.ts";
import { decode, encode } from "../../lib/core/bytes.ts";
import type { Micros } from "../../lib/core/time.ts";
import { ModuleHealth } from "../../lib/reading/health.ts";
import type { ReadableModule } from "../../lib/reading/candidates.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { LINE, NO_PID, type Origin, type Records, type Sender } from "../../lib/core/records.ts";
import { TextForm } from "../../lib/reading/text_reader.ts";
import type { Stamp } from "../../lib/core/stamp.ts";
import { openForm } from "./messages.ts";

/** The present time of records. */
export const NOW = Date.UTC(2026, 5, 1) * 1_000;
/** Names of the modules, by index. */
export const NAMES = ["a", "b", "c"];
/** The file of the lines. */
export const FILE = {};

/**
 * A service that writes `NAME ADDRESS`, with or without a time in UTC before it: `@12 ` is second 12
 * of the 31st of May.
 */
export function service(name: string, place: Partial<ReadableModule>): ReadableModule {
  const pattern = new RegExp(`^(?:@(\\d+) )?${name} (\\S+)$`);
  const parse = (message: string) => {
    if (message === "fail") throw new Error("a fault");
    const match = pattern.exec(message);
    if (!match) return null;
    const stamp = match[1] === undefined ? {} : { stamp: second(Number(match[1])) };
    return { address: match[2]!, fields: {}, ...stamp };
  };
  const reader = openForm(new TextForm({ fields: [], parse }));
  return { index: NAMES.indexOf(name), identifiers: [], units: [], reader, ...place };
}

/** Returns a second of the 31st of May 2026 in UTC. */
export function second(second: number): Stamp {
  return { year: 2026, month: 5, day: 31, hour: 0, minute: 0, second, fraction: 0, offset: 0 };
}

export const A = service("a", { identifiers: ["aa", "shared"] });
export const B = service("b", { identifiers: ["bb", "shared"], units: ["b.service"] });
export const C = service("c", { units: ["c.service", "c@.service"] });

/** Makes an entry of the journal, or with `origin: null` a line. */
export interface Record {
  readonly text: string;
  readonly origin: Origin | null;
  readonly time?: Micros;
  readonly pid?: number;
}

/** Makes a batch of records in one buffer. */
export function batchOf(
  all: readonly Record[],
  { stream = null, written = NaN, isLive = false }: Partial<Pick<Records, "stream" | "written" | "isLive">> =
    {},
): Records {
  const { bytes } = encode(all.map(({ text }) => `${text}\n`).join(""));
  const ends = all.map((_, i) => encode(all.slice(0, i + 1).map(({ text }) => `${text}\n`).join("")).end);
  const origins = [...new Set(all.flatMap(({ origin }) => origin ?? []))];
  return {
    bytes,
    length: all.length,
    from: Int32Array.from(ends, (end, i) => end - encode(all[i]!.text).end - 1),
    to: Int32Array.from(ends, (end) => end - 1),
    origin: Int32Array.from(all, ({ origin }) => origin === null ? LINE : origins.indexOf(origin)),
    origins,
    times: Float64Array.from(all, ({ time = NOW }) => time),
    pids: Int32Array.from(all, ({ pid = NO_PID }) => pid),
    stream,
    written,
    isLive,
  };
}

/** Makes a reader for modules. `report` receives the failing ones. */
export function readerOf(
  modules: readonly ReadableModule[],
  report = (complaint: string) => assert.fail(complaint),
) {
  return new LineReader(modules, new ModuleHealth(NAMES, report));
}

/** Returns the event of each record of a batch, in words; null: it belongs to no module. */
export function readAll(reader: LineReader, all: readonly Record[], now = NOW, stream: object = FILE) {
  const records = batchOf(all, { stream });
  return all.map((_, i) => {
    if (!reader.read(records, i, now)) return null;
    const { module, isUnderstood, bytes, from, to, time, pid, count, isTrusted } = reader.event;
    return {
      name: NAMES[module]!,
      address: isUnderstood ? addressOf(reader.event.reader.address) : null,
      isUnderstood,
      message: decode(bytes, from, to),
      time,
      pid,
      count,
      isTrusted,
    };
  });
}

/** A line of text. */
export const line = (text: string, time = NOW): Record => ({ text, origin: null, time });
/** An entry of the journal. */
export const entry = (text: string, identifier: string, sender: Sender = { uid: 0, unit: "" }): Record => ({
  text,
  origin: { identifier, sender },
  pid: 1,
});
