import { AddressReader } from "../core/address_reader.ts";
import { type Bytes, decode, encode, makeBytes } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { Stamp } from "../core/stamp.ts";
import {
  type Counting,
  EACH,
  END,
  LOGIN,
  MESSAGE,
  type MessageForm,
  type MessageReader,
  NOTHING,
  type Place,
  type Says,
  UNSEEN,
} from "./message_reader.ts";

/** Parts of a message that a parser found in its text. */
export interface TextReading {
  /**
   * The address, from where the service itself writes it; null if the message names nobody or is
   * ambiguous.
   */
  readonly address: string | null;
  /** Values of fields by their names. */
  readonly fields: Readonly<Record<string, string>>;
  /** Time that the message itself tells. */
  readonly stamp?: Stamp | null | undefined;
}

/** Reads the text of a message; null if it has none of the service's known forms. */
export type TextParser = (message: string) => TextReading | null;

/** The parts of a message just read that tell its client. */
export type ReadMessage = Pick<MessageReader, "address" | "from" | "to" | "bytesOf">;

/**
 * Changes the address of a message, which may be a proxy's or of a stranger's choice, to that of
 * the client.
 */
export type NameClient = (message: ReadMessage, place: Place | null) => void;

/** Describes messages that are read as text. */
export interface TextFormOptions {
  /** Names of the fields that the parser may return. */
  readonly fields: readonly string[];
  readonly parse: TextParser;
  /**
   * Whether the parser may understand `bytes[from, to)`; other messages are not decoded. Default:
   * it may understand any.
   */
  readonly isPossible?: (bytes: Bytes, from: number, to: number) => boolean;
  /** See `MessageReader`. */
  readonly firstBytes?: Uint8Array;
  readonly isOpen?: boolean;
  /** See `MessageForm`. */
  readonly warnings?: () => readonly string[];
  /** Returns how the last message read counts; the default is `EACH`. */
  readonly countingOf?: (reader: Omit<MessageReader, "counting">) => Counting;
  /** Called for each message that is read; the default changes nothing. */
  readonly nameClient?: NameClient | undefined;
}

/** Messages without a faster reader: they are decoded and read by regular expressions. */
export class TextForm implements MessageForm {
  readonly fields: readonly string[];
  readonly literals: readonly Uint8Array[] = [];
  readonly #options: TextFormOptions;

  constructor(options: TextFormOptions) {
    this.#options = options;
    this.fields = fieldNames(options.fields);
  }

  open(): TextReader {
    return new TextReader(this.#options);
  }

  warnings(): readonly string[] {
    return this.#options.warnings?.() ?? [];
  }
}

/** Returns the names of fields by their numbers, `message` first. */
export function fieldNames(names: readonly string[]): string[] {
  return [...new Set(["message", ...names])];
}

/** Address and ranges of fields that one or several readers fill. */
export interface Findings {
  readonly address: AddressReader;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** Makes findings for `count` fields. */
export function makeFindings(count: number): Findings {
  return { address: new AddressReader(), from: new Int32Array(count), to: new Int32Array(count) };
}

const STATUS = /^[1-9]\d{0,8}$/;

/**
 * Reads messages with a parser that works on text. A message is decoded once; the value of a field
 * is encoded on demand.
 */
export class TextReader implements MessageReader {
  readonly fields: readonly string[];
  readonly address: AddressReader;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly time: Micros = NaN;
  readonly outputSet = UNSEEN;
  status = 0;
  says: Says = NOTHING;
  stamp: Stamp | null = null;
  readonly #options: TextFormOptions;
  readonly #numbers: ReadonlyMap<string, number>;
  #message: Bytes = makeBytes(0);
  #values: Readonly<Record<string, string>> = {};
  /** Values of fields in bytes, by the fields' numbers. */
  readonly #encoded: Bytes[] = [];

  /** @param findings shared by several readers of the same message */
  constructor(options: TextFormOptions, findings?: Findings) {
    this.#options = options;
    this.fields = fieldNames(options.fields);
    this.#numbers = new Map(this.fields.map((name, number) => [name, number]));
    const { address, from, to } = findings ?? makeFindings(this.fields.length);
    this.address = address;
    this.from = from;
    this.to = to;
  }

  read(bytes: Bytes, from: number, to: number, _pid?: number, place: Place | null = null): boolean {
    const { isPossible, parse } = this.#options;
    this.address.clear();
    if (isPossible?.(bytes, from, to) === false) return false;
    const reading = parse(decode(bytes, from, to));
    if (reading === null) return false;
    this.#message = bytes;
    this.from.fill(-1);
    this.from[MESSAGE] = from;
    this.to[MESSAGE] = to;
    if (reading.address !== null) this.address.readText(reading.address);
    this.stamp = reading.stamp ?? null;
    this.#take(reading.fields);
    this.#options.nameClient?.(this, place);
    return true;
  }

  #take(values: TextReading["fields"]): void {
    this.#values = values;
    this.#encoded.length = 0;
    for (const name in values) {
      const number = this.#numbers.get(name);
      if (number !== undefined && number !== MESSAGE) this.from[number] = this.to[number] = 0;
    }
    const { status, login, logout } = values;
    this.status = status !== undefined && STATUS.test(status) ? Number(status) : 0;
    this.says = login !== undefined ? LOGIN : logout !== undefined ? END : NOTHING;
  }

  get firstBytes(): Uint8Array | undefined {
    return this.#options.firstBytes;
  }

  get isOpen(): boolean | undefined {
    return this.#options.isOpen;
  }

  get counting(): Counting {
    return this.#options.countingOf?.(this) ?? EACH;
  }

  bytesOf(field: number): Bytes {
    if (field === MESSAGE) return this.#message;
    return this.#encoded[field] ??= this.#encode(field);
  }

  #encode(field: number): Bytes {
    const { bytes, end } = encode(this.#values[this.fields[field]!] ?? "");
    if (this.from[field]! >= 0) this.to[field] = end;
    return bytes;
  }
}
