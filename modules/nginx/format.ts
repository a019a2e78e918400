import { literal } from "../../lib/reading/regex_safety.ts";
import { OptionError } from "../../lib/reading/module.ts";

/** Lines of one format of nginx's access log. */
export interface Format {
  /**
   * Matches a line from its first character to the last variable that is needed. Groups have the
   * names of nginx's variables.
   */
  readonly pattern: RegExp;
  /** Variables that the pattern captures. */
  readonly variables: readonly string[];
  /** Whether nginx escapes nothing in the values: `escape=none`. */
  readonly isPlain?: boolean;
  /** Finds the user in the pattern's `$remote_user`, if that may contain more. */
  readonly userIn?: (text: string) => string | undefined;
}

/** The address that connected to nginx; `unix:` for a socket. */
export const ADDRESS = "[0-9A-Fa-f:.]+|unix:";
/** `01/Mar/2026:10:56:10 +0000` */
export const TIME_LOCAL = "\\d\\d/\\w\\w\\w/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}";
/** `2026-03-01T10:56:10+00:00` */
export const TIME_ISO = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[+-]\\d\\d:\\d\\d";
/** Text between quotes. nginx escapes quotes in it as `\x22`, or as `\"` with `escape=json`. */
export const QUOTED = '(?:[^"\\\\]|\\\\.)*';

const NUMBER = "[\\d.]+|-";
/** One figure for each server that was asked, as in `502, 200 : -`. */
const NUMBERS = `(?:${NUMBER})(?:(?:, | : )(?:${NUMBER}))*`;
const ANY_ADDRESS = "[0-9A-Fa-f:.]+|-";
/**
 * How nginx writes each of these variables. A client or a program may choose the text of all
 * others.
 */
const PIECES: Readonly<Record<string, string>> = {
  remote_addr: ADDRESS,
  time_local: TIME_LOCAL,
  time_iso8601: TIME_ISO,
  msec: "\\d+\\.\\d+",
  status: "\\d{3}",
  body_bytes_sent: NUMBER,
  bytes_sent: NUMBER,
  request_length: NUMBER,
  request_time: NUMBER,
  gzip_ratio: NUMBER,
  connection: NUMBER,
  connection_requests: NUMBER,
  pid: NUMBER,
  remote_port: NUMBER,
  server_port: NUMBER,
  upstream_status: NUMBERS,
  upstream_response_time: NUMBERS,
  upstream_connect_time: NUMBERS,
  upstream_header_time: NUMBERS,
  upstream_response_length: NUMBERS,
  upstream_bytes_received: NUMBERS,
  upstream_bytes_sent: NUMBERS,
  pipe: "[p.]",
  scheme: "https?|-",
  request_id: "[0-9a-f]+|-",
  server_addr: ANY_ADDRESS,
  // Where a connection came from, and the address in the PROXY protocol: nginx checks that too.
  realip_remote_addr: `${ANY_ADDRESS}|unix:`,
  realip_remote_port: NUMBER,
  proxy_protocol_addr: ANY_ADDRESS,
  proxy_protocol_port: NUMBER,
  upstream_cache_status: "[A-Z]+|-",
  ssl_protocol: "[\\w.]+|-",
  ssl_cipher: "[\\w.-]+|-",
  // nginx or its administrator ensures that these have no blanks or quotes.
  host: '[^\\s"]*',
  server_name: '[^\\s"]*',
  server_protocol: '[^\\s"]*',
  request_method: '[^\\s"]*',
  hostname: '[^\\s"]*',
};

/** Text of a client as it was sent, without line breaks. nginx decodes others: %0A in `$uri`. */
const AS_SENT = /^(?:request(?:_uri)?|args|query_string|(?:arg|cookie|http)_\w+)$/;

interface Part {
  readonly text: string;
  /** Null for literal text. */
  readonly variable: string | null;
}

/** Circumstances that decide whether a format is refused. */
export interface FormatOptions {
  /** Index of the format in the list of the configuration, for errors. */
  readonly index?: number;
  /** Whether X-Forwarded-For decides which address a line names. */
  readonly forwarded?: boolean;
}

/**
 * Compiles a format of `log_format` in nginx.conf, with or without the directive around it
 * (ngx_http_log_module). Throws `OptionError` if a client could write an address of its choice into
 * a line: its text is safe only between quotes, as nginx escapes quotes in it.
 */
export function compileFormat(given: string, { index = 0, forwarded = false }: FormatOptions = {}): Format {
  const refuse = (complaint: string) => new OptionError(complaint, "logFormats", index);
  const { format, escape } = takeDirective(given);
  const parts = split(format);
  const at = parts.findIndex(({ variable }) => variable === "remote_addr");
  if (at < 0) throw refuse("must hold $remote_addr, the address that nginx was connected from");
  const by = parts.findIndex(({ variable }) => variable === "http_x_forwarded_for");
  if (forwarded && by >= 0 && (escape === "none" || !isQuotedAt({ parts, at: by }))) {
    throw refuse("must have $http_x_forwarded_for in quotes, as trusted_proxies are believed");
  }
  const free = parts.slice(0, at).find((part, i) =>
    isFree(part, { parts, at: i }) || (isText(part) && escape === "none") ||
    (isName(part) && !endsByQuote(parts.slice(i + 1)))
  );
  if (free) {
    throw refuse(
      `holds $${free.variable} before $remote_addr, where a client could write another address: put $remote_addr first`,
    );
  }
  const decoded = escape === "none" && parts.find((part) => isText(part) && !AS_SENT.test(part.variable!));
  if (decoded) {
    throw refuse(
      `holds $${decoded.variable} with escape=none, where a client could write a line of its own: leave out escape=none`,
    );
  }
  const last = Math.max(at, parts.findIndex(({ variable }) => variable === "status"));
  // The text behind the last figure proves that the figure ends there.
  const end = parts[last + 1]?.variable === null ? last + 2 : last + 1;
  const seen = new Set<string>();
  const source = parts.map((part, i) => compilePart(part, { parts, at: i, seen, escape }));
  const needed = source.slice(0, end).join("");
  const rest = source.slice(end).join("");
  return {
    pattern: new RegExp(`^${needed}(?:${rest})?`, "s"),
    variables: [...seen],
    isPlain: escape === "none",
  };
}

/** Takes the format out of the directive, if there is one around it. */
function takeDirective(given: string): { format: string; escape: string } {
  const escape = /^\s*(?:log_format\s+\S+\s+)?escape=(\w+)/.exec(given)?.[1] ?? "default";
  const body = given.replace(/^\s*(?:log_format\s+\S+\s+)?(?:escape=\w+\s+)?/, "").replace(/\s*;\s*$/, "");
  const pieces = [...body.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/gs)];
  const isQuoted = /^\s*'/.test(body) && pieces.length > 0;
  const text = isQuoted ? pieces.map(([, single, double]) => single ?? double).join("") : body;
  const unescaped = text.replace(
    isQuoted ? /\\(['"\\tnr])/g : /\\([tnr])/g,
    (_, code: string) => CONTROLS[code] ?? code,
  );
  return { format: unescaped, escape };
}

/** Escapes in nginx.conf. */
const CONTROLS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r" };

function split(format: string): Part[] {
  const parts = [...format.matchAll(/\$\{(\w+)\}|\$(\w+)|[^$]+|\$/g)];
  return parts.map(([text, braced, plain]) => ({ text, variable: braced ?? plain ?? null }));
}

/** Reports whether a client or a program may choose the text of a part. */
function isText({ variable }: Part): boolean {
  return variable !== null && !Object.hasOwn(PIECES, variable);
}

/** Reports whether a part is a name in which nginx before 1.21.1 accepts blanks. */
function isName({ variable }: Part): boolean {
  return variable === "host" || variable === "server_protocol" || variable === "request_method";
}

/**
 * Reports whether only figures and fixed text, which no client can write, precede the next quote.
 */
function endsByQuote(parts: readonly Part[]): boolean {
  for (const part of parts) {
    if (part.variable === null) {
      if (part.text.includes('"')) return true;
    } else if (isText(part)) return false;
  }
  return false;
}

/** Reports whether a part is a client's text without quotes around it. */
function isFree(part: Part, place: { parts: readonly Part[]; at: number }): boolean {
  return isText(part) && !isQuotedAt(place);
}

function isQuotedAt({ parts, at }: { parts: readonly Part[]; at: number }): boolean {
  return !!parts[at - 1]?.text.endsWith('"') && parts[at - 1]!.variable === null &&
    !!parts[at + 1]?.text.startsWith('"') && parts[at + 1]!.variable === null;
}

function compilePart(
  part: Part,
  { parts, at, seen, escape }: { parts: readonly Part[]; at: number; seen: Set<string>; escape: string },
): string {
  const { text, variable } = part;
  if (variable === null) return literal(text);
  const isLast = at === parts.length - 1;
  const piece = Object.hasOwn(PIECES, variable)
    // A variable without a value is "-", or empty with another escape.
    ? escape === "default" ? PIECES[variable]! : `(?:${PIECES[variable]})?`
    : escape !== "none" && isQuotedAt({ parts, at })
    ? QUOTED
    : isLast
    ? ".*"
    : ".*?";
  if (seen.has(variable)) return `(?:${piece})`;
  seen.add(variable);
  return `(?<${variable}>${piece})`;
}
