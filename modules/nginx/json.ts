import { tried } from "../../lib/core/error.ts";
import { timeOfLine } from "../../lib/reading/line_time.ts";
import type { TextReading } from "../../lib/reading/text_reader.ts";
import { readVariables } from "./variables.ts";

/** Other names that formats often use for variables of nginx. */
const SYNONYMS: Readonly<Record<string, string>> = {
  client_ip: "remote_addr",
  remote_ip: "remote_addr",
  clientip: "remote_addr",
  remote_host: "remote_addr",
  user_agent: "http_user_agent",
  ua: "http_user_agent",
  agent: "http_user_agent",
  referer: "http_referer",
  referrer: "http_referer",
  http_referrer: "http_referer",
  x_forwarded_for: "http_x_forwarded_for",
  x_forward_for: "http_x_forwarded_for",
  xff: "http_x_forwarded_for",
  method: "request_method",
  vhost: "host",
  uri: "request_uri",
  url: "request_uri",
  path: "request_uri",
  query: "args",
  request_query: "args",
  user: "remote_user",
  bytes: "body_bytes_sent",
  time: "time_iso8601",
  timestamp: "time_iso8601",
  "@timestamp": "time_iso8601",
  protocol: "server_protocol",
  request_proto: "server_protocol",
};

/** Reports whether a line looks like a JSON object. */
export function isJson(line: string): boolean {
  return line.startsWith("{");
}

/** Variables that decide the named address and the hit rules. */
const DECISIVE = ["remote_addr", "http_x_forwarded_for", "status"];

/**
 * Reads a line of an access log in JSON; null for any other line. Names nobody if it has a decisive
 * variable twice: without `escape=json` a client could have written one of them.
 */
export function parseJson(line: string): TextReading | null {
  const plain = tried(() => JSON.parse(line));
  // Without `escape=json` nginx writes `\x22`, which is not JSON.
  const text = plain === null ? line.replace(/\\x([0-9A-Fa-f][0-9A-Fa-f])/g, "\\u00$1") : line;
  const object = plain ?? tried(() => JSON.parse(text));
  if (object === null) return null;
  const variables = variablesOf(object);
  if (variables.remote_addr === undefined) return null;
  const parsed = readVariables(variables);
  const { address, stamp = timeOfLine(text) ?? undefined } = parsed;
  return { ...parsed, address: isSingle(text) ? address : null, stamp };
}

/** Returns nginx's variables in an object. A variable's own name wins over its synonyms. */
function variablesOf(object: Record<string, unknown>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const name = nameOf(key);
    if (Object.hasOwn(variables, name) && name !== key) continue;
    // `readVariables()` removes escapes; JSON.parse() has removed these already.
    variables[name] = String(value).replaceAll("\\", "\\\\");
  }
  return variables;
}

function nameOf(key: string): string {
  return Object.hasOwn(SYNONYMS, key) ? SYNONYMS[key]! : key;
}

/**
 * A string, whether a key or a value: in a value that was passed over, the search for the next key
 * would begin anew at each escaped quote, and a client may send 8 KB of these. The group matches
 * behind a key.
 */
const STRING = /"(?:[^"\\]|\\.)*"(?=(\s*:)?)/g;

/** Reports whether each decisive variable has at most one key, with synonyms and escapes. */
function isSingle(text: string): boolean {
  const keys = [...text.matchAll(STRING)].flatMap(([string, colon]) =>
    colon === undefined ? [] : nameOf(String(JSON.parse(string)))
  );
  return DECISIVE.every((name) => keys.indexOf(name) === keys.lastIndexOf(name));
}
