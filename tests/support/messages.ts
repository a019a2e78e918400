import { addressOf } from "../../lib/core/address_text.ts";
import { decode, encode } from "../../lib/core/bytes.ts";
import { Automaton } from "../../lib/reading/automaton.ts";
import {
  MESSAGE,
  type MessageForm,
  type MessageReader,
  type Says,
} from "../../lib/reading/message_reader.ts";
import type { ModuleOptions } from "../../lib/reading/module.ts";
import type { Micros } from "../../lib/core/time.ts";
import type { Stamp } from "../../lib/core/stamp.ts";

/** Options of a module that a configuration gives none. */
export const NO_OPTIONS: ModuleOptions = { logFormats: [], trustedProxies: [], patterns: [], unsafe: false };

/** A reader's findings in a message, as strings. */
export interface ReadMessage {
  readonly address: string | null;
  /** All fields but `message`. */
  readonly fields: Readonly<Record<string, string>>;
  readonly says: Says;
  /** 0: none. */
  readonly status: number;
  /** Null: the message has no time. */
  readonly time: Micros | null;
  readonly stamp: Stamp | null;
}

/** Bytes behind a message, which a reader must not read as part of it. */
const BEHIND = '" 1:2.3a';

/** Makes a reader of `form` with an automaton of only the form's literals. */
export function openForm(form: MessageForm): MessageReader {
  return form.open(() => new Automaton([{ texts: [], ignoreCase: false }], form.literals));
}

/** Makes a function that reads a text by `form`; null: the form does not know the message. */
export function messageParser(form: MessageForm): (text: string) => ReadMessage | null {
  const reader = openForm(form);
  return (text) => readMessage(reader, text);
}

/** Returns the findings of `reader` in a text between other texts. */
export function readMessage(reader: MessageReader, text: string): ReadMessage | null {
  const { bytes, end } = encode(`\n${text}\n${BEHIND}`);
  const [from, to] = [1, end - BEHIND.length - 1];
  bytes.logged = to;
  if (!reader.read(bytes, from, to)) return null;
  const entries = reader.fields.flatMap((name, field) => {
    if (reader.from[field]! < 0) return [];
    const bytes = reader.bytesOf(field);
    return [[name, decode(bytes, reader.from[field]!, reader.to[field]!)] as const];
  });
  const { message, ...fields } = Object.fromEntries(entries);
  if (reader.fields[MESSAGE] !== "message" || message !== decode(bytes, from, to)) {
    throw new Error("field 0 is not the message as it was read");
  }
  const { says, status, time, stamp } = reader;
  return {
    address: addressOf(reader.address),
    fields,
    says,
    status,
    time: Number.isNaN(time) ? null : time,
    stamp,
  };
}
