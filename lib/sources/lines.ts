import { type Entry, MAX_MESSAGE, type Micros, type Module } from "../types.ts";

/** A line of text, taken apart. */
export interface Line {
  /** Null where it carries no time, or one that only counts from the start of the machine. */
  readonly time: Micros | null;
  /** Program that wrote it; "" for a bare message. */
  readonly identifier: string;
  readonly pid: number | null;
  readonly message: string;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAY: Micros = 86_400_000_000;

/** Priority in angle brackets, and the version that follows it in RFC 5424. */
const PRIORITY = /^<\d{1,3}>(?:1 )?/;
const CLASSIC = new RegExp(
  `^(${MONTHS.join("|")}) {1,2}(\\d{1,2}) (\\d{2}):(\\d{2}):(\\d{2})(?:[.,](\\d{1,9}))?:? +`,
);
const ISO =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?(?: ?(Z|UTC|[+-]\d{2}:?\d{2})| [A-Z]{2,5})? +/;
const UNIX = /^(\d{9,10})\.(\d{3,6}) +/;
const MONOTONIC = /^\[ *\d+\.\d{6}\] +/;
/** Host, program, process, message id and structured data (RFC 5424, section 6). */
const RFC5424 = /^\S+ (\S+) (\d+|-) \S+ (?:-|\[[^\]]*\]) (?:\ufeff)?/;
/** Behind a time: up to two host names, perhaps facility and level, then the program. */
const TAG = /^(?:[^\s[:]+ +){0,2}?(?:\w+\.\w+:? +)?([\w./@-]+)(?:\[(\d+)\])?: +/;
/** Without a time nothing but a host may come first: what follows may have been chosen by an attacker. */
const BARE_TAG = /^(?:[^\s[:]+ )?([\w./@-]+)\[(\d+)\]: +/;
/** What Solaris and kernels put in front of a message. */
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\] )/;

/**
 * Takes apart a line of classic syslog (RFC 3164), of syslog with ISO 8601 times, of RFC 5424, of `journalctl -o
 * short…`, or a bare message, whichever it is. Only its first words decide: the rest may be an attacker's.
 * Times without a zone are local; one without a year belongs to the latest year that does not put it more
 * than a day past `now`.
 */
export function parseLine(line: string, now: Micros): Line {
  const { time, rest, form } = takeTime(line.replace(PRIORITY, ""), now);
  const structured = form === "iso" && line.startsWith("<") ? RFC5424.exec(rest) : null;
  const tag = structured ?? (form === "none" ? BARE_TAG : TAG).exec(rest);
  if (!tag) return { time, identifier: "", pid: null, message: trim(rest) };
  return {
    time,
    identifier: tag[1]!,
    pid: /^\d+$/.test(tag[2] ?? "") ? Number(tag[2]) : null,
    message: trim(rest.slice(tag[0].length).replace(DECORATION, "")),
  };
}

/**
 * The entry that a line stands for, to be read by one of `modules`. A line that one of them understands as it
 * stands is a bare message, whatever it seems to contain. `time` is given to a line without one.
 */
export function lineEntry(line: string, { modules, now, time }: {
  readonly modules: readonly Module[];
  readonly now: Micros;
  readonly time: Micros;
}): Entry {
  const bare = readerOf(line, modules);
  const { identifier, pid, message, ...parsed } = bare === null
    ? parseLine(line, now)
    : { time: null, identifier: bare.identifiers[0]!, pid: null, message: trim(line) };
  const reader = identifier === "" ? readerOf(message, modules)?.identifiers[0] ?? "" : identifier;
  return { time: parsed.time ?? time, identifier: reader, pid, message, sender: null };
}

function readerOf(message: string, modules: readonly Module[]): Module | null {
  return modules.find((module) => module.parse(message) !== null) ?? null;
}

function trim(message: string): string {
  return message.trim().slice(0, MAX_MESSAGE);
}

interface Timed {
  readonly time: Micros | null;
  readonly rest: string;
  readonly form: "classic" | "iso" | "unix" | "monotonic" | "none";
}

function takeTime(line: string, now: Micros): Timed {
  const classic = CLASSIC.exec(line);
  if (classic) {
    return { time: classicTime(classic, now), rest: line.slice(classic[0].length), form: "classic" };
  }
  const iso = ISO.exec(line);
  if (iso) return { time: isoTime(iso), rest: line.slice(iso[0].length), form: "iso" };
  const unix = UNIX.exec(line);
  if (unix) {
    return {
      time: Number(unix[1]) * 1e6 + fraction(unix[2]),
      rest: line.slice(unix[0].length),
      form: "unix",
    };
  }
  const monotonic = MONOTONIC.exec(line);
  if (monotonic) return { time: null, rest: line.slice(monotonic[0].length), form: "monotonic" };
  return { time: null, rest: line, form: "none" };
}

function classicTime(match: RegExpExecArray, now: Micros): Micros | null {
  const month = MONTHS.indexOf(match[1]!);
  const [day, hour, minute, second] = match.slice(2, 6).map(Number) as [number, number, number, number];
  const thisYear = new Date((now + DAY) / 1_000).getFullYear();
  // A 29th of February may lie up to eight years back.
  for (let year = thisYear; year > thisYear - 9; year--) {
    const date = new Date(year, month, day, hour, minute, second);
    const time = date.getTime() * 1_000 + fraction(match[6]);
    if (date.getMonth() === month && time <= now + DAY) return time;
  }
  return null;
}

function isoTime(match: RegExpExecArray): Micros | null {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const zone = match[8];
  const milliseconds = zone === undefined
    ? new Date(year, month - 1, day, hour, minute, second).getTime()
    : Date.UTC(year, month - 1, day, hour, minute, second) - offset(zone);
  return Number.isNaN(milliseconds) ? null : milliseconds * 1_000 + fraction(match[7]);
}

/** Milliseconds that a zone such as `+02:00` is ahead of UTC. */
function offset(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (!match) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}

/** Digits behind the point of a second, in microseconds. */
function fraction(digits: string | undefined): Micros {
  return digits === undefined ? 0 : Number(digits.padEnd(6, "0").slice(0, 6));
}
