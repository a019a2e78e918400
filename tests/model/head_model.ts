/** What syslog puts before a message, read by a table of anchored expressions. */

/** A line without its head. */
export interface HeadedLine {
  /** Microseconds since the epoch; null where the line does not tell an instant. */
  readonly time: number | null;
  /** Program that wrote it; "" where the line does not tell. */
  readonly program: string;
  /** Of its process; null where the line does not tell. */
  readonly pid: number | null;
  readonly message: string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const MONTH = `(?<month>${MONTHS.join("|")})`;
const CLOCK = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const FRACTION = "(?:[.,](?<fraction>\\d{1,9}))?";
const NAME = "(?= (?<name>[A-Z]{2,5})\\b)";
const ZONE = `(?: ?(?<zone>Z|UTC|GMT|[+-]\\d\\d(?::?\\d\\d)?)\\b)?(?:${NAME}|)`;
/** Minutes that some short names of zones mean. */
const NAMES: Readonly<Record<string, number>> = { EST: -300, CET: 60, CEST: 120 };

/** `May  6 10:56:10.5` */
const SYSLOG_TIME = new RegExp(`^${MONTH} {1,2}(?<day>\\d{1,2}) ${CLOCK}${FRACTION}`);
/** `2026-05-06T10:56:10.123456+02:00`, nginx's `2026/05/06 10:56:10`, and `2026-05-06_10:56:10` */
export const ISO_TIME = new RegExp(
  `^(?<year>\\d{4})[-/](?<month>\\d\\d)[-/](?<day>\\d\\d)[T _]${CLOCK}${FRACTION}${ZONE}`,
);
/** `06/May/2026:10:56:10 +0200` */
export const CLF_TIME = new RegExp(`^(?<day>\\d\\d)/${MONTH}/(?<year>\\d{4}):${CLOCK} (?<zone>[+-]\\d{4})$`);
/** What services write at the beginning of a line, or where a pattern says `<TIME>`. */
const OWN_TIMES = [
  ISO_TIME,
  // `Wed May  6 10:56:10 CEST 2026`
  new RegExp(
    `^(?:${WEEKDAY_NAME} )?${MONTH} {1,2}(?<day>\\d{1,2}) ${CLOCK}${FRACTION}` +
      "(?: (?:(?<name>[A-Z]{2,5})|(?<zone>[+-]\\d\\d(?::?\\d\\d)?)))? (?<year>(?:19|20)\\d\\d)\\b",
  ),
  SYSLOG_TIME,
  // `06/May/2026:10:56:10 +0200`
  new RegExp(`^(?<day>\\d\\d)/${MONTH}/(?<year>\\d{4})[: ]${CLOCK}${FRACTION}${ZONE}`),
  // `Wed, 06 May 2026 10:56:10 +0200`
  new RegExp(
    `^(?:${WEEKDAY_NAME}, )?(?<day>\\d{1,2})[ -]${MONTH}[ -](?<year>\\d{4}) ${CLOCK}${FRACTION}${ZONE}`,
  ),
  /^(?<seconds>[12]\d{9})(?:[.,](?<fraction>\d{1,9})|(?<rest>\d{3}|\d{6}))?(?![\d.,]*\d)/,
];
/** Matches the same, without groups. */
export const A_TIME = OWN_TIMES.map(({ source }) =>
  source.slice(1).replace(NAME, " [A-Z]{2,5}").replace(/\(\?<\w+>/g, "(?:").replace(/\(\?!.*/, "")
).join("|");
const UNIX_TIME = /^(?<seconds>\d{9,10})\.(?<fraction>\d{3,6}) +/;
const MONOTONIC_TIME = /^\[ *\d+\.\d{6}\] +/;

const PRIORITY = /^<\d{1,3}>(?:1 )?/;
const WEEKDAY = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d{4}-)/;
const GAP = /^(?: [A-Z]{2,5})?:? +/;
const TAGS = {
  rfc5424: /^\S+ (?<program>\S+) (?:(?<pid>\d+)|-) \S+ (?:-|\[[^\]]*\]) \ufeff?/,
  timed: /^(?:[^\s[:]+ +){0,2}?(?:\w+\.\w+:? +)?(?<program>[\w./@-]+)(?:\[(?<pid>\d+)\])?: +/,
  bare: /^(?:[^\s[:]+ )?(?<program>[\w./@-]+)\[(?<pid>\d+)\]: +/,
};
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\] )/;

type Groups = Readonly<Record<string, string | undefined>>;

/** Takes a line apart that is read at `now`. Zoneless times are UTC: tests run in that zone. */
export function readHead(line: string, now: number): HeadedLine {
  let rest = line;
  /** Takes off what one of the expressions matches, with the gap that has to follow. */
  const take = (expression: RegExp, gap = /^/): Groups | null => {
    const found = expression.exec(rest);
    const behind = found && gap.exec(rest.slice(found[0].length));
    if (!found || !behind) return null;
    rest = rest.slice(found[0].length + behind[0].length);
    return found.groups ?? {};
  };
  take(PRIORITY);
  const beforeWeekday = rest;
  take(WEEKDAY);
  const syslog = take(SYSLOG_TIME, GAP);
  const iso = syslog ? null : take(ISO_TIME, GAP);
  if (!syslog && !iso) rest = beforeWeekday;
  const unix = syslog || iso ? null : take(UNIX_TIME);
  const monotonic = syslog || iso || unix ? null : take(MONOTONIC_TIME);
  const isTimed = Boolean(syslog ?? iso ?? unix ?? monotonic);
  // What is no head of syslog may be a time of the service's own, in brackets.
  const own = isTimed ? null : timeAtStart(rest, now);
  const behindOwn = own && /^["'\])>]?:? +/.exec(rest.slice(own.length));
  if (own && behindOwn) rest = rest.slice(own.length + behindOwn[0].length);
  const tag = (iso && line.startsWith("<") ? take(TAGS.rfc5424) : null) ??
    take(isTimed ? TAGS.timed : TAGS.bare);
  if (tag) take(DECORATION);
  return {
    time: unix
      ? Number(unix.seconds) * 1_000_000 + microseconds(unix.fraction)
      : syslog ?? iso
      ? instantOf((syslog ?? iso)!, now)
      : behindOwn
      ? own!.time
      : null,
    program: tag?.program ?? "",
    pid: tag?.pid === undefined ? null : Number(tag.pid),
    message: rest.trim(),
  };
}

/** An instant that a message tells. */
export interface OwnTime {
  /** Null for a date that does not exist. */
  readonly time: number | null;
  /** Whether it depends on a zone that is not told in figures. */
  readonly isZoneless: boolean;
  /** Characters that it took. */
  readonly length: number;
}

/** The time that a text begins with; null where there is none. */
export function timeOf(text: string, now: number): OwnTime | null {
  for (const expression of OWN_TIMES) {
    const found = expression.exec(text);
    if (!found) continue;
    if (/\w/.test(text[found[0].length] ?? "")) return null;
    const groups = found.groups!;
    const { length } = found[0];
    return groups.seconds === undefined
      ? { time: instantOf(groups, now), isZoneless: groups.zone === undefined, length }
      : {
        length,
        time: Number(groups.seconds) * 1_000_000 + microseconds(groups.fraction ?? groups.rest),
        isZoneless: false,
      };
  }
  return null;
}

/** The time at the beginning of a message, where services put it; it may stand in brackets. */
export function timeAtStart(message: string, now: number): OwnTime | null {
  const before = /^(?:["'[(<]|(?:time|ts|timestamp|t)=["']?)?/.exec(message)![0].length;
  const found = timeOf(message.slice(before), now);
  return found && { ...found, length: before + found.length };
}

const DAY = 86_400_000_000;

/**
 * The instant of a time; a year that is not given is the latest one that does not put it more than
 * a day past `now`.
 */
export function instantOf(time: Groups, now: number): number | null {
  if (time.year !== undefined) return instantOfYear(time, Number(time.year));
  const latest = new Date((now + DAY) / 1_000).getUTCFullYear();
  for (let year = latest; year > latest - 9; year--) {
    const instant = instantOfYear(time, year);
    if (instant !== null && instant <= now + DAY) return instant;
  }
  return null;
}

/** Null for a date or a time of day that does not exist. */
function instantOfYear(
  { month, day, hour, minute, second, fraction, zone, name }: Groups,
  year: number,
): number | null {
  const monthNumber = /^\d/.test(month!) ? Number(month) : MONTHS.indexOf(month!) + 1;
  const date = new Date(0);
  date.setUTCFullYear(year, monthNumber - 1, Number(day));
  if (date.getUTCMonth() !== monthNumber - 1 || date.getUTCDate() !== Number(day)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const seconds =
    (Number(hour) * 60 + Number(minute) - (zone ? minutesAhead(zone) : NAMES[name ?? ""] ?? 0)) * 60 +
    Number(second);
  return date.getTime() * 1_000 + seconds * 1_000_000 + microseconds(fraction);
}

function minutesAhead(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "") ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes ?? 0));
}

function microseconds(fraction = ""): number {
  return Number(fraction.slice(0, 6).padEnd(6, "0"));
}
