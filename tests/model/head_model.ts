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
const MONTH = `(?<month>${MONTHS.join("|")})`;
const CLOCK = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const FRACTION = "(?:[.,](?<fraction>\\d{1,9}))?";
const ZONE = "(?: ?(?<zone>Z|UTC|GMT|[+-]\\d\\d:?\\d\\d)\\b)?";

/** `May  6 10:56:10.5` */
const SYSLOG_TIME = new RegExp(`^${MONTH} {1,2}(?<day>\\d{1,2}) ${CLOCK}${FRACTION}`);
/** `2026-05-06T10:56:10.123456+02:00`, and nginx's `2026/05/06 10:56:10` */
export const ISO_TIME = new RegExp(
  `^(?<year>\\d{4})[-/](?<month>\\d\\d)[-/](?<day>\\d\\d)[T ]${CLOCK}${FRACTION}${ZONE}`,
);
/** `06/May/2026:10:56:10 +0200` */
export const CLF_TIME = new RegExp(`^(?<day>\\d\\d)/${MONTH}/(?<year>\\d{4}):${CLOCK} (?<zone>[+-]\\d{4})$`);
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
  const tag = (iso && line.startsWith("<") ? take(TAGS.rfc5424) : null) ??
    take(isTimed ? TAGS.timed : TAGS.bare);
  if (tag) take(DECORATION);
  return {
    time: unix
      ? Number(unix.seconds) * 1_000_000 + microseconds(unix.fraction)
      : syslog ?? iso
      ? instantOf((syslog ?? iso)!, now)
      : null,
    program: tag?.program ?? "",
    pid: tag?.pid === undefined ? null : Number(tag.pid),
    message: rest.trim(),
  };
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
  { month, day, hour, minute, second, fraction, zone }: Groups,
  year: number,
): number | null {
  const monthNumber = /^\d/.test(month!) ? Number(month) : MONTHS.indexOf(month!) + 1;
  const date = new Date(0);
  date.setUTCFullYear(year, monthNumber - 1, Number(day));
  if (date.getUTCMonth() !== monthNumber - 1 || date.getUTCDate() !== Number(day)) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  const seconds = (Number(hour) * 60 + Number(minute) - minutesAhead(zone)) * 60 + Number(second);
  return date.getTime() * 1_000 + seconds * 1_000_000 + microseconds(fraction);
}

function minutesAhead(zone: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone ?? "") ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
}

function microseconds(fraction = ""): number {
  return Number(fraction.slice(0, 6).padEnd(6, "0"));
}
