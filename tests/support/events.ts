import { AddressReader } from "../../lib/core/address_reader.ts";
import { type Bytes, encode } from "../../lib/core/bytes.ts";
import type { LogEvent } from "../../lib/reading/event.ts";
import {
  type Counting,
  EACH,
  type MessageReader,
  NOTHING,
  UNSEEN,
} from "../../lib/reading/message_reader.ts";

/** Content of a made-up event. */
export interface Said {
  /** Index of its module. Default: the first. */
  readonly module?: number;
  readonly address?: string;
  readonly time?: number;
  readonly message?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly isTrusted?: boolean;
  /** Number of times that it was written. Default: 1. */
  readonly count?: number;
  readonly counting?: Counting;
  /** Name of the field that others are parts of. */
  readonly whole?: string;
}

/**
 * Returns an event as a reader of lines makes it, of a module whose messages have `fields`. The
 * first field is `message`.
 */
export function eventOf(said: Said, fields: readonly string[]): LogEvent {
  const { message = "", address = "192.0.2.1", time = 1_000_000_000, module = 0, isTrusted = true } = said;
  const values = [message, ...fields.slice(1).map((name) => said.fields?.[name])];
  const { bytes, end } = encode(message);
  const reader = new AddressReader();
  reader.readText(address);
  return {
    module,
    reader: readerOf(values, {
      fields,
      address: reader,
      status: Number(said.fields?.status ?? 0),
      counting: said.counting ?? EACH,
      whole: said.whole === undefined ? -1 : fields.indexOf(said.whole),
    }),
    isUnderstood: true,
    bytes,
    from: 0,
    to: end,
    time,
    isAhead: false,
    pid: -1,
    count: said.count ?? 1,
    isTrusted,
  };
}

function readerOf(
  values: readonly (string | undefined)[],
  { fields, address, status, counting, whole }: Pick<
    MessageReader,
    "fields" | "address" | "status" | "counting" | "whole"
  >,
): MessageReader {
  // A value begins behind the start of its bytes.
  const all = values.map((value) => value === undefined ? null : encode(`--${value}`));
  return {
    fields,
    address,
    status,
    from: Int32Array.from(all, (value) => value === null ? -1 : 2),
    to: Int32Array.from(all, (value) => value?.end ?? -1),
    bytesOf: (field): Bytes => all[field]!.bytes,
    read: () => true,
    says: NOTHING,
    counting,
    whole,
    time: NaN,
    stamp: null,
    outputSet: UNSEEN,
  };
}

/** Returns a recorded line in the form that the state takes. */
export function lineOf(
  { module, address, time, message }: Required<Pick<Said, "module" | "address" | "time" | "message">>,
) {
  return eventOf({ module, address, time, message }, ["message"]);
}
