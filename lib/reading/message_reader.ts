import type { AddressReader } from "../core/address_reader.ts";
import type { Bytes } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";
import type { Stamp } from "../core/stamp.ts";
import type { Automaton } from "./automaton.ts";

/** What a message says about a session or a connection, beside its fields. */
export const [NOTHING, LOGIN, END, SILENCE] = [0, 1, 2, 3] as const;

/**
 * `LOGIN`: somebody has logged in, and the fields `user`, `port` and `login` tell who, from where
 * and how. `END`: the connection from this address and `port` is over; without a port, the one that
 * the writing process served. `SILENCE`: the service has given up waiting for the client, so that
 * the message is no sign of it.
 */
export type Says = typeof NOTHING | typeof LOGIN | typeof END | typeof SILENCE;

/** How a message counts for the rules that it hits. */
export const [EACH, ONCE, NEVER] = [0, 1, 2] as const;

/**
 * `EACH`: it counts. `ONCE`: one client writes several such messages at once by what is one try;
 * those of an address within ten seconds count once. `NEVER`: it is a hit and counts for nothing,
 * as the address may be that of a proxy.
 */
export type Counting = typeof EACH | typeof ONCE | typeof NEVER;

/** Number of the field `message`, which every message has: the message as it was read. */
export const MESSAGE = 0;

/** `MessageReader.signs` of a message whose signs nobody has looked for yet. */
export const UNSEEN = -1;

/**
 * Reads messages of one service. What a message said stands in the reader until the next call of
 * `read()`: no object is made for a message.
 */
export interface MessageReader {
  /** Names of fields by their numbers; the first is `message`. */
  readonly fields: readonly string[];
  /**
   * Reads the message `bytes[from, to)` of the process `pid`, unknown unless told. Returns false
   * for a message of no form that the service is known to use.
   */
  read(bytes: Bytes, from: number, to: number, pid?: number): boolean;
  /** 1 for each byte that a message may begin with: others need not be read. Without it, any may. */
  readonly firstBytes?: Uint8Array | undefined;
  /** Whom it names; `isAddress` is false where it names nobody or leaves a doubt whom. */
  readonly address: AddressReader;
  /**
   * Where each field begins and ends in `bytesOf(field)`, which is to be called first: it may have
   * to decode the field and then moves both. `from[field]` is below 0 for a field that the message
   * has not; that may be asked before.
   */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /**
   * The bytes that hold the value of a field: those of the message, or what was decoded from it.
   * Good until `read()`.
   */
  bytesOf(field: number): Bytes;
  /** The number that the field `status` is, written without leading zeros; 0 where there is none. */
  readonly status: number;
  readonly says: Says;
  readonly counting: Counting;
  /** When it was, where the message itself tells an instant; otherwise NaN. */
  readonly time: Micros;
  /** When it was, where the message itself tells so without a year or a zone; otherwise null. */
  readonly stamp: Stamp | null;
  /** The set of signs that the automaton has seen in the message; `UNSEEN`: it has still to run over it. */
  readonly signs: number;
}

/** The messages of one service as a configuration describes them. */
export interface MessageForm {
  /** Names of the fields that its messages may have, the first is `message`. */
  readonly fields: readonly string[];
  /** Texts that its messages are made of, to be symbols of the automaton; empty where that would not help. */
  readonly literals: readonly Uint8Array[];
  /** Makes a reader; `automaton` has the literals of this form as its symbols. */
  open(automaton: Automaton): MessageReader;
  /** What is allowed but probably a mistake, a sentence each. */
  warnings?(): readonly string[];
}
