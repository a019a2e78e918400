import { canonicalAddress } from "../../lib/core/address.ts";
import { LEFT_BRACE, LEFT_BRACKET, SPACE } from "../../lib/core/ascii.ts";
import { type Bytes, Literal } from "../../lib/core/bytes.ts";
import { readIsoTime } from "../../lib/core/timestamp.ts";
import type { TextParser, TextReading } from "../../lib/reading/text_reader.ts";
import { beginsRecord, parseErrorLine } from "./error.ts";
import { ADDRESS, compileFormat, type Format, QUOTED, TIME_ISO, TIME_LOCAL } from "./format.ts";
import { isJson, parseJson } from "./json.ts";
import { userIn } from "./user.ts";
import { readVariables } from "./variables.ts";

/** A host by name, or by an IPv6 address in brackets, which a client may ask for. */
const HOST = '[^\\s"\\[\\]]+|\\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]+\\](?::\\d+)?';
/** An IPv4 address: its port can be told from it. */
const IPV4 = "(?:\\d{1,3}\\.){3}\\d{1,3}";

/** Formats of access logs that are read if a configuration names none. */
export const NGINX_FORMATS: Readonly<Record<string, Format>> = {
  // nginx may have cut a line in a very long request. Administrators often append to this format,
  // add the port to an address, or choose the other form of time.
  "combined": {
    pattern: new RegExp(
      `^(?:(?<host>${HOST}) )?(?<remote_addr>${IPV4}|${ADDRESS})(?::\\d+)? - (?<remote_user>.*?) \\[` +
        `(?:(?<time_local>${TIME_LOCAL})|(?<time_iso8601>${TIME_ISO}))\\] ` +
        `"(?<request>${QUOTED})(?:$|" (?<status>\\d{3}) (?<body_bytes_sent>\\d+|-)(?:$| ` +
        `(?:"(?<http_referer>${QUOTED})(?:" "(?<http_user_agent>${QUOTED})(?:" "(?<http_x_forwarded_for>${QUOTED}))?)?)?))`,
      "s",
    ),
    variables: [],
    userIn,
  },
  // Its own name for the server that it asks is $server.
  "proxy manager": compileFormat(
    '[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" ' +
      '[Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $upstream] "$http_user_agent" "$http_referer"',
  ),
  "proxy manager, not passed on": compileFormat(
    '[$time_local] $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] ' +
      '[Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"',
  ),
  "proxy manager plus": compileFormat(
    '[$time_local] $host $remote_addr $request_time "$request" $status $bytes_sent $request_length $http_referer $http_user_agent',
  ),
};

const ADDRESS_IN_USER = new RegExp(`(?:^| )(${IPV4}|${ADDRESS})(?::\\d+)? - `, "g");
/** Not a host but the first of several addresses of X-Forwarded-For; Squid may hide it. */
const FIRST_OF_SEVERAL = new RegExp(`^(?:${ADDRESS}|unknown),$`);
/** Host and program that some syslog forwarders write before a message. */
const FORWARDED = /^\S+ nginx: /;

/**
 * Makes a parser for lines of error logs and of access logs in `formats`; without formats, in all
 * known formats and in JSON.
 */
export function lineParser(formats: readonly Format[]): TextParser {
  // A line in a given format must not be read by a known format.
  const isKnown = formats.length === 0;
  const expected = isKnown ? Object.values(NGINX_FORMATS) : formats;
  const parse = (message: string): TextReading | null => {
    for (const { pattern, userIn, isPlain } of expected) {
      const groups = pattern.exec(message)?.groups;
      if (!groups) continue;
      // The reader takes a collector's time off first; but a client may ask for a host that looks so.
      const isTimed = groups.host !== undefined && readIsoTime(groups.host) !== null;
      if (isTimed && !isAmbiguous(groups)) continue;
      const user = userIn === undefined ? groups.remote_user : userIn(groups.remote_user!);
      const reading = readVariables({ ...groups, remote_user: user }, isPlain ? (value) => value : undefined);
      return isAmbiguous(groups) ? { ...reading, address: null } : reading;
    }
    return isKnown && isJson(message) ? parseJson(message) : parseErrorLine(message);
  };
  return (message) =>
    parse(message) ?? (FORWARDED.test(message) ? parse(message.replace(FORWARDED, "")) : null);
}

/**
 * Reports whether the found address may be a proxy's, or part of a host that a client named while
 * the true one is in the user's name.
 */
function isAmbiguous({ host, remote_user: user }: Readonly<Record<string, string | undefined>>): boolean {
  return host !== undefined &&
    (FIRST_OF_SEVERAL.test(host) ||
      user?.matchAll(ADDRESS_IN_USER).some(([, address]) => canonicalAddress(address!) !== null) === true);
}

/**
 * Beginnings of no line: a path, a request, and words of which the second is no address, and neither
 * `nginx:` nor a dash.
 */
const OTHER = /^(?:\/|[A-Z]+ |(?!\d{4}\/)[^\s[{]+ (?:[^:\dA-Fa-fn-]|[\dA-Za-z]+ ))/;

/** Reports whether a line of a known format or of the error log may begin with `text`. */
export function mayBeginLine(text: string): boolean {
  return !OTHER.test(text);
}

const [PROGRAM, DASH] = [new Literal("nginx: "), new Literal("- ")];

/**
 * Reports whether `bytes[from, to)` may be a line of a known format or of the error log. It begins
 * with a bracket, a brace, or a year and a slash; or `nginx: ` or `- ` follows one word, or `- `
 * two.
 */
export function isPossibleLine(bytes: Bytes, from: number, to: number): boolean {
  const { array } = bytes;
  if (from >= to) return false;
  if (array[from] === LEFT_BRACKET || array[from] === LEFT_BRACE || beginsRecord(array, from, to)) {
    return true;
  }
  const second = nextWord(array, from, to);
  if (second > to) return false;
  if (PROGRAM.isAt(bytes, second) || DASH.isAt(bytes, second)) return true;
  const third = nextWord(array, second, to);
  return third <= to && DASH.isAt(bytes, third);
}

/** Returns the start of the word after the one at `at`; beyond `to` if there is none. */
function nextWord(array: Uint8Array, at: number, to: number): number {
  while (at < to && array[at] !== SPACE) at++;
  return at + 1;
}
