import { type Read, readIsoTime, readSyslogTime, type Stamp, unixStamp } from "../core/timestamp.ts";
import { takeLineTime } from "./line_time.ts";

/** A line of text: its head and its message. */
export interface HeadAndMessage {
  /** Null where the line carries no time, or one that only counts from the start of the machine. */
  readonly stamp: Stamp | null;
  /** Program that wrote the line; "" for a bare message. */
  readonly identifier: string;
  readonly pid: number | null;
  /** Without blanks at its ends: the line's last part, but for blanks. */
  readonly message: string;
}

/** Priority in angle brackets, and the version that follows it in RFC 5424. */
const PRIORITY = /^<\d{1,3}>(?:1 )?/;
const WEEKDAY = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d{4}-)/;
const UNIX = /^(\d{9,10}\.\d{3,6}) +/;
const MONOTONIC = /^\[ *\d+\.\d{6}\] +/;
/** Blanks behind a time, perhaps after a colon or the short name of the local zone. */
const GAP = /^(?: [A-Z]{2,5})?:? +/;
/** Host, program, process, message id and structured data (RFC 5424, section 6). */
const RFC5424 = /^\S+ (\S+) (\d+|-) \S+ (?:-|\[[^\]]*\]) (?:\ufeff)?/;
/** Behind a time: up to two host names, perhaps facility and level, then the program. */
const TAG = /^(?:[^\s[:]+ +){0,2}?(?:\w+\.\w+:? +)?([\w./@-]+)(?:\[(\d+)\])?: +/;
/**
 * Without a time nothing but a host may come first: what follows may have been chosen by an
 * attacker.
 */
const BARE_TAG = /^(?:[^\s[:]+ )?([\w./@-]+)\[(\d+)\]: +/;
/** Sequence number or time that Solaris and kernels put before a message. */
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\] )/;

/**
 * Separates head and message of a line of classic syslog (RFC 3164), of syslog with ISO 8601 times,
 * of RFC 5424, or of `journalctl -o short…`; of another line all is the message. Only its first
 * words decide: the rest may be an attacker's.
 */
export function readHead(line: string): HeadAndMessage {
  const { stamp, rest, form } = takeTime(line.replace(PRIORITY, ""));
  const structured = form === "iso" && line.startsWith("<") ? RFC5424.exec(rest) : null;
  const tag = structured ?? (form === "none" ? BARE_TAG : TAG).exec(rest);
  if (!tag) return { stamp, identifier: "", pid: null, message: rest.trim() };
  return {
    stamp,
    identifier: tag[1]!,
    pid: /^\d+$/.test(tag[2] ?? "") ? Number(tag[2]) : null,
    message: rest.slice(tag[0].length).replace(DECORATION, "").trim(),
  };
}

interface Timed {
  readonly stamp: Stamp | null;
  readonly rest: string;
  readonly form: "syslog" | "iso" | "unix" | "monotonic" | "none";
}

function takeTime(line: string): Timed {
  const text = line.replace(WEEKDAY, "");
  const syslog = behind(text, { read: readSyslogTime(text), form: "syslog" });
  const timed = syslog ?? behind(text, { read: readIsoTime(text), form: "iso" });
  if (timed) return timed;
  const unix = UNIX.exec(line);
  if (unix) return { stamp: unixStamp(unix[1]!), rest: line.slice(unix[0].length), form: "unix" };
  const monotonic = MONOTONIC.exec(line);
  if (monotonic) return { stamp: null, rest: line.slice(monotonic[0].length), form: "monotonic" };
  return { form: "none", ...takeLineTime(line) ?? { stamp: null, rest: line } };
}

/** What follows a time and a gap; null where there is no gap, and so no time. */
function behind(text: string, { read, form }: { read: Read | null; form: Timed["form"] }): Timed | null {
  const rest = text.slice(read?.length);
  const gap = read && GAP.exec(rest);
  return gap && { stamp: read.stamp, rest: rest.slice(gap[0].length), form };
}
