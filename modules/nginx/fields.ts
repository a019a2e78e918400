import { fieldNames } from "../../lib/reading/text_reader.ts";

/** Parts of a request line. */
const PARTS = ["method", "target", "path", "query", "raw_path", "raw_query", "protocol"];
/** Names of the fields in lines of known formats and of the error log, by their numbers. */
export const NAMES = fieldNames([
  ...PARTS,
  ...["status", "user_agent", "referer", "user", "host", "forwarded_for", "bytes", "request"],
  ...["level", "text", "server", "upstream"],
]);
/** Names of the fields that are parts of a request line, and itself. */
export const REQUEST_PARTS = ["request", ...PARTS];

/** Numbers of the fields that are read by their positions. */
export const METHOD = NAMES.indexOf("method");
export const TARGET = NAMES.indexOf("target");
export const PATH = NAMES.indexOf("path");
export const QUERY = NAMES.indexOf("query");
export const RAW_PATH = NAMES.indexOf("raw_path");
export const RAW_QUERY = NAMES.indexOf("raw_query");
export const PROTOCOL = NAMES.indexOf("protocol");
export const REQUEST = NAMES.indexOf("request");
export const USER = NAMES.indexOf("user");
export const STATUS = NAMES.indexOf("status");
export const SIZE = NAMES.indexOf("bytes");
export const REFERER = NAMES.indexOf("referer");
export const USER_AGENT = NAMES.indexOf("user_agent");
export const FORWARDED_FOR = NAMES.indexOf("forwarded_for");
export const TEXT = NAMES.indexOf("text");
export const LEVEL = NAMES.indexOf("level");
