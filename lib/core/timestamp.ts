import { DAY, type Micros, MINUTE, SECOND } from "./time.ts";

/** A moment as a line writes it. What it leaves open is found by when it was read: see `resolveStamp()`. */
export interface Stamp {
  /** Null where the line has none, as in classic syslog. */
  readonly year: number | null;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** The part behind the second's point. */
  readonly fraction: Micros;
  /** Minutes that the writer's clock is ahead of UTC; null: it shows this machine's local time. */
  readonly offset: number | null;
}

/** A line read so soon after it was written is read live. */
const LIVE = 5 * MINUTE;
/** A leap day may lie so many years back. */
const LEAP = 8;

/** By what a stamp that leaves something open is read. */
export interface Reference {
  /** When the line was read. */
  readonly now: Micros;
  /** Time of the line before; NaN where that is not known. */
  readonly before: Micros;
}

/**
 * The instant that `stamp` means, or null for a date that does not exist. A missing year is the latest one that does
 * not put it more than a day past `now`. A local time that clocks skipped is taken an hour on. One that they showed
 * twice is the second where that is just now, else the first that does not precede the line before.
 */
export function resolveStamp(stamp: Stamp, reference: Reference): Micros | null {
  if (stamp.year !== null) return ofYear(stamp, stamp.year, reference);
  const latest = new Date((reference.now + DAY) / 1_000).getFullYear();
  for (let year = latest; year > latest - 1 - LEAP; year--) {
    const time = ofYear(stamp, year, reference);
    if (time !== null && time <= reference.now + DAY) return time;
  }
  return null;
}

function ofYear(stamp: Stamp, year: number, reference: Reference): Micros | null {
  const utc = asUtc(stamp, year);
  if (utc === null) return null;
  return stamp.offset === null ? ofLocal(utc, reference) : utc - stamp.offset * MINUTE;
}

/** The stamp's figures as if they were UTC; null where one is out of its bounds. A leap second is the next one. */
function asUtc({ month, day, hour, minute, second, fraction }: Stamp, year: number): Micros | null {
  if (hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(Date.UTC(2000, month - 1, day, hour, minute, second));
  date.setUTCFullYear(year, month - 1, day);
  const midnight = new Date(Date.UTC(2000, 0, 1));
  midnight.setUTCFullYear(year, month - 1, day);
  const exists = midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  return exists
    ? midnight.getTime() * 1_000 + ((hour * 60 + minute) * 60 + second) * SECOND + fraction
    : null;
}

/** The instant at which clocks here show what `utc` shows as UTC. */
function ofLocal(utc: Micros, { now, before }: Reference): Micros {
  // Zones are set back or forward within a day, by what one of its ends is ahead of UTC.
  const [first, second] = [utc - DAY, utc + DAY].map((time) => utc - ahead(time)).toSorted((a, b) =>
    a - b
  ) as [
    Micros,
    Micros,
  ];
  const shown = [first, second].filter((time) => time + ahead(time) === utc);
  if (shown.length === 0) return second;
  if (shown.length === 1 || first === second) return shown[0]!;
  if (Math.abs(now - second) <= LIVE) return second;
  return first < before ? second : first;
}

/** What clocks here are ahead of UTC at `time`. */
function ahead(time: Micros): Micros {
  return -new Date(time / 1_000).getTimezoneOffset() * MINUTE;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const MONTH = MONTHS.join("|");
const SYSLOG = new RegExp(
  `^(?<month>${MONTH}) {1,2}(?<day>\\d{1,2}) (?:(?<year>\\d{4}) )?(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)` +
    "(?:[.,](?<fraction>\\d{1,9}))?(?: (?:(?<zone>UTC|GMT) )?(?<laterYear>(?:19|20)\\d\\d)(?=:? |\\]|$))?",
);
const ISO =
  /^(?<year>\d{4})[-/](?<month>\d\d)[-/](?<day>\d\d)[T _](?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)(?:[.,](?<fraction>\d{1,9}))?(?: ?(?<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)\b)?/;
const CLF = new RegExp(`^\\d\\d/(?:${MONTH})/\\d{4}:\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}`);

/** A stamp, and how many characters it took. */
export interface Read {
  readonly stamp: Stamp;
  readonly length: number;
}

/**
 * The time of classic syslog (RFC 3164, section 4.1.2) that `text` begins with: `May  6 10:56:10`; local, without a
 * year. Some write one behind the day, and ctime(3) behind the time: `May  6 10:56:10 2026`.
 */
export function readSyslogTime(text: string): Read | null {
  return read(SYSLOG, text);
}

/**
 * The time of ISO 8601 and RFC 3339 that `text` begins with: `2026-05-06T10:56:10.123456+02:00`; with blanks, slashes
 * (nginx's error log), a low line (svlogd) or without a zone as well.
 */
export function readIsoTime(text: string): Read | null {
  return read(ISO, text);
}

/** The time of the Common Log Format that `text` begins with: `06/May/2026:10:56:10 +0200`. */
export function readClfTime(text: string): Read | null {
  // The lines of a busy log share their second.
  if (text === lastClf.text) return lastClf.read;
  const read = readNewClfTime(text);
  if (read !== null) lastClf = { text, read };
  return read;
}

let lastClf: { readonly text: string; readonly read: Read | null } = { text: "", read: null };

function readNewClfTime(text: string): Read | null {
  if (!CLF.test(text)) return null;
  // Each part has its place: a sixth of the time that groups take.
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

const ZERO = 48;

/** A date, with or without a time, to the second or the minute, with or without a zone. */
const DATE =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<minute>\d\d:\d\d)(?<second>:\d\d(?:\.\d{1,9})?)?(?<zone>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?)?$/;
/** Years whose instants are exact in microseconds. */
const YEARS = { from: 1970, to: 2254 };

/**
 * The instant that a person means by `2027-01-31`, the start of that day, `2027-01-31 12:00` or
 * `2027-01-31T12:00:00+01:00` (ISO 8601); local time where there is no zone. Null for anything else, for a day that no
 * calendar has, and for a year before 1970 or after 2254.
 */
export function instantOf(text: string): Micros | null {
  const parts = DATE.exec(text)?.groups;
  if (!parts) return null;
  const { date, minute = "00:00", second = ":00", zone = "" } = parts;
  const stamp = readIsoTime(`${date}T${minute}${second}${zone}`)?.stamp;
  if (!stamp || stamp.year! < YEARS.from || stamp.year! > YEARS.to) return null;
  const time = resolveStamp(stamp, { now: 0, before: NaN });
  return time !== null && time >= 0 ? time : null;
}

/** Seconds since the Unix epoch, `1778064970.123`, as a stamp. */
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
  const { month, day, hour, minute, second, fraction, zone, laterYear, year = laterYear } = match
    .groups as Record<
      string,
      string | undefined
    >;
  const stamp = {
    year: year === undefined ? null : Number(year),
    month: /^\d/.test(month!) ? Number(month) : MONTHS.indexOf(month!) + 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    fraction: microsOf(fraction),
    offset: zone === undefined ? null : offset(zone),
  };
  return { stamp, length: match[0].length };
}

/** Minutes that a zone such as `+02:00` is ahead of UTC. */
function offset(zone: string): number {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!match) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

/** What the digits behind the point of a second mean. */
export function microsOf(digits = ""): Micros {
  return Number(digits.padEnd(6, "0").slice(0, 6));
}
