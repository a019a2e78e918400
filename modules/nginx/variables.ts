import { canonicalAddress } from "../../lib/core/address.ts";
import type { Stamp } from "../../lib/core/stamp.ts";
import { readClfTime, readTime } from "../../lib/core/timestamp.ts";
import type { TextReading } from "../../lib/reading/text_reader.ts";
import { addRequest, addTarget, unescapeText } from "./text.ts";

/** Fields whose names differ from their variables of nginx. */
const FIELDS: Readonly<Record<string, string>> = {
  remote_user: "user",
  body_bytes_sent: "bytes",
  bytes_sent: "bytes",
  http_referer: "referer",
  http_user_agent: "user_agent",
  http_x_forwarded_for: "forwarded_for",
  http_host: "host",
  request_method: "method",
  server_protocol: "protocol",
  server_name: "server",
};
const TIMES = ["time_local", "time_iso8601", "msec"];

/** Reads a time in any form of nginx, or in milliseconds since the epoch. */
function stampOf(text: string): Stamp | undefined {
  return (readClfTime(text) ?? readTime(text))?.stamp;
}

/** Reports whether a variable of nginx becomes one field; address, times and targets do not. */
export function isField(variable: string): boolean {
  return variable !== "remote_addr" && variable !== "request_uri" && !TIMES.includes(variable);
}

/** Returns the name of the field that a variable of nginx becomes. */
export function fieldOf(variable: string): string {
  return FIELDS[variable] ?? variable;
}

/**
 * Reads `variables` of nginx as a line of an access log has them.
 *
 * @param plain removes the escapes of a value
 */
export function readVariables(
  variables: Readonly<Record<string, string | undefined>>,
  plain = unescapeText,
): TextReading {
  const fields: Record<string, string> = {};
  let stamp: Stamp | undefined;
  for (const name in variables) {
    const value = variables[name];
    if (value === undefined || value === "-" || name === "remote_addr") continue;
    if (TIMES.includes(name)) stamp ??= stampOf(value);
    else if (name !== "request_uri" && name !== "request") fields[fieldOf(name)] = plain(value);
  }
  const { request = "-" } = variables;
  if (request !== "-") addRequest(fields, plain(request));
  else addParts(fields, variables, plain);
  return { address: canonicalAddress(variables.remote_addr ?? ""), fields, stamp };
}

/**
 * Adds the target of a request to `fields`, and the request line that it makes with the method.
 * nginx has decoded `$uri` already.
 */
function addParts(
  fields: Record<string, string>,
  { request_uri: given = "-", uri = "-", args = "-", query_string: query = args }: Readonly<
    Record<string, string | undefined>
  >,
  plain: (text: string) => string,
): void {
  const path = given === "-" ? plain(uri).replace(/[%?#]/g, encodeURIComponent) : plain(given);
  if (path === "-") return;
  const isWhole = query === "-" || query === "" || path.includes("?");
  addTarget(fields, isWhole ? path : `${path}?${plain(query)}`);
  const { method, raw_path, raw_query, protocol } = fields;
  if (method === undefined) return;
  const target = raw_query === undefined ? raw_path : `${raw_path}?${raw_query}`;
  fields.request = `${method} ${target}${protocol === undefined ? "" : ` ${protocol}`}`;
}
