import type { Parsed } from "../lib/types.ts";
import { readVariables } from "./nginx_variables.ts";

/** Keys that stand for variables of nginx where a format calls them otherwise. */
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
  x_forwarded_for: "http_x_forwarded_for",
  xff: "http_x_forwarded_for",
  method: "request_method",
  uri: "request_uri",
  url: "request_uri",
  path: "request_uri",
  user: "remote_user",
  bytes: "body_bytes_sent",
  time: "time_iso8601",
  timestamp: "time_iso8601",
  "@timestamp": "time_iso8601",
  protocol: "server_protocol",
};

/** Whether a line looks like an object of JSON. */
export function isJson(line: string): boolean {
  return line.startsWith("{");
}

/**
 * What an access log in JSON says; null where the line is none. An address that stands in it twice names nobody: without
 * `escape=json` a client could have written one of them.
 */
export function parseJson(line: string): Parsed | null {
  const object = parseObject(line);
  if (object === null) return null;
  const variables: Record<string, string> = {};
  let given: string | null = null;
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const name = SYNONYMS[key] ?? key;
    if (name in variables && name !== key) continue;
    // What nginx would escape again is not to be undone twice.
    variables[name] = String(value).replaceAll("\\", "\\\\");
    if (name === "remote_addr") given = key;
  }
  if (variables.time_iso8601 && /^\d+(?:\.\d+)?$/.test(variables.time_iso8601)) {
    variables.msec ??= variables.time_iso8601;
    delete variables.time_iso8601;
  }
  if (given === null) return null;
  const parsed = readVariables(variables);
  return isGivenOnce(line, given) ? parsed : { ...parsed, address: null };
}

function parseObject(line: string): Record<string, unknown> | null {
  // nginx's own escaping is no JSON.
  for (const text of [line, line.replace(/\\x([0-9A-Fa-f][0-9A-Fa-f])/g, "\\u00$1")]) {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === "object" && value !== null && !Array.isArray(value)
        ? value as Record<string, unknown>
        : null;
    } catch {
      // The other one, or none.
    }
  }
  return null;
}

function isGivenOnce(line: string, key: string): boolean {
  const places = line.match(new RegExp(`[{,]\\s*"${key.replace(/\W/g, "\\$&")}"\\s*:`, "g")) ?? [];
  return places.length === 1;
}
