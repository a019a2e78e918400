/**
 * Parts of heads as expressions on text: times with what collectors write around them, and tags,
 * which name host, program and process. In: text that begins with a part. Out: the part's values
 * and its length in characters. A tab counts as a blank.
 */
import type { Stamp } from "../core/stamp.ts";
import { type Read, readIsoTime, readSyslogTime, unixStamp } from "../core/timestamp.ts";
import { isRegion } from "../core/zone.ts";
import { readLineTime, withBlanks } from "./line_time.ts";

/** A time at the start of a text, and the gap behind it. */
export interface TimePart {
  /** Null: the time counts from the machine's start, or is not known. */
  readonly stamp: Stamp | null;
  /** Where the digits of the minute begin and the second's fraction ends; null: nowhere. */
  readonly minute: { readonly from: number; readonly end: number } | null;
  /** Process that Windows' sshd.log writes before the time. */
  readonly pid: number | null;
  readonly isIso: boolean;
  /** False: a priority without a time behind it. */
  readonly isTime: boolean;
  readonly length: number;
}

/** Host, program and process at the start of a text, and the text that ends them. */
export interface TagPart {
  /** Up to two words before the program; "" if there are none. */
  readonly host: string;
  /** Null: only facility and level. "": RFC 5424 says that there is no program. */
  readonly identifier: string | null;
  readonly pid: number | null;
  /** Texts before the process, or before the place where it would be, and behind it. */
  readonly before: string;
  readonly after: string;
  readonly isStructured: boolean;
  readonly length: number;
}

const MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec";
/** The message's length, which syslog over TCP may put first (RFC 6587, section 3.4.1). */
const LENGTH = "(?:\\d{1,7} )?";
/**
 * Priority in angle brackets, the version that follows it in RFC 5424 and may come alone, or the
 * process of Windows' sshd.log; then an opening bracket, and the name of a day.
 */
const BEFORE_TIME = new RegExp(
  `^(?:${LENGTH}<\\d{1,3}>(?:1 )?|` +
    "1 (?=\\d{4}-\\d\\d-\\d\\dT)|(?<pid>\\d{1,9}) (?=\\d{4}-\\d\\d-\\d\\d ))?" +
    `(?<open>\\[)?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?=\\d{4}-|(?:${MONTH}) ))?`,
);
const PRIORITY_ALONE = /^<\d{1,3}>(?:1 )?/;
/** A relay of RFC 5424 that knows no time writes `-` (section 6.2.3). */
const NO_TIME = new RegExp(`^${LENGTH}<\\d{1,3}>1 - `);
const CLOCK = /\d:\d\d:(?=\d\d)/;
const SECOND_END = /^\d\d:\d\d(?:[.,]\d{1,9})?/;
/** Short names of zones behind a time. Any other word may begin a message. */
const ZONES =
  "UTC|GMT|WET|WEST|BST|CET|CEST|EET|EEST|MSK|IST|PKT|SGT|HKT|JST|KST|AWST|ACST|ACDT|AEST|AEDT|NZST|NZDT|" +
  "NST|NDT|AST|ADT|EST|EDT|CST|CDT|MST|MDT|PST|PDT|AKST|AKDT|HST|HDT|SST|IDT|WAT|CAT|EAT|SAST|WIB|WITA|WIT";
/**
 * Blanks behind a time, perhaps after a colon or a zone; then additions of OpenWrt's `logread -t`
 * and of container runtimes.
 */
const GAP = new RegExp(
  `^(?: (?<name>${ZONES})(?=[ :]))?:? +(?:\\[\\d+\\.\\d{3}\\] )?(?:std(?:out|err) [FP] +)?`,
);
const UNIX = /^(\d{9,10}\.\d{3,6}) +/;
/** `journalctl -o short-delta` adds the time since the line before. */
const MONOTONIC = /^\[ *\d+\.\d{1,6}(?: {16}| < *\d+\.\d{6} >)?\]:? +/;

/** Reads the time at the start of `given`; null if there is none. */
export function readHeadTime(given: string): TimePart | null {
  const text = withBlanks(given);
  const rest = { minute: null, pid: null, isIso: false, isTime: true };
  const unix = UNIX.exec(text);
  if (unix) return { ...rest, stamp: unixStamp(unix[1]!), length: unix[0].length };
  const monotonic = MONOTONIC.exec(text);
  if (monotonic) return { ...rest, stamp: null, length: monotonic[0].length };
  const calendar = readCalendarTime(text);
  if (calendar) return calendar;
  const own = readLineTime(text);
  if (own) return { ...rest, ...own };
  const timeless = NO_TIME.exec(text);
  if (timeless) return { ...rest, stamp: null, isIso: true, length: timeless[0].length };
  const priority = PRIORITY_ALONE.exec(text);
  return priority && { ...rest, stamp: null, isTime: false, length: priority[0].length };
}

/** Reads a text that is a time of ISO 8601 and nothing else, as Docker writes it; null: it is not. */
export function readWholeTime(text: string): TimePart | null {
  const read = readIsoTime(text);
  const isWhole = read !== null && read.length === text.length;
  return isWhole ? { ...read, minute: minuteIn(text), pid: null, isIso: true, isTime: true } : null;
}

function readCalendarTime(text: string): TimePart | null {
  const { 0: { length: before }, groups } = BEFORE_TIME.exec(text)!;
  const rest = text.slice(before);
  const syslog = readSyslogTime(rest);
  const read = syslog ?? readIsoTime(rest);
  const gap = read && gapBehind(rest, read, groups!.open !== undefined);
  if (gap === null) return null;
  const { open: _, pid } = groups as { open?: string; pid?: string };
  const { stamp } = read!;
  // A word with a slash may as well be a program's name.
  const word = isRegion(stamp.name ?? "") ? undefined : stamp.name;
  return {
    stamp: stamp.offset === null ? { ...stamp, name: gap.name ?? word } : stamp,
    minute: minuteIn(text, before),
    pid: pid === undefined ? null : Number(pid),
    isIso: syslog === null,
    isTime: true,
    length: before + gap.end,
  };
}

/** Returns the place of minute and second of the time at `at`. */
function minuteIn(text: string, at = 0): TimePart["minute"] {
  const from = at + CLOCK.exec(text.slice(at))!.index + "0:".length;
  return { from, end: from + SECOND_END.exec(text.slice(from))![0].length };
}

/** Returns the end of the gap behind a time, and the zone in it; null: no gap, and so no time. */
function gapBehind(
  text: string,
  { length }: Read,
  isBracketed: boolean,
): { readonly end: number; readonly name: string | undefined } | null {
  const end = length + (isBracketed ? 1 : 0);
  if (isBracketed && text[length] !== "]") return null;
  const gap = GAP.exec(text.slice(end));
  return gap && { end: end + gap[0].length, name: gap.groups!.name };
}

const LEVELS = "emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug";
const FACILITIES =
  "kern|user|mail|daemon|auth|security|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|console|local[0-7]";
/** `auth.info`; AIX writes `auth|security:info`. */
const PRIORITY = `(?:${FACILITIES})(?:\\|(?:${FACILITIES}))*[.:](?:${LEVELS})`;
/** A host by name or address, which Solaris and others put in brackets. */
const HOST =
  "(?:[^\\s[:]+|[\\da-f]{0,4}:[\\da-f]{0,4}:[\\da-f:.]*(?:%[\\w.-]+)?|\\[[\\da-f]*[.:][\\da-f.:]*\\])";
/** Host that a relay writes before a line with its own head; AIX adds the sender. */
const RELAY = new RegExp(
  `^(?<host>${HOST}) +(?:Message forwarded from [^\\s:]+: |(?=${PRIORITY}:? |<\\d{1,3}>|(?:1 )?\\d{4}-\\d\\d-\\d\\dT\\d\\d:|(?:${MONTH}) [ \\d]\\d \\d\\d:))`,
);
/**
 * Facility and level alone: OpenWrt, busybox and, in angle brackets, BSD's syslogd write them
 * first; socklog writes them behind the sender's address.
 */
const FACILITY = new RegExp(`^(?:[\\da-f.:]+: )?(?:${PRIORITY}:?|<(?:${PRIORITY}|\\d+\\.\\d+)>) +`);
/** Levels that sshd and others write before a message: not names of programs. */
const LEVEL = "(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\\d*)";
/** A program, or an instance of a unit such as `ssh@0-192.0.2.1:22-203.0.113.5:40022.service`. */
const NAME = "(?:[\\w./@-]+|[\\w.\\\\-]+@[\\w.:\\\\-]+\\w)";
/** `sshd`, `[sshd]`, `sshd(pam_unix)` */
const PROGRAM = `(?:\\[(?<bracketed>${NAME})\\]|(?<name>${NAME})(?:\\([\\w.:-]+\\))?)`;
/** A thread may follow the process; templates of syslog-ng write `[]` for none. */
const PROCESS = "\\[(?<pid>\\d*)(?:[.:][\\da-f]+)?\\]";
const COLOUR = "(?:\\x1b\\[[\\d;]*m)?";
/** `kubectl logs --prefix` names pod and container; `docker compose`, forego and others `ssh-1  |`. */
const POD = new RegExp(
  `^(?:\\[pod/[\\w.-]+/[\\w.-]+\\] +|${COLOUR}(?!${LEVEL}\\b)[\\w.@-]+ +\\|${COLOUR} ${COLOUR})`,
  "i",
);
/** The kernel writes the time since its start behind its name. */
const KERNEL = "(?<name>kernel))(?<after>: ?)(?=\\[ *\\d+\\.\\d+\\])";
/**
 * Behind a time: up to two hosts, perhaps facility and level, then the program; Apple and Kerberos
 * add a level. Some templates of rsyslog put no blank behind the colon.
 */
const TAGS = [
  `^(?<before>(?<host>(?:${HOST} +){0,2}?)${KERNEL}`,
  // `log show` of macOS: thread, type, activity, process, time to live.
  `^(?<before>(?<host>)0x[\\da-f]+ +\\w+ +0x[\\da-f]+ +(?<pid>\\d+) +\\d+ +(?<name>${NAME}))(?<after>: +)`,
  `^(?<before>(?<host>(?:${HOST} +){0,2}?)(?:${PRIORITY}:? +)?(?!\\[?(?:${LEVEL}|${PRIORITY})\\]?[:[])${PROGRAM})` +
  `(?:${PROCESS}(?<after>(?: <\\w+>|\\(\\w+\\))?:? +|:)|(?<after>: +))`,
].map((source) => new RegExp(source));
/** metalog writes no colon behind the program. */
const SYSLOG_TAGS = [
  ...TAGS,
  new RegExp(`^(?<before>(?<host>(?:${HOST} +)?)\\[(?!(?:${LEVEL}|\\d+)\\])(?<name>${NAME})\\])(?<after> +)`),
];
/**
 * Without a time, only a host may come first, and a process is required: an attacker may have
 * chosen the text that follows.
 */
const BARE_TAGS = [
  `^(?<before>(?<host>(?:${HOST} )?)${KERNEL}`,
  `^(?<before>(?<host>(?:${HOST} )?)${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
  `^(?<before>(?<host>)\\[(?!${LEVEL}\\])(?<name>${NAME})\\])(?<after>: +)`,
].map((source) => new RegExp(source));
/**
 * Programs by name alone, which must be known: rsyslog writes what it got by RFC 5424 without a process
 * as `sshd Invalid user …`, and Windows' event log has `sshd: Invalid user …`.
 */
const NAMED_TAGS = [
  `^(?<before>(?<host>)(?<name>${NAME}))(?<after> +)`,
  `^(?<before>(?<host>${HOST} +)(?<name>${NAME}))(?<after> +)`,
].map((source) => new RegExp(source));
const BARE_NAMES = [new RegExp(`^(?<before>(?<host>)(?<name>${NAME}))(?<after>: +)`)];
/** Behind another tag. */
const INNER_TAGS = [new RegExp(`^(?<before>(?<host>)${PROGRAM})${PROCESS}(?<after>:? +)`), ...BARE_NAMES];
/** Host, program, process, message id and structured data (RFC 5424, section 6). */
const STRUCTURED = new RegExp(
  "^(?<before>(?<host>\\S*[^\\s:]) (?<name>\\S*[^\\s:]) (?:-(?= )|(?=\\d)))(?<pid>\\d+)?" +
    '(?<after> \\S+ (?:-|(?:\\[[^\\s\\]"=]+(?: [^\\s\\]"=]+="(?:[^"\\\\]|\\\\.)*")*\\])+)(?: +\\ufeff?|$))',
);
/** Sequence number or time that Solaris and kernels write before a message. */
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\]:? )/;

/** What precedes a tag, and which names are programs of modules. */
export interface TagPlace {
  /** Null: no time. */
  readonly time: Pick<TimePart, "isIso"> | null;
  /** Whether another tag precedes: this one must name a known program. */
  readonly isBehindTag?: boolean;
  /** Default: none is. */
  readonly isKnown?: (program: string) => boolean;
}

/** Reads the tag at the start of `given`; null if there is none. */
export function readTag(
  given: string,
  { time, isBehindTag = false, isKnown = () => false }: TagPlace,
): TagPart | null {
  const text = withBlanks(given);
  if (isBehindTag) return tagPart(given, knownMatch(INNER_TAGS, text, isKnown));
  const facility = FACILITY.exec(text) ?? (time === null ? POD.exec(text) : null);
  if (facility) return withoutProgram(facility[0]);
  const structured = time?.isIso ? STRUCTURED.exec(text) : null;
  const full = structured ?? firstMatch(time === null ? BARE_TAGS : time.isIso ? TAGS : SYSLOG_TAGS, text);
  const tag = full !== null && !mayBeMessage(full, isKnown)
    ? full
    : knownMatch(time === null ? BARE_NAMES : NAMED_TAGS, text, isKnown) ?? full;
  if (tag === null) {
    const relay = time === null ? null : RELAY.exec(text);
    return relay && withoutProgram(relay[0], relay.groups!.host);
  }
  return tagPart(given, tag, structured !== null);
}

function tagPart(given: string, tag: RegExpExecArray | null, isStructured = false): TagPart | null {
  if (tag === null) return null;
  const { input: text } = tag;
  const groups: Readonly<Record<string, string | undefined>> = tag.groups!;
  const { before, host, name, bracketed = name, pid, after } = groups;
  const end = tag[0].length;
  const length = end + (DECORATION.exec(text.slice(end))?.[0].length ?? 0);
  return {
    host: host!.trimEnd(),
    identifier: isStructured && bracketed === "-" ? "" : bracketed!,
    pid: pid === undefined || pid === "" ? null : Number(pid),
    before: given.slice(0, before!.length),
    after: given.slice(end - after!.length, length),
    isStructured,
    length,
  };
}

function firstMatch(expressions: readonly RegExp[], text: string): RegExpExecArray | null {
  for (const expression of expressions) {
    const match = expression.exec(text);
    if (match) return match;
  }
  return null;
}

/** Reports whether a known program may be the second host: `web sshd PAM: Authentication failure`. */
function mayBeMessage({ groups }: RegExpExecArray, isKnown: (program: string) => boolean): boolean {
  const { host, name, pid } = groups!;
  return pid === undefined && / \S/.test(host!) && name !== undefined && name !== "kernel" && !isKnown(name);
}

/** Returns the first match that names a known program; null: none. */
function knownMatch(
  expressions: readonly RegExp[],
  text: string,
  isKnown: (program: string) => boolean,
): RegExpExecArray | null {
  for (const expression of expressions) {
    const match = expression.exec(text);
    if (match && isKnown(match.groups!.bracketed ?? match.groups!.name!)) return match;
  }
  return null;
}

function withoutProgram({ length }: string, host = ""): TagPart {
  return { host, identifier: null, pid: null, before: "", after: "", isStructured: false, length };
}
