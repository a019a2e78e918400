import type { Stamp } from "../core/stamp.ts";
import { type Read, readTime } from "../core/timestamp.ts";
import { type Member, membersOf } from "./json_object.ts";

/**
 * Text that may precede the time at the beginning of a line: a bracket, a quote, auditd's type, or a
 * name as in `time="2026-11-26T04:43:54Z" level=info`.
 */
const OPENING = /^(?:\[[DIWEF] |["'[(<]|type=\w+ msg=audit\(|(?:time|ts|timestamp|t)=["']?)/;
const WORD = "(?:trace|debug|info|notice|warn(?:ing)?|error|crit(?:ical)?|severe|alert|emerg|fatal)";
/**
 * Level, priority, process, or a name in brackets, which some services write first: `WARN 2026-…`,
 * `W, [2026-…`, `(W) 2026-…`, `<warn> 2026-…`, `<38>1 2026-…`, `77:M 26 Nov …`, `[main] 2026-…`,
 * Gin's `[GIN] 2026-…`.
 */
const LEVEL = new RegExp(
  `^(?:\\[?${WORD} *\\]?:?|\\[(?:\\d{1,7}|[a-z][\\w.:-]{0,63})\\](?= )|[DIWEF](?:,|(?= ))|[(<](?:[DIWEFCN]|${WORD})[)>]|<\\d{1,3}>(?:1 )?|\\d{1,7}:[A-Z]) *`,
  "i",
);
const ADDRESS = "[\\da-f]*[.:][\\da-f.:]+";
/** A time in brackets, up to its content. The request in quotes must follow. */
const BRACKET = '\\[(?=[^\\]]{1,40}\\] ")';
/**
 * Beginnings of lines of access logs, up to the time. Users may choose blanks and brackets, but
 * quotes in their names are escaped.
 *
 *     203.0.113.5 - bob [       vhost:80 203.0.113.5 - bob [       combined
 *     203.0.113.5 vhost bob [                                     lighttpd
 *     203.0.113.5:40022 [                                         HAProxy
 */
const ACCESS = new RegExp(
  `^(?:(?:(?:\\S+ ){1,2}-|${ADDRESS} \\S+) (?:[^"]|""){1,256}? ${BRACKET}|${ADDRESS}:\\d{1,5} \\[)`,
  "i",
);
/** Names of the time in JSON objects and in pairs, in lower case. */
const KEYS = new Set([
  ...["time", "ts", "timestamp", "@timestamp", "datetime", "date", "@t", "t"],
  ...["asctime", "time_local", "time_iso8601", "start_time", "timemillis"],
  // Of journalctl, syslog-ng and rsyslog.
  ...["__realtime_timestamp", "isodate", "timereported"],
]);
/**
 * The same, where none of those has a time: in events of Splunk, NXLog, Azure and OpenTelemetry, and
 * in many services. `created_at` is rather when an account or an address was made.
 */
const LESSER_KEYS = new Set([
  ...["_time", "eventtime", "event_time", "timegenerated", "time_unix_nano", "timeunixnano"],
  ...["log_time", "logged_at"],
]);
/** Names under which MongoDB and PHP's Monolog write the time in an inner object. */
const INNER_KEYS = new Set(["", "$date", "date"]);
/** Name of the zone behind Monolog's time. */
const INNER_ZONE = "timezone";
/** Inner objects with a time: of Splunk's export, and of Log4j, in seconds. */
const INNER_TIMES = new Set(["result._time", "instant.epochSecond"]);
/** The fraction of Log4j's second. */
const NANOSECONDS = "instant.nanoOfSecond";
/** The next pair of a line such as `logger=auth t=2026-11-26T04:43:54Z level=info`. */
const PAIR = /([\w.@-]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?: +|$)/y;

/** Returns the text with blanks for tabs: times and heads may have either. The length stays. */
export function withBlanks(text: string): string {
  return text.replaceAll("\t", " ");
}

/**
 * Returns the time that a service writes in its line: at the start, behind a level or the names of
 * an access log, in a pair such as `ts=2026-…`, or in a JSON object. Null if there is none, or if it
 * may be a stranger's: elsewhere in the line, or under a name that comes twice.
 *
 * @param own length of the line that its service wrote: a time behind a level or in a pair must be
 * in it
 */
export function timeOfLine(text: string, own = text.length): Stamp | null {
  if (text.startsWith("{")) return timeOfMembers(membersOf(text));
  const line = withBlanks(text);
  const level = LEVEL.exec(line)?.[0];
  const bare = level === undefined ? line : line.slice(level.length, own);
  const opening = OPENING.exec(bare)?.[0] ?? "";
  const read = readTime(bare.slice(opening.length));
  if (read !== null) return read.stamp;
  const paired = timeOfPairs(line.slice(0, own));
  if (paired !== null) return paired;
  const names = ACCESS.exec(line);
  return names && (readTime(line.slice(names[0].length))?.stamp ?? null);
}

/** Closing brackets and quotes by the opening ones before a time. */
const CLOSING: Readonly<Record<string, string>> = { '"': '"', "'": "'", "[": "]", "(": ")", "<": ">" };
/** Text between a time and the message. */
const GAP = /^:? +/;

/** Reads the time at the start of a line, up to the message; null if there is none. */
export function readLineTime(line: string): Read | null {
  const before = OPENING.exec(line)?.[0] ?? "";
  const read = readTime(line.slice(before.length));
  if (read === null) return null;
  const closing = CLOSING[before.slice(-1)] ?? "";
  const zone = read.stamp.name === undefined ? "" : ` ${read.stamp.name}`;
  const isZoneInside = closing !== "" && line.startsWith(zone + closing, before.length + read.length);
  const end = before.length + read.length + (isZoneInside ? zone.length : 0);
  const gap = line.startsWith(closing, end) ? GAP.exec(line.slice(end + closing.length)) : null;
  return gap && { stamp: read.stamp, length: end + closing.length + gap[0].length };
}

/**
 * Returns the first time in an object, preferring the usual names, and those times with a zone; null
 * if a name comes twice.
 */
export function timeOfMembers(members: Iterable<Member>): Stamp | null {
  const found = new Map<string, Stamp>();
  const lesser = new Map<string, Stamp>();
  let [nanoseconds, dated] = ["", ""];
  for (const { key, inner, text } of members) {
    const name = key.toLowerCase();
    const path = `${key}.${inner}`;
    if (path === NANOSECONDS) nanoseconds = text.padStart(9, "0");
    const zoned = inner === INNER_ZONE && found.has(name) ? readTime(`${dated} ${text}`) : null;
    if (zoned !== null) found.set(name, zoned.stamp);
    const isUsual = KEYS.has(name) && INNER_KEYS.has(inner);
    if (!isUsual && !INNER_TIMES.has(path) && !(inner === "" && LESSER_KEYS.has(name))) continue;
    if (found.has(name) || lesser.has(name)) return null;
    // Apache's `%t` has brackets.
    const stamp = readTime(text.replace(/^\[/, ""))?.stamp;
    if (stamp !== undefined) (isUsual ? found : lesser).set(name, stamp);
    dated = text;
  }
  const stamps = [...(found.size > 0 ? found : lesser).values()];
  const stamp = stamps.find(({ offset }) => offset !== null) ?? stamps[0] ?? null;
  if (stamp === null || nanoseconds === "" || stamp !== lesser.get("instant")) return stamp;
  return { ...stamp, fraction: Number(nanoseconds.slice(0, 6)) };
}

/** Returns the time in a line of pairs of names and values; null if none or several have one. */
function timeOfPairs(line: string): Stamp | null {
  const found: Stamp[] = [];
  PAIR.lastIndex = 0;
  for (let pair = PAIR.exec(line); pair !== null; pair = PAIR.exec(line)) {
    const stamp = KEYS.has(pair[1]!.toLowerCase()) ? readTime(pair[2]!.replace(/^"/, ""))?.stamp : undefined;
    if (stamp !== undefined) found.push(stamp);
  }
  return found.length === 1 ? found[0]! : null;
}
