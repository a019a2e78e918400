import type { AddressReader } from "../core/address_reader.ts";
import { type Bytes, makeBytes } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { Stamp } from "../core/stamp.ts";
import type { Automaton } from "./automaton.ts";

/** A message's statement about a session or connection, beside its fields. */
export const [NOTHING, LOGIN, END, NO_ACTIVITY] = [0, 1, 2, 3] as const;

/**
 * `LOGIN`: somebody has logged in; the fields `user`, `port` and `login` tell who, from where and
 * how. `END`: the connection from this address and `port` has ended; without a port, the connection
 * that the writing process served. `NO_ACTIVITY`: the service writes without activity of the
 * client, as after a timeout.
 */
export type Says = typeof NOTHING | typeof LOGIN | typeof END | typeof NO_ACTIVITY;

/** How a message counts for the rules that it hits. */
export const [EACH, ONCE, NEVER] = [0, 1, 2] as const;

/**
 * `EACH`: it counts. `ONCE`: one attempt of a client makes several such messages; those of an
 * address within ten seconds count once. `NEVER`: it is a hit but does not count, as the address
 * may be a proxy's.
 */
export type Counting = typeof EACH | typeof ONCE | typeof NEVER;

/** Number of the field `message`, the message as it was read. Every message has it. */
export const MESSAGE = 0;

/** `MessageReader.outputSet` of a message that the automaton has not read. */
export const UNSEEN = -1;

/** Where a message was written that may be one line of several that the service wrote at once. */
export interface Place {
  /** Identifies the file, or the program in its unit and container, whose messages they are. */
  readonly stream: object;
  /** For a line of a file: the bytes that hold it. */
  readonly bytes: Bytes;
  /** Where the line begins there, with its head, and where it ends. */
  readonly from: number;
  readonly to: number;
  /** Whether the message was read before, and a later line repeats it. */
  readonly isAgain: boolean;
  /** Tells when a runtime or journald took over the message; NaN or null: nobody surely did. */
  readonly collector: { readonly collected: Micros } | null;
}

/** The place of the current message, one object for all messages of a source. */
export class MessagePlace implements Place {
  stream: object = this;
  bytes: Bytes = makeBytes(0);
  from = 0;
  to = 0;
  isAgain = false;
  collector: Place["collector"] = null;

  set(stream: object, { bytes, from, to }: Pick<Place, "bytes" | "from" | "to">, isAgain = false): void {
    this.stream = stream;
    this.bytes = bytes;
    this.from = from;
    this.to = to;
    this.isAgain = isAgain;
  }
}

/**
 * Reads messages of one service. The reader holds the values of a message until the next `read()`:
 * no object is made for a message.
 */
export interface MessageReader {
  /** Names of fields by their numbers; the first is `message`. */
  readonly fields: readonly string[];
  /**
   * Reads the message `bytes[from, to)` of the process `pid`, by default unknown. Returns false for
   * a message that has none of the service's known forms.
   *
   * @param place of the message; null, the default: it is surely all that the service wrote at once
   */
  read(bytes: Bytes, from: number, to: number, pid?: number, place?: Place | null): boolean;
  /** 1 for each byte that may begin a message; other messages need not be read. Default: all. */
  readonly firstBytes?: Uint8Array | undefined;
  /** Whether a stranger's text may begin a message: it would swallow the head of a line. */
  readonly isOpen?: boolean | undefined;
  /** The address that the message names; `isAddress` is false if it names none or is ambiguous. */
  readonly address: AddressReader;
  /**
   * Where each field begins and ends in `bytesOf(field)`. Call that first: it may decode the field
   * and move both. `from[field]` is below 0 for a field that the message does not have; that is
   * known before the call.
   */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /**
   * Returns the bytes that hold the value of a field: those of the message, or decoded ones. Good
   * until `read()`.
   */
  bytesOf(field: number): Bytes;
  /**
   * Field of which the form's `parts` are parts: messages with the same value have the same parts.
   * Below 0, or missing: this message has none.
   */
  readonly whole?: number;
  /** Number in the field `status`, written without leading zeros; 0 if there is none. */
  readonly status: number;
  readonly says: Says;
  readonly counting: Counting;
  /** Instant that the message itself tells; NaN if none. */
  readonly time: Micros;
  /** Time that the message itself tells without a year or a zone; null if none. */
  readonly stamp: Stamp | null;
  /** Set of the automaton's outputs for the message; `UNSEEN`: it has not read the message. */
  readonly outputSet: number;
}

/** The messages of one service as a configuration describes them. */
export interface MessageForm {
  /** Names of the fields that its messages may have; the first is `message`. */
  readonly fields: readonly string[];
  /** Names of the fields that are parts of a reader's `whole`. */
  readonly parts?: readonly string[] | undefined;
  /** Literals of its messages, to be symbols of the automaton; empty if that would not help. */
  readonly literals: readonly Uint8Array[];
  /**
   * Makes a reader. `automaton` returns the one that has the literals of this form as its symbols; a
   * form without literals leaves it to the first event to ask for it.
   */
  open(automaton: () => Automaton): MessageReader;
  /** Reports whether a message may begin with `text`; missing: nobody knows. */
  mayBegin?(text: string): boolean;
  /** Returns probable mistakes that are allowed, a sentence each. */
  warnings?(): readonly string[];
}
