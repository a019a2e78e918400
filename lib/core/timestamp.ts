/** Reads times in the forms that services write. */
import { ZERO } from "./ascii.ts";
import { LOCAL_MONTH, localMonth } from "./local_names.ts";
import { type Micros, MINUTE } from "./time.ts";
import { resolveStamp, type Stamp } from "./stamp.ts";
import { parseOffset } from "./zone.ts";

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
/** Short names of months, as the source of an expression. */
export const MONTH = MONTHS.join("|");
/** Oracle writes `09-MAR-2026`. */
const ANY_MONTH = `${MONTH}|${MONTH.toUpperCase()}`;
const WEEKDAYS = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const FRACTION = "(?:[.,](?<fraction>\\d{1,9}))?";
const MINUTE_SECOND = `(?<minute>\\d\\d):(?<second>\\d\\d)${FRACTION}`;
const CLOCK = `(?<hour>\\d\\d):${MINUTE_SECOND}`;
/** An hour may have one digit; MySQL and MariaDB write `6:04:45` with a blank before it. */
const SHORT_CLOCK = `(?<hour>\\d{1,2}):${MINUTE_SECOND}`;
/** Half of a day of twelve hours: `AM`, `pm`, `p.m.`, also without a blank before it. */
const HALF = "(?: ?(?<half>[AP]M|[ap]m|[ap]\\.m\\.)(?!\\w))?";
const OFFSET = "[+-]\\d\\d(?::?\\d\\d)?";
/** A zone by its offset. PostgreSQL writes full hours as `-03`, JavaScript `GMT+0100`, Java `GMT+1`. */
const ZONE = `(?: ?(?<zone>(?:UTC|GMT)(?:${OFFSET}|[+-]\\d)|Z|UTC|GMT|${OFFSET})\\b)?`;
/** `EST`, or `Europe/Berlin`, as PHP writes. (`source` of an expression keeps `[/]` as it is.) */
const ZONE_NAME = "[A-Z]{2,5}\\b|[A-Z][A-Za-z]+(?:[/][A-Z][\\w+-]*){1,2}";
/** A word after a time, perhaps a zone's name. It is a lookahead: the word stays in the text. */
const NAME = `(?:(?= (?<name>${ZONE_NAME}))|)`;
/**
 * Of syslog, asctime(3), date(1): `Thu Nov 26 04:43:54 CET 2026`, in American English `04:43:54 AM CET
 * 2026`; of JavaScript: `Thu Nov 26 2026 04:43:54 GMT+0100`. A host may begin with digits, or be `AM`,
 * and a message with `+0100`.
 */
const SYSLOG = new RegExp(
  `^(?:${WEEKDAYS} +)?(?<month>${MONTH}) +(?<day>\\d{1,2}) +(?:(?<year>\\d{4}) +)?${CLOCK}` +
    `(?:${HALF}(?: (?:(?<zone>UTC|GMT|${OFFSET})|(?<name>[A-Z]{2,5})))? (?<laterYear>(?:19|20)\\d\\d)(?![\\w[/@]|[.:-]\\w)` +
    `| (?<offset>(?:UTC|GMT)${OFFSET})(?![\\w:]))?`,
);
/** Of syslog-ng's `ts-format(full)` and of Boost: `2026 Nov 26 04:43:54`, `2026-Nov-26 04:43:54`. */
const YEAR_FIRST = new RegExp(
  `^(?<year>\\d{4})[ /-](?<month>${MONTH})[ /-] ?(?<day>\\d{1,2}) +${CLOCK}${HALF}${ZONE}${NAME}`,
);
/** Of `journalctl` in another language: `Mär 06 10:56:10`, `3月 06 10:56:10`. */
const LOCAL = new RegExp(`^(?<month>${LOCAL_MONTH}) +(?<day>\\d{1,2}) ${CLOCK}`, "u");
/** A dash comes before the time of RocksDB, a comma in Canadian English. */
const ISO = new RegExp(
  `^(?<year>\\d{4})[-/.](?<month>\\d\\d)[-/.](?<day>\\d\\d)(?:,? +|[T_-]| - )${SHORT_CLOCK}${HALF}${ZONE}${NAME}`,
);
/** Seconds since the epoch, 2001 to 2065, or milli-, micro- or nanoseconds, perhaps with a fraction. */
const EPOCH = /^(?<seconds>[12]\d{9})(?<rest>\d{3}|\d{6}|\d{9})?(?:[.,](?<fraction>\d{1,9}))?(?![\d.,]*\d)/;
/** The same in seconds, as zap's console writes them: `1.7780649701234567e+09`. */
const EXPONENTIAL = /^(?<first>[12])\.(?<digits>\d{6,16})[eE]\+?0?9(?![\w.])/;
/** Seconds since 1970 and nanoseconds in hexadecimal digits, as daemontools label lines. */
const TAI64N = /^@4(?<seconds>[0-9a-f]{15})(?<nano>[0-9a-f]{8})/;
/** TAI64 counts from 10 s before 1970; no leap seconds are added to a label. */
const TAI_OFFSET = 10;
/** All forms but numbers, in the order in which they are tried. */
const FORMS: readonly RegExp[] = [
  ISO,
  SYSLOG,
  YEAR_FIRST,
  ...[
    // Of the Common Log Format, and with fractions or without a zone.
    `^(?<day>\\d\\d)/(?<month>${MONTH})/(?<year>\\d{4})[: ]${CLOCK}${HALF}${ZONE}${NAME}`,
    // Of mail (RFC 5322, section 3.3), `Thu, 26 Nov 2026 04:43:54 +0100`, and of some logs.
    `^(?:${WEEKDAYS},? +)?(?<day>\\d{1,2})[ -](?<month>${ANY_MONTH})[ -](?<year>\\d{4}) +${CLOCK}${HALF}${ZONE}${NAME}`,
    // With a date of digits: `20260105-10:56:10`, `260105  1:56:10`.
    `^(?<year>(?:19|20)?\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)(?:[T_-]| +)${SHORT_CLOCK}${ZONE}${NAME}`,
    // The basic format of ISO 8601: `20260105T105610Z`.
    `^(?<year>\\d{4})(?<month>\\d\\d)(?<day>\\d\\d)T(?<hour>\\d\\d)(?<minute>\\d\\d)(?<second>\\d\\d)${FRACTION}${ZONE}`,
    // Day first, as dates with points always are: `05.01.2026 10:56:10`.
    `^(?<day>\\d\\d)\\.(?<month>\\d\\d)\\.(?<year>\\d{4}),? +${SHORT_CLOCK}${HALF}${ZONE}${NAME}`,
    // Of Monit: `CEST May  6 10:56:10`.
    `^(?<name>[A-Z]{2,5}) (?<month>${MONTH}) (?<day>[ \\d]\\d) ${CLOCK}`,
    // Of DirectAdmin: `2026:01:05-10:56:10`.
    `^(?<year>\\d{4}):(?<month>\\d\\d):(?<day>\\d\\d)-${CLOCK}`,
    // Of Suricata, `01/05/2026-10:56:10.123456`, and of Snort, without the year.
    `^(?<month>\\d\\d)/(?<day>\\d\\d)(?:/(?<year>\\d{4}))?-(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)\\.(?<fraction>\\d{6})`,
    // Of Java: `Jan 05, 2026 3:56:10 PM`, with a narrow blank since its version 20; of PHP:
    // `January 5, 2026 15:56:10`.
    `^(?<month>(?:${MONTH})[a-z]{0,6}) (?<day>\\d{1,2}), (?<year>\\d{4}),? ${SHORT_CLOCK}(?:[ \u202f](?<half>[AP]M))?`,
    // Of the United States, which only the half of a day tells from other countries' dates.
    `^(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{4}),? +${SHORT_CLOCK}[ \u202f]?(?<half>[AP]M)(?!\\w)${NAME}`,
    // Of stern's short form, and of Android: `01-05 10:56:10`.
    `^(?<month>\\d\\d)-(?<day>\\d\\d) ${CLOCK}`,
    // Of glog and klog, behind their level: `I0105 10:56:10.123456`, or with a year.
    `^[IWEF](?<year>(?:19|20)\\d\\d)?(?<month>\\d\\d)(?<day>\\d\\d) ${CLOCK}`,
  ].map((source) => new RegExp(source)),
];
/** Matches the times of `readTime()`, in linear time and without groups. */
export const TIME_SOURCE = [...FORMS, EPOCH, EXPONENTIAL, TAI64N].map(({ source }) =>
  source.slice(1).replace(NAME, `(?: (?:${ZONE_NAME}))?`).replaceAll(/\(\?<\w+>/g, "(?:").replaceAll(
    /\(\?![^()]*\)/g,
    "",
  )
).join("|");
const CLF = new RegExp(`^\\d\\d/(?:${MONTH})/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}`);

/** A stamp, and its length in characters. */
export interface Read {
  readonly stamp: Stamp;
  readonly length: number;
}

/**
 * Reads the time of classic syslog (RFC 3164, section 4.1.2) at the start of `text`:
 * `May  6 10:56:10`, local. A year may stand first, behind the day, or in ctime(3) behind the time:
 * `May  6 10:56:10 2026`.
 */
export function readSyslogTime(text: string): Read | null {
  return read(SYSLOG, text) ?? read(YEAR_FIRST, text) ?? readLocalTime(text);
}

function readLocalTime(text: string): Read | null {
  const month = LOCAL.exec(text)?.groups?.month;
  return month === undefined || localMonth(month) === null ? null : read(LOCAL, text);
}

/**
 * Reads the time of ISO 8601 or RFC 3339 at the start of `text`:
 * `2026-05-06T10:56:10.123456+02:00`; blanks, slashes (nginx), an underscore (svlogd), a dash (Gin)
 * and a missing zone are allowed.
 */
export function readIsoTime(text: string): Read | null {
  return read(ISO, text);
}

/** Reads the time at the start of `text`, in any form that services commonly write. */
export function readTime(text: string): Read | null {
  const found = readForm(text) ?? readEpoch(text) ?? readTai(text);
  // `2026-01-28 16:05:213` is not a time.
  return found !== null && /^\w/.test(text.slice(found.length)) ? null : found;
}

function readForm(text: string): Read | null {
  for (const pattern of FORMS) {
    const found = read(pattern, text);
    if (found !== null) return found;
  }
  return null;
}

function readEpoch(text: string): Read | null {
  const found = EPOCH.exec(text);
  if (found === null) return readExponential(text);
  const { seconds, rest = "", fraction = "" } = found.groups!;
  return { stamp: unixStamp(`${seconds}.${rest}${fraction}`), length: found[0].length };
}

function readExponential(text: string): Read | null {
  const found = EXPONENTIAL.exec(text);
  if (found === null) return null;
  const { first, digits } = found.groups!;
  const seconds = `${first}${digits!.slice(0, 9).padEnd(9, "0")}`;
  return { stamp: unixStamp(`${seconds}.${digits!.slice(9)}`), length: found[0].length };
}

function readTai(text: string): Read | null {
  const found = TAI64N.exec(text);
  if (found === null) return null;
  const { seconds, nano } = found.groups!;
  const whole = parseInt(seconds!, 16) - TAI_OFFSET;
  return {
    stamp: unixStamp(`${whole}.${String(parseInt(nano!, 16)).padStart(9, "0")}`),
    length: found[0].length,
  };
}

/** Reads the time of the Common Log Format at the start of `text`: `06/May/2026:10:56:10 +0200`. */
export function readClfTime(text: string): Read | null {
  // Lines of a busy log share their second: keep the last result.
  if (text === lastClf.text) return lastClf.read;
  const read = readNewClfTime(text);
  if (read !== null) lastClf = { text, read };
  return read;
}

let lastClf: { readonly text: string; readonly read: Read | null } = { text: "", read: null };

function readNewClfTime(text: string): Read | null {
  if (!CLF.test(text)) return null;
  // Fixed columns take a sixth of the time of capture groups.
  const two = (at: number) => 10 * (text.charCodeAt(at) - ZERO) + text.charCodeAt(at + 1) - ZERO;
  const zone = 60 * two(22) + two(24);
  const stamp = {
    year: 100 * two(7) + two(9),
    month: MONTHS.indexOf(text.slice(3, 6)) + 1,
    day: two(0),
    hour: two(12),
    minute: two(15),
    second: two(18),
    fraction: 0,
    offset: text[21] === "-" ? -zone : zone,
  };
  return { stamp, length: 26 };
}

/** A date, perhaps with a time to the second or minute, perhaps with a zone. */
const DATE =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<minute>\d\d:\d\d)(?<second>:\d\d(?:\.\d{1,9})?)?(?<zone>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$/;
/** Years whose instants are exact in microseconds. */
const YEARS = { from: 1970, to: 2254 };

/**
 * Returns the instant that a person means by `2027-01-31`, the start of that day,
 * `2027-01-31 12:00` or `2027-01-31T12:00:00+01:00` (ISO 8601); local time if there is no zone.
 * Null for anything else, for a day that does not exist, and for a year before 1970 or after 2254.
 */
export function instantOf(text: string): Micros | null {
  const parts = DATE.exec(text)?.groups;
  if (!parts) return null;
  const { date, minute = "00:00", second = ":00", zone = "" } = parts;
  const stamp = readIsoTime(`${date}T${minute}${second}${zone}`)?.stamp;
  if (!stamp || stamp.year! < YEARS.from || stamp.year! > YEARS.to) return null;
  const time = resolveStamp(stamp, { now: 0, before: NaN });
  return time >= 0 ? time : null;
}

/** Makes a stamp of seconds since the Unix epoch, `1778064970.123`. */
export function unixStamp(seconds: string): Stamp {
  const [whole, fraction] = seconds.split(".");
  const date = new Date(Number(whole) * 1_000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    fraction: microsOf(fraction),
    offset: 0,
  };
}

function read(pattern: RegExp, text: string): Read | null {
  const match = pattern.exec(text);
  if (!match) return null;
  const groups: Readonly<Record<string, string | undefined>> = match.groups!;
  const { month, day, hour, half, minute, second, fraction, offset, zone = offset, name } = groups;
  const { laterYear, year = laterYear } = groups;
  if (half !== undefined && (Number(hour) < 1 || Number(hour) > 12)) {
    // The word is no half of a day.
    return read(pattern, text.slice(0, match[0].lastIndexOf(half)).trimEnd());
  }
  const stamp = {
    year: year === undefined ? null : Number(year.padStart(4, "20")),
    month: /^\d+$/.test(month!) ? Number(month) : monthOf(month!),
    day: Number(day),
    hour: half === undefined ? Number(hour) : Number(hour) % 12 + (/^p/i.test(half) ? 12 : 0),
    minute: Number(minute),
    second: Number(second),
    fraction: microsOf(fraction),
    offset: zone === undefined ? null : offsetOf(zone) / MINUTE,
    ...zone === undefined && name !== undefined ? { name } : {},
  };
  return { stamp, length: match[0].length };
}

/** Returns the number of a month by its name, `Mar`, `MAR`, `March` or `Mär`. */
function monthOf(name: string): number {
  return localMonth(name) ?? MONTHS.indexOf(name[0] + name.slice(1, 3).toLowerCase()) + 1;
}

/** Reads `+01:00`, `GMT+0100`, `GMT+1`; words such as `Z` and `UTC` are not offsets. */
function offsetOf(zone: string): Micros {
  return parseOffset(zone.replace(/^[A-Z]+/, "").replace(/^([+-])(\d)$/, "$10$2")) ?? 0;
}

/** Returns the microseconds of the digits after a second's point. */
function microsOf(digits = ""): Micros {
  return Number(digits.padEnd(6, "0").slice(0, 6));
}
