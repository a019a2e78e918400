/** Finds logins and ends of connections in lines. In: an event. Out: a `LoginChange`, or null. */
import { addressOf } from "../core/address_text.ts";
import { NO_PID } from "../core/records.ts";
import type { Micros } from "../core/time.ts";
import type { LogEvent } from "../reading/event.ts";
import { fieldNumber, fieldText } from "../reading/field_text.ts";
import { END, LOGIN } from "../reading/message_reader.ts";

/** A connection on which somebody has logged in. */
export interface Session {
  /** Canonical. */
  readonly address: string;
  /** Port of the client; 0: the service does not tell. */
  readonly port: number;
  /** Process that serves the connection. */
  readonly pid: number | null;
  /** Start. */
  readonly time: Micros;
}

/** A successful login. */
export interface Login {
  /** Canonical. */
  readonly address: string;
  /** Method in the service's word: `publickey`, `password`… */
  readonly method: string;
  readonly user: string;
  readonly time: Micros;
}

/** Somebody has logged in, or a connection has ended. */
export type LoginChange =
  | { readonly kind: "opened" } & Login & Session
  | { readonly kind: "closed"; readonly end: SessionEnd };

/** The session that ended, by address and port, or by process if the line has no address. */
export type SessionEnd =
  | Pick<Session, "address" | "port" | "time">
  | { readonly address: null; readonly pid: number; readonly time: Micros };

/**
 * Returns the login or end of a connection that an event tells of. Null: none, not whose, or any
 * local user could have forged it.
 */
export function loginChange({ reader, pid, time, isTrusted }: LogEvent): LoginChange | null {
  if (!isTrusted || (reader.says !== LOGIN && reader.says !== END)) return null;
  const address = addressOf(reader.address);
  if (address === null) {
    const isEnd = reader.says === END && pid !== NO_PID;
    return isEnd ? { kind: "closed", end: { address, pid, time } } : null;
  }
  const port = fieldNumber(reader, "port");
  if (reader.says === END) return { kind: "closed", end: { address, port, time } };
  return {
    kind: "opened",
    address,
    port,
    time,
    pid: pid === NO_PID ? null : pid,
    user: fieldText(reader, "user") ?? "",
    method: fieldText(reader, "login") ?? "",
  };
}
