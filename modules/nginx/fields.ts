import { fieldNames } from "../../lib/reading/text_reader.ts";

/** Names of the fields in lines of known formats and of the error log, by their numbers. */
export const NAMES = fieldNames([
  "method",
  "target",
  "path",
  "query",
  "raw_path",
  "raw_query",
  "protocol",
  "status",
  "user_agent",
  "referer",
  "user",
  "host",
  "forwarded_for",
  "bytes",
  "request",
  "level",
  "text",
  "server",
  "upstream",
]);

const numberOf = (name: string) => NAMES.indexOf(name);

/** Numbers of the fields that are read by their positions. */
export const [METHOD, TARGET, PATH, QUERY, RAW_PATH, RAW_QUERY, PROTOCOL, REQUEST] = [
  numberOf("method"),
  numberOf("target"),
  numberOf("path"),
  numberOf("query"),
  numberOf("raw_path"),
  numberOf("raw_query"),
  numberOf("protocol"),
  numberOf("request"),
] as const;
export const [USER, STATUS, SIZE, REFERER, USER_AGENT, FORWARDED_FOR, TEXT] = [
  numberOf("user"),
  numberOf("status"),
  numberOf("bytes"),
  numberOf("referer"),
  numberOf("user_agent"),
  numberOf("forwarded_for"),
  numberOf("text"),
] as const;
