import type { TextReading } from "../../lib/reading/text_reader.ts";
import { readVariables } from "./variables.ts";

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

/** What an injected second value would decide about. */
const DECISIVE = ["remote_addr", "http_x_forwarded_for", "status"];

/**
 * What an access log in JSON says; null where the line is none. Where what decides about an address stands in it twice, nobody
 * is named: without `escape=json` a client could have written one of them.
 */
export function parseJson(line: string): TextReading | null {
  // nginx's own escaping is no JSON.
  const texts = [line, line.replace(/\\x([0-9A-Fa-f][0-9A-Fa-f])/g, "\\u00$1")];
  const text = texts.find((text) => parseObject(text) !== null);
  if (text === undefined) return null;
  const variables = variablesOf(parseObject(text)!);
  if (variables.remote_addr === undefined) return null;
  const parsed = readVariables(variables);
  return isSingle(text) ? parsed : { ...parsed, address: null };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : null;
  } catch {
    return null;
  }
}

/** The variables of nginx that an object holds: under their own names first, then under others. */
function variablesOf(object: Record<string, unknown>): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "string" && typeof value !== "number") continue;
    const name = nameOf(key);
    if (Object.hasOwn(variables, name) && name !== key) continue;
    // What was escaped for JSON is not to be undone twice.
    variables[name] = String(value).replaceAll("\\", "\\\\");
  }
  return variables;
}

function nameOf(key: string): string {
  return Object.hasOwn(SYNONYMS, key) ? SYNONYMS[key]! : key;
}

/** Whether no decisive variable has two keys, however these are spelled. */
function isSingle(text: string): boolean {
  const keys = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?=\s*:)/g)].map(([key]) =>
    nameOf(String(JSON.parse(key)))
  );
  return DECISIVE.every((name) => keys.indexOf(name) === keys.lastIndexOf(name));
}
