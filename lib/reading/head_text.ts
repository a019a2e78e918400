/**
 * Times at the starts of heads, with what collectors write around them, as expressions on text. In:
 * text that begins with a time. Out: its values and its length in characters. A tab counts as a
 * blank.
 */
import type { Stamp } from "../core/stamp.ts";
import { MONTH, type Read, readIsoTime, readSyslogTime, unixStamp } from "../core/timestamp.ts";
import { LOCAL_DAY } from "../core/local_names.ts";
import { isRegion } from "../core/zone.ts";
import { readLineTime, withBlanks } from "./line_time.ts";

/** A time at the start of a text, and the gap behind it. */
export interface TimePart {
  /** Null: the time counts from the machine's start, or is not known. */
  readonly stamp: Stamp | null;
  /** Where the digits of the minute begin and the second's fraction ends; null: nowhere. */
  readonly minute: { readonly from: number; readonly end: number } | null;
  /** Process that Windows' sshd.log and dropbear write before the time. */
  readonly pid: number | null;
  readonly isIso: boolean;
  /** False: a priority without a time behind it. */
  readonly isTime: boolean;
  readonly length: number;
}

/** The message's length, which syslog over TCP may put first (RFC 6587, section 3.4.1). */
const LENGTH = "(?:\\d{1,7} )?";
/**
 * Priority in angle brackets, the version that follows it in RFC 5424 and may come alone, or the
 * process of Windows' sshd.log or of dropbear; then an opening bracket, and the name of a day.
 */
const BEFORE_TIME = new RegExp(
  `^(?:${LENGTH}<\\d{1,3}>(?:1 )?|` +
    "1 (?=\\d{4}-\\d\\d-\\d\\dT)|(?<pid>\\d{1,9}) (?=\\d{4}-\\d\\d-\\d\\d )|" +
    `\\[(?<process>\\d{1,9})\\] (?=(?:${MONTH}) ))?` +
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
  `^(?: (?<name>${ZONES})(?=[ :]))?:? +(?:\\[\\d+\\.\\d{3}\\] )?(?:std(?:out|err) [FP](?::\\S+)? +)?`,
);
const UNIX = /^(\d{9,10}\.\d{3,6}) +/;
/**
 * Seconds since the machine's start, less than 31 years of them; ten digits count from 1970.
 * `journalctl -o short-delta` adds the time since the line before.
 */
const MONOTONIC = /^\[ *\d{1,9}\.\d{1,6}(?: {16}| < *\d+\.\d{6} >)?\]:? +/;

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
  const { 0: opening, groups } = BEFORE_TIME.exec(text)!;
  const before = opening.length + (LOCAL_DAY.exec(text.slice(opening.length))?.[0].length ?? 0);
  const rest = text.slice(before);
  const syslog = readSyslogTime(rest);
  const read = syslog ?? readIsoTime(rest);
  const gap = read && gapBehind(rest, read, groups!.open !== undefined);
  if (gap === null) return null;
  const { process, pid = process } = groups as { process?: string; pid?: string };
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
