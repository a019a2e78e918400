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

function readCalendarTime(text: string): TimePart | null {
  const { 0: { length: before }, groups } = BEFORE_TIME.exec(text)!;
  const rest = text.slice(before);
  const syslog = readSyslogTime(rest);
  const read = syslog ?? readIsoTime(rest);
  const gap = read && gapBehind(rest, read, groups!.open !== undefined);
  if (gap === null) return null;
  const from = before + CLOCK.exec(rest)!.index + "0:".length;
  const { open: _, pid } = groups as { open?: string; pid?: string };
  const { stamp } = read!;
  // A word with a slash may as well be a program's name.
  const word = isRegion(stamp.name ?? "") ? undefined : stamp.name;
  return {
    stamp: stamp.offset === null ? { ...stamp, name: gap.name ?? word } : stamp,
    minute: { from, end: from + SECOND_END.exec(text.slice(from))![0].length },
    pid: pid === undefined ? null : Number(pid),
    isIso: syslog === null,
    isTime: true,
    length: before + gap.end,
  };
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
/** A host by name or address. */
const HOST = "(?:[^\\s[:]+|[\\da-f]{0,4}:[\\da-f]{0,4}:[\\da-f:.]*)";
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
const NAME = "[\\w./@-]+";
/** `sshd`, `[sshd]`, `sshd(pam_unix)` */
const PROGRAM = `(?:\\[(?<bracketed>${NAME})\\]|(?<name>${NAME})(?:\\([\\w.:-]+\\))?)`;
const PROCESS = "\\[(?<pid>\\d+)\\]";
/** `kubectl logs --prefix` names pod and container; forego, in the container nginx-proxy, a process. */
// deno-lint-ignore no-control-regex
const POD = /^(?:\[pod\/[\w.-]+\/[\w.-]+\] +|(?:\x1b\[[\d;]*m)?nginx\.\d+ +\| (?:\x1b\[[\d;]*m)?)/;
/** The kernel writes the time since its start behind its name. */
const KERNEL = "(?<name>kernel))(?<after>: ?)(?=\\[ *\\d+\\.\\d+\\])";
/**
 * Behind a time: up to two hosts, perhaps facility and level, then the program; Apple and Kerberos
 * add a level. Some templates of rsyslog put no blank behind the colon.
 */
const TAGS = [
  `^(?<before>(?<host>(?:${HOST} +){0,2}?)${KERNEL}`,
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
  `^(?<before>(?<host>(?:[^\\s[:]+ )?)${KERNEL}`,
  `^(?<before>(?<host>(?:[^\\s[:]+ )?)${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
  `^(?<before>(?<host>)\\[(?!${LEVEL}\\])(?<name>${NAME})\\])(?<after>: +)`,
].map((source) => new RegExp(source));
/** Host, program, process, message id and structured data (RFC 5424, section 6). */
const STRUCTURED = new RegExp(
  "^(?<before>(?<host>\\S*[^\\s:]) (?<name>\\S*[^\\s:]) (?:-(?= )|(?=\\d)))(?<pid>\\d+)?" +
    '(?<after> \\S+ (?:-|(?:\\[[^\\s\\]"=]+(?: [^\\s\\]"=]+="(?:[^"\\\\]|\\\\.)*")*\\])+)(?: +\\ufeff?|$))',
);
/** Sequence number or time that Solaris and kernels write before a message. */
const DECORATION = /^(?:\[ID \d+ \w+\.\w+\] |kernel: ?\[ *\d+\.\d+\]:? )/;

/**
 * Reads the tag at the start of `given`; null if there is none.
 *
 * @param time the time before the tag; null: none
 */
export function readTag(given: string, time: Pick<TimePart, "isIso"> | null): TagPart | null {
  const text = withBlanks(given);
  const facility = FACILITY.exec(text) ?? (time === null ? POD.exec(text) : null);
  if (facility) return withoutProgram(facility[0]);
  const structured = time?.isIso ? STRUCTURED.exec(text) : null;
  const tag = structured ?? firstMatch(time === null ? BARE_TAGS : time.isIso ? TAGS : SYSLOG_TAGS, text);
  if (tag === null) {
    const relay = time === null ? null : RELAY.exec(text);
    return relay && withoutProgram(relay[0], relay.groups!.host);
  }
  const groups: Readonly<Record<string, string | undefined>> = tag.groups!;
  const { before, host, name, bracketed = name, pid, after } = groups;
  const end = tag[0].length;
  const length = end + (DECORATION.exec(text.slice(end))?.[0].length ?? 0);
  return {
    host: host!.trimEnd(),
    identifier: structured !== null && bracketed === "-" ? "" : bracketed!,
    pid: pid === undefined ? null : Number(pid),
    before: given.slice(0, before!.length),
    after: given.slice(end - after!.length, length),
    isStructured: structured !== null,
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

function withoutProgram({ length }: string, host = ""): TagPart {
  return { host, identifier: null, pid: null, before: "", after: "", isStructured: false, length };
}
