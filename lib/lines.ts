import { detached } from "./core/text.ts";
import { microsOf, type Read, readIsoTime, readSyslogTime, type Stamp, unixStamp } from "./core/timestamp.ts";

/** A line of text, taken apart. */
export interface Line {
  /** Null where it carries no time, or one that only counts from the start of the machine. */
  readonly stamp: Stamp | null;
  /** Program that wrote it; "" for a bare message. */
  readonly identifier: string;
  readonly pid: number | null;
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
/** Without a time nothing but a host may come first: what follows may have been chosen by an attacker. */
const BARE_TAG = /^(?:[^\s[:]+ )?([\w./@-]+)\[(\d+)\]: +/;
/** What Solaris and kernels put in front of a message. */
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\] )/;

/**
 * Takes apart a line of classic syslog (RFC 3164), of syslog with ISO 8601 times, of RFC 5424, of `journalctl -o
 * short…`, or a bare message, whichever it is. Only its first words decide: the rest may be an attacker's.
 */
export function parseLine(line: string): Line {
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

/** A time to the minute, then seconds and perhaps a part of one; what follows, up to the process or the message, is the head's. */
const HEAD =
  /^((?:\w\w\w [ \d]\d |\d{4}-\d\d-\d\dT)\d\d:\d\d:)\d\d(?:[.,]\d{1,9})?((?:Z|[+-]\d\d:?\d\d)? \S+ [\w./@-]+)(?:\[\d+\])?: /;
/** Heads that are remembered, those of the programs that write by turns. */
const HEADS = 8;
const ZERO = 48;
const [BLANK, DELETE] = [32, 127];
const [POINT, COMMA, COLON] = [46, 44, 58];
const OPENING = 91;
/** Digits that a process or a fraction has at most where it is read so. */
const MOST_DIGITS = 9;
/** It may as well be the facility and level that syslog puts before a program. */
const FACILITY = /^\w+\.\w+$/;

/** What stands between the second and the process, or the message, of a line that was taken apart. */
interface Head {
  readonly text: string;
  readonly identifier: string;
  readonly offset: number | null;
}

/**
 * Takes lines apart as `parseLine()` does. Lines of a log begin much alike: one of the same minute, host and program as a line
 * before it is only compared with that one, in a tenth of the time.
 */
export class LineParser {
  #minute = "";
  #stamp: Stamp | null = null;
  readonly #heads: Head[] = [];

  /** See `parseLine()`. */
  parse(line: string): Line {
    return this.#alike(line) ?? this.#anew(line);
  }

  #alike(line: string): Line | null {
    const minute = this.#minute;
    if (this.#stamp === null || !line.startsWith(minute)) return null;
    let at = endOfDigits(line, minute.length);
    if (at !== minute.length + 2) return null;
    const second = digits(line, minute.length, at);
    const mark = line.charCodeAt(at);
    let fraction = 0;
    if (mark === POINT || mark === COMMA) {
      const end = endOfDigits(line, at + 1);
      if (end === at + 1 || end - at - 1 > MOST_DIGITS) return null;
      fraction = microsOf(line.slice(at + 1, end));
      at = end;
    }
    const head = this.#headAt(line, at);
    if (head === null) return null;
    const stamp = this.#stampOf(second, fraction, head.offset);
    return behindHead(line, { at: at + head.text.length, identifier: head.identifier, stamp });
  }

  /** The stamp of a second of the minute; that of the line before where it is the same. */
  #stampOf(second: number, fraction: number, offset: number | null): Stamp {
    const last = this.#stamp!;
    if (last.second === second && last.fraction === fraction && last.offset === offset) return last;
    const { year, month, day, hour, minute } = last;
    return this.#stamp = { year, month, day, hour, minute, second, fraction, offset };
  }

  #headAt(line: string, at: number): Head | null {
    const heads = this.#heads;
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!;
      if (!line.startsWith(head.text, at)) continue;
      // `sshd` begins `sshd-session` as well.
      const behind = line.charCodeAt(at + head.text.length);
      if (behind !== OPENING && behind !== COLON) continue;
      // Those that come often move to the front.
      if (i > 0) [heads[i - 1], heads[i]] = [head, heads[i - 1]!];
      return head;
    }
    return null;
  }

  #anew(line: string): Line {
    const parsed = parseLine(line);
    const [, minute, text] = HEAD.exec(line) ?? [];
    const { stamp, identifier } = parsed;
    if (minute === undefined || stamp === null || identifier === "" || FACILITY.test(identifier)) {
      return parsed;
    }
    if (!text!.endsWith(` ${identifier}`)) return parsed;
    const found = behindHead(line, {
      at: line.indexOf(text!, minute.length) + text!.length,
      identifier,
      stamp,
    });
    // What only looks like a head is none.
    if (found?.message !== parsed.message || found.pid !== parsed.pid) return parsed;
    // A zone belongs to one form of times alone.
    if (minute.length !== this.#minute.length) this.#heads.length = 0;
    this.#minute = detached(minute);
    this.#stamp = stamp;
    if (this.#heads.some((head) => head.text === text)) return parsed;
    this.#heads.unshift({ text: detached(text!), identifier: detached(identifier), offset: stamp.offset });
    if (this.#heads.length > HEADS) this.#heads.pop();
    return parsed;
  }
}

/** The line, whose process or message begins at `at`; null where it takes a closer look. */
function behindHead(
  line: string,
  { at, identifier, stamp }: { at: number; identifier: string; stamp: Stamp },
): Line | null {
  let pid: number | null = null;
  if (line.charCodeAt(at) === OPENING) {
    const end = endOfDigits(line, at + 1);
    if (end === at + 1 || end - at - 1 > MOST_DIGITS || line[end] !== "]") return null;
    pid = digits(line, at + 1, end);
    at = end + 1;
  }
  if (!line.startsWith(": ", at)) return null;
  const first = line.charCodeAt(at + 2);
  // It may be a decoration, or more blanks.
  if (first === OPENING || !(first > BLANK) || line.startsWith("kernel:", at + 2)) return null;
  const message = line.slice(at + 2);
  // It seldom has blanks of any kind at its ends.
  const last = message.charCodeAt(message.length - 1);
  const isTrim = first < DELETE && last > BLANK && last < DELETE;
  return { stamp, identifier, pid, message: isTrim ? message : message.trim() };
}

/** The number that the digits between two places are. */
function digits(line: string, from: number, to: number): number {
  let number = 0;
  for (let i = from; i < to; i++) number = 10 * number + line.charCodeAt(i) - ZERO;
  return number;
}

function endOfDigits(line: string, at: number): number {
  while (line.charCodeAt(at) >= ZERO && line.charCodeAt(at) < ZERO + 10) at++;
  return at;
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
  return { stamp: null, rest: line, form: "none" };
}

/** What follows a time and a gap; null where there is no gap, and so no time. */
function behind(text: string, { read, form }: { read: Read | null; form: Timed["form"] }): Timed | null {
  const rest = text.slice(read?.length);
  const gap = read && GAP.exec(rest);
  return gap && { stamp: read.stamp, rest: rest.slice(gap[0].length), form };
}
