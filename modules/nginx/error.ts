import { canonicalAddress } from "../../lib/core/address.ts";
import { SLASH } from "../../lib/core/ascii.ts";
import { isDigit } from "../../lib/core/bytes.ts";
import { readIsoTime } from "../../lib/core/timestamp.ts";
import type { TextReading } from "../../lib/reading/text_reader.ts";
import { ADDRESS } from "./format.ts";
import { addRequest } from "./text.ts";

const HEAD = /\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(?<level>\w+)\] \d+#\d+: (?:\*(?<connection>\d+) )?/;
/**
 * Bytes at which records are cut (NGX_MAX_ERROR_STR): by nginx, and by OpenResty and Gentoo's
 * nginx.
 */
export const LENGTHS: readonly number[] = [2_048, 4_096];
/** Bytes of the longest record. */
export const LONGEST = Math.max(...LENGTHS);
/** A line of so many bytes may be a cut one. */
const CUT = LENGTHS[0]! - 8;

/**
 * Texts of nginx itself, in which a client chooses at most a name without a colon: a name of Basic
 * authentication ends at the first colon (RFC 7617, section 2).
 */
const OWN = [
  '(?:limiting requests|delaying request|limiting connections)[^"]* zone "[^"]*"',
  "access forbidden by rule",
  "no user/password was provided for basic authentication",
  'user "[^:]*" was not found in "[^"]*"',
  'user "[^:]*": password mismatch',
  "PAM: user '[^:]*' - not authenticated: [\\w ]+",
  'client login failed: "[^"]*" while in http auth state',
  '(?:SSL_\\w+|connect|recv|send|writev|readv|sendfile|accept4?|setsockopt|shutdown)\\(\\) failed \\([^"]*\\)(?: while [\\w ]+)?',
  '(?:client|upstream|peer) (?:closed|timed out|prematurely|intended|canceled|sent (?:invalid|too|plain|no|HTTP|duplicate|stream|frame|inconsistent))[^":]*(?:\\(\\d+: [^":]*|: \\d+ bytes)?',
  '(?:upstream|client|connection) timed out \\([^"]*\\)(?: while [\\w ]+)?',
  "http[23] flood detected(?: while [\\w/ ]+)?",
  "handshake rejected while SSL handshaking",
  "client SSL certificate verify error: \\(\\d+:[\\w ()-]+\\)(?: while [\\w ]+)?",
  "client attempted to request the server name different from the one that was negotiated(?: while [\\w ]+)?",
  "no live upstreams while connecting to upstream",
  "upstream server temporarily disabled while [\\w ]+",
  'a client request body is buffered to a temporary file [^",: ]+',
  'an upstream response is buffered to a temporary file [^",: ]+(?: while [\\w ]+)?',
  'using uninitialized "\\w+" variable(?: while [\\w ]+)?',
  "auth request unexpected status: \\d+(?: while [\\w ]+)?",
];
/** Behind a text of `OWN` the first client is the true one, and the line may break off anywhere. */
const SURE = new RegExp(
  `^(?<text>${OWN.join("|")}), (?:udp )?client: (?<address>${ADDRESS})(?:, server: (?<server>[^",]*))?` +
    `(?:, request: "(?<request>.*?)(?:"(?:, (?:upstream|host|referrer|subrequest): .*)?$|$))?`,
  "s",
);
/**
 * End of a line about a client (ngx_http_log_error_handler, and the handlers of the mail and stream
 * modules). nginx escapes nothing here: the text before it and all quoted parts may contain
 * anything that a client sent, even a second such end.
 */
const TAIL = `, (?:udp )?client: (?<address>${ADDRESS}), server: (?<server>[^",]*)` +
  `(?:, login: ".*")??(?:, request: "(?<request>.*?)")??(?:, subrequest: ".*?")??(?:, upstream: "?(?<upstream>[^"]*)"?)??` +
  `(?:, bytes from/to .*)??(?:, host: "(?<host>[^"]*)")?(?:, referrer: "(?<referer>.*)")?`;
const FIRST = new RegExp(`^(?<text>.*?)${TAIL}$`, "s");
const LAST = new RegExp(`^(?<text>.*)${TAIL}$`, "s");
/** A name of Basic authentication in a text of nginx or its PAM module. */
const USER =
  /^(?:PAM: )?user ["'](?<user>.*)["'](?: was not found in "|: password mismatch| - not authenticated: )/s;

/** Whole records of nginx itself that end without a client. */
const ALONE = new RegExp(
  `^(?:client (?:${ADDRESS})(?::\\d+)? (?:closed keepalive connection|connected to [\\w.:[\\]]+)(?: \\(\\d+: [\\w ]+\\))?|` +
    "open socket #\\d+ left in connection \\d+)$",
);

/** A level at which nginx writes texts of clients without naming these. */
const DEBUG = "debug";

/** Digits of the year with which a record of the error log begins. */
const YEAR = 4;

/** A line that a runtime has cut within the head of a record. */
const CUT_HEAD = /^(?:\d{1,4}|\d{4}\/[\d/ :]{0,15}(?:\[\w*\]?[ \d#:*]*)?)$/;

/**
 * Reports whether `array[at, to)` begins with a year and a slash, as a record of the error log, or is
 * cut before.
 */
export function beginsRecord(array: Uint8Array, at: number, to: number): boolean {
  const end = Math.min(at + YEAR, to);
  for (let i = at; i < end; i++) if (!isDigit(array[i]!)) return false;
  return end === to || array[end] === SLASH;
}

/** What a line tells about records of the error log that begin or end in it. */
export interface RecordLine {
  /** Place of a record's head; -1: none begins here. */
  readonly head: number;
  /** Whether the record that begins here may go on behind this line. */
  readonly isOpen: boolean;
  /** Whether nginx writes a text of its own between a client's and the end of this record. */
  readonly isKnown: boolean;
  /** Whether this record may end without a client. */
  readonly isEndless: boolean;
  /** Whether the line may break behind the client that ends a record. */
  readonly isBroken: boolean;
  /** Whether no record of several lines that `isKnown` ends here. */
  readonly isSingle: boolean;
  /** Clients named here as at the end of a record; "" for a text in place of one. */
  readonly clients: readonly string[];
}

/** A line in which no record begins or ends. */
export const NO_RECORD: RecordLine = {
  head: -1,
  isOpen: false,
  isKnown: false,
  isEndless: false,
  isBroken: false,
  isSingle: false,
  clients: [],
};
/** End of a record: the client, or the context in which a script of Lua ran. */
const ENDS = /, (?:(?:udp )?client: (?<client>[^,\s]*)|context: )/g;
/** A line break in a request, and parts of a record behind the client that may contain one. */
const BROKEN = /%(?:25)*0a|, (?:login|subrequest): "/i;
/** Starts of texts with a client's text in them, behind which nginx writes text of its own. */
const KNOWN = /^(?:FastCGI sent in stderr: "|(?:PAM: )?user ["']|(?:\w+\(\) |directory index of )?"\/)/;
/**
 * A record about a file. Its path has a line break only if the request has one, or the path comes
 * from a backend, which stands in the record then, or from a header of WebDAV.
 */
const FILE = new RegExp(
  `^(?:\\w+\\(\\) |directory index of )?"/.*"(?: failed \\(\\d+: [^"]*\\)| is (?:not found|forbidden)(?: \\(\\d+: [^"]*\\))?), ` +
    `client: (?:${ADDRESS}), server: [^",]*, request: "(?:GET|HEAD) [^"]*"(?:, host: "[^"]*")?(?:, referrer: "[^"]*")?$`,
  "s",
);

/**
 * Reads what a line of the error log, perhaps behind a head, tells about records.
 *
 * @param isWhole false: a runtime has cut the line, so that the record goes on
 */
export function readRecordLine(line: string, isWhole = true): RecordLine {
  if (!isWhole && CUT_HEAD.test(line)) return { ...NO_RECORD, head: 0, isOpen: true };
  const clients = Array.from(line.matchAll(ENDS), ({ groups }) => groups!.client ?? "");
  const head = HEAD.exec(line);
  const isBroken = BROKEN.test(line);
  if (!head) return clients.length === 0 ? NO_RECORD : { ...NO_RECORD, isBroken, clients };
  const body = line.slice(head.index + head[0].length);
  const isOwn = isWhole && !isBroken && (SURE.test(body) || ALONE.test(body));
  const isEndless = head.groups!.level === DEBUG;
  return {
    head: head.index,
    isOpen: isEndless || (head.groups!.connection !== undefined && !isOwn),
    isKnown: KNOWN.test(body),
    isEndless,
    isBroken,
    isSingle: isWhole && clients.length === 1 && (isOwn || (FILE.test(body) && !isBroken)),
    clients,
  };
}

type Groups = Readonly<Record<string, string | undefined>>;

/**
 * Reads a line of nginx's error log; null for any other line. Names nobody if a client's text makes
 * two places look like nginx's own client address, or may have pushed the true address out of the
 * line.
 */
export function parseErrorLine(line: string): TextReading | null {
  // The check for forgeries must see it.
  if (CUT_HEAD.test(line)) return { address: null, fields: { level: "", text: line } };
  const head = HEAD.exec(line);
  if (head?.index !== 0) return null;
  const { stamp } = readIsoTime(line)!;
  const body = line.slice(head[0].length);
  const level = head.groups!.level!;
  const found = SURE.exec(body)?.groups ?? (isCut(line) ? null : onlyPlace(body));
  if (!found || level === DEBUG) return { address: null, fields: { level, text: body }, stamp };
  return { address: canonicalAddress(found.address!), fields: fieldsOf(found, level), stamp };
}

function isCut(line: string): boolean {
  return line.length >= CUT / 4 && new TextEncoder().encode(line).length >= CUT;
}

/** Splits a line into its parts; null if there are two ways to do it. */
function onlyPlace(body: string): Groups | null {
  const first = FIRST.exec(body)?.groups;
  return first && LAST.exec(body)!.groups!.text === first.text ? first : null;
}

function fieldsOf(found: Groups, level: string): Record<string, string> {
  const { text = "", server, request, upstream, host, referer } = found;
  const fields: Record<string, string> = { level, text };
  const user = USER.exec(text)?.groups?.user;
  for (const [name, value] of Object.entries({ server, upstream, host, referer, user })) {
    if (value) fields[name] = value;
  }
  if (request !== undefined) addRequest(fields, request);
  return fields;
}
