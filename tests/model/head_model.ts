/** What syslog and collectors of logs put before a message, taken off by a table of anchored expressions. */

import { LOCAL_DAY, localMonth } from "../../lib/core/local_names.ts";
import { resolveStamp } from "../../lib/core/stamp.ts";
import { membersOf } from "../../lib/reading/json_object.ts";
import { timeOfLine } from "../../lib/reading/line_time.ts";

/** What is left of a line when one more part of its head is taken off. */
export interface HeadedLine {
  /** Microseconds since the epoch, by the outermost time; null where the line does not tell an instant. */
  readonly time: number | null;
  /** Program that a tag names which was taken off last; null: something else was. */
  readonly program: string | null;
  /** Of the process; null where the line does not tell. */
  readonly pid: number | null;
  /** How often it was written. */
  readonly count: number;
  readonly message: string;
  /** Whether the line is JSON of a collector that may be a service's own. */
  readonly isObject: boolean;
}

/** What the heads are taken off with. */
export interface HeadContext {
  /** When the line is read, in microseconds since the epoch. */
  readonly now: number;
  /** Whether it is a program's name that a module has. */
  readonly isKnown: (program: string) => boolean;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const MONTH = `(?<month>${MONTHS.join("|")})`;
const CLOCK = "(?<hour>\\d\\d):(?<minute>\\d\\d):(?<second>\\d\\d)";
const FRACTION = "(?:[.,](?<fraction>\\d{1,9}))?";
const NAME = "(?= (?<name>[A-Z]{2,5})\\b)";
const OFFSET = "[+-]\\d\\d(?::?\\d\\d)?";
const ZONE = `(?: ?(?<zone>(?:UTC|GMT)(?:${OFFSET}|[+-]\\d)|Z|UTC|GMT|${OFFSET})\\b)?(?:${NAME}|)`;
/** Of a clock of twelve hours: `18:21:57 am` is the time `18:21:57` before a word. */
const TWELVE_HOURS = "(?<=(?<!\\d)(?:0?[1-9]|1[0-2]):\\d\\d:\\d\\d(?:[.,]\\d+)?)";
const HALF = `(?:${TWELVE_HOURS} ?(?<half>[AP]M|[ap]m|[ap]\\.m\\.)(?!\\w))?`;
/** Hours may have one digit. */
const SHORT = CLOCK.replace("\\d\\d", "\\d{1,2}");
/** Minutes that some short names of zones mean. */
const NAMES: Readonly<Record<string, number>> = {
  ...{ EST: -300, EDT: -240, CST: -360, CDT: -300, MST: -420, MDT: -360, PST: -480, PDT: -420 },
  ...{ CET: 60, CEST: 120, MET: 60, MEST: 120, EET: 120, EEST: 180, WET: 0, WEST: 60 },
};

/** `May  6 10:56:10.5`, `May  6 2026 10:56:10`, `Wed May  6 10:56:10 CEST 2026` */
const SYSLOG_TIME = new RegExp(
  `^(?:${WEEKDAY_NAME} +)?${MONTH} +(?<day>\\d{1,2}) +(?:(?<year>\\d{4}) +)?${CLOCK}${FRACTION}` +
    `(?:${HALF} (?:(?:(?<zone>UTC|GMT|${OFFSET})|(?<name>[A-Z]{2,5})) )?(?<later>(?:19|20)\\d\\d)(?![\\w[/@]|[.:-]\\w)` +
    `| (?<offset>(?:UTC|GMT)${OFFSET})(?![\\w:]))?`,
);
/** `2026 May  6 10:56:10`, `2026-May-06 10:56:10` */
const YEAR_FIRST = new RegExp(
  `^(?<year>\\d{4})[ /-]${MONTH}[ /-] ?(?<day>\\d{1,2}) +${CLOCK}${FRACTION}${HALF}${ZONE}`,
);
/** `Mär 06 10:56:10` */
const LOCAL_TIME = new RegExp(
  `^(?<month>[\\p{L}\\p{M}]{3,5}\\.?|\\d{1,2}[月월]) +(?<day>\\d{1,2}) ${CLOCK}${FRACTION}`,
  "u",
);
/** `2026-05-06T10:56:10.123456+02:00`, nginx's `2026/05/06 10:56:10`, and `2026-05-06_10:56:10` */
export const ISO_TIME = new RegExp(
  `^(?<year>\\d{4})[-/.](?<month>\\d\\d)[-/.](?<day>\\d\\d)(?:,? +|[T_-]| - )${SHORT}${FRACTION}${HALF}${ZONE}`,
);
/** `06/May/2026:10:56:10 +0200` */
export const CLF_TIME = new RegExp(`^(?<day>\\d\\d)/${MONTH}/(?<year>\\d{4}):${CLOCK} (?<zone>[+-]\\d{4})$`);
/** What services write at the beginning of a line, or where a pattern says `<TIME>`. */
const OWN_TIMES = [
  ISO_TIME,
  SYSLOG_TIME,
  YEAR_FIRST,
  // `20260506-10:56:10`, `260506  1:56:10`
  new RegExp(
    `^(?<year>(?:19|20)?\\d\\d)(?<month>\\d\\d)(?<day>\\d\\d)(?:[T_-]| +)${SHORT}${FRACTION}${ZONE}`,
  ),
  // `CEST May  6 10:56:10`
  new RegExp(`^(?<name>[A-Z]{2,5}) ${MONTH} (?<day>[ \\d]\\d) ${CLOCK}`),
  // `06/May/2026:10:56:10 +0200`
  new RegExp(`^(?<day>\\d\\d)/${MONTH}/(?<year>\\d{4})[: ]${CLOCK}${FRACTION}${ZONE}`),
  // `Wed, 06 May 2026 10:56:10 +0200`
  new RegExp(
    `^(?:${WEEKDAY_NAME},? +)?(?<day>\\d{1,2})[ -]${
      MONTH.replace(")", `|${MONTHS.join("|").toUpperCase()})`)
    }[ -](?<year>\\d{4}) +${CLOCK}${FRACTION}${HALF}${ZONE}`,
  ),
  // `3/9/2026 4:05:06 AM`
  new RegExp(
    `^(?<month>\\d{1,2})/(?<day>\\d{1,2})/(?<year>\\d{4}),? +(?<hour>(?:0?[1-9]|1[0-2])):` +
      `(?<minute>\\d\\d):(?<second>\\d\\d)${FRACTION}[ \u202f]?(?<half>[AP]M)(?!\\w)(?:${NAME}|)`,
  ),
  // `03-09 04:05:06`
  new RegExp(`^(?<month>\\d\\d)-(?<day>\\d\\d) ${CLOCK}${FRACTION}`),
  /^(?<seconds>[12]\d{9})(?<rest>\d{3}|\d{6}|\d{9})?(?:[.,](?<fraction>\d{1,9}))?(?![\d.,]*\d)/,
];
/** Matches the same, without groups. */
export const A_TIME = OWN_TIMES.map(({ source }) =>
  source.slice(1).replace(NAME, " [A-Z]{2,5}").replace(/\(\?<\w+>/g, "(?:").replace(/\(\?[=!][^()]*\)/g, "")
).join("|");
const UNIX_TIME = /^(?<seconds>\d{9,10})\.(?<fraction>\d{3,6}) +/;
const TAI_TIME = /^@4(?<tai>[0-9a-f]{15})(?<nano>[0-9a-f]{8}) +/;
/** Alone, or with the time since the line before, for which the first line leaves 16 blanks. */
const MONOTONIC_TIME = /^\[ *\d{1,9}\.\d{1,6}(?: {16}| < *\d+\.\d{6} >)?\]:? +/;
/** Of RFC 5424: nobody knows when. */
const NIL_TIME = /^(?:\d{1,7} )?<\d{1,3}>1 - /;

/** Of a message of syslog over TCP. */
const LENGTH = /^\d{1,7} (?=<\d{1,3}>)/;

const PRIORITY = /^<\d{1,3}>(?:1 )?/;
/** What may stand before a time. */
const VERSION = /^1 (?=\d{4}-\d\d-\d\dT)/;
const PROCESS = /^(?<pid>\d{1,9}) (?=\d{4}-\d\d-\d\d )/;
/** Of dropbear. */
const BRACKETED = new RegExp(`^\\[(?<pid>\\d{1,9})\\] (?=(?:${MONTHS.join("|")}) )`);
const WEEKDAY = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? (?=\\d{4}-|(?:${MONTHS.join("|")}) )`);
const ZONES =
  "UTC GMT WET WEST BST CET CEST EET EEST MSK IST PKT SGT HKT JST KST AWST ACST ACDT AEST AEDT NZST NZDT NST NDT AST ADT EST EDT CST CDT MST MDT PST PDT AKST AKDT HST HDT SST IDT WAT CAT EAT SAST WIB WITA WIT"
    .split(" ");
const GAP = new RegExp(
  `^(?: (?<zone>${
    ZONES.join("|")
  })(?=[ :]))?:? +(?:\\[\\d+\\.\\d{3}\\] )?(?:(?:stdout|stderr) [FP](?::\\S+)? +)?`,
);

const LEVELS = "emerg panic alert crit err error warn warning notice info debug".split(" ");
const FACILITIES =
  "kern user mail daemon auth security syslog lpr news uucp cron authpriv ftp ntp audit console local[0-7]"
    .split(" ");
const SYSLOG_LEVEL = `(?:${FACILITIES.join("|")})(?:\\|(?:${FACILITIES.join("|")}))*[.:](?:${
  LEVELS.join("|")
})`;
const PRIORITIES = `(?:${SYSLOG_LEVEL}(?:<\\d{1,3}>)?:?|(?:${FACILITIES.join("|")}) (?:${
  LEVELS.join("|")
})|\\[(?:${LEVELS.join("|")})\\])`;
/** socklog has the sender's address before them. */
const FACILITY = new RegExp(
  `^(?:[\\da-f.:]+: )?(?:(?:${FACILITIES.join("|")}) *:(?:${
    LEVELS.join("|")
  }) *:|${SYSLOG_LEVEL}(?:<\\d{1,3}>)?:?|<(?:${SYSLOG_LEVEL}|\\d+\\.\\d+)>) +`,
);
const LEVEL = "(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\\d*)";
const HOST =
  "(?:[^\\s[:|]+|[\\da-f]{0,4}:[\\da-f]{0,4}:[\\da-f:.]*(?:%[\\w.-]+)?|\\[[\\da-f]*[.:][\\da-f.:]*\\])";
/** The same at a line's start. */
const BARE_HOST = HOST.replace("[^\\s[:|]+", "[\\w.@/-]+");
/** A relay's, before another head. */
const RELAY = new RegExp(
  `^${HOST} +(?=${SYSLOG_LEVEL}:? |<\\d{1,3}>|(?:1 )?\\d{4}-\\d\\d-\\d\\dT\\d\\d:|(?:${
    MONTHS.join("|")
  }) [ \\d]\\d \\d\\d:)`,
);
/** An access point of UniFi, before a program. */
const DEVICE = new RegExp(`^(?:${HOST} +)?(?:[\\w-]+,)?[\\da-f]{12},[\\w.+-]+: +`);
/** Of `aws logs tail`; a zone is none, nor a program's tag. */
const STREAM = /^(?![A-Z][A-Za-z]+\/[A-Z]|\S*(?::|\[\d*\]) )[\w.#$@:[\]-]+(?:\/[\w.#$@:[\]-]+)+ +/;
const PROGRAM = "(?:[\\w./@-]+|[\\w.\\\\-]+@[\\w.:\\\\-]+\\w)";
const PID = "\\[ *(?<pid>\\d*) *(?:[.:][\\da-f]+)?\\]";
/** Each with the name of its program in the group `program`. */
const TAGS = {
  rfc5424: [
    '^\\S*[^\\s:] (?<program>\\S*[^\\s:]) (?:(?<pid>\\d+)|-) \\S+ (?:-|(?:\\[[^\\s\\]"=]+(?: [^\\s\\]"=]+="(?:[^"\\\\]|\\\\.)*")*\\])+)(?: +\ufeff?|$)',
  ],
  timed: [
    `^(?:${HOST} +){0,2}?(?<program>kernel): ?(?=\\[ *\\d+\\.\\d+\\])`,
    `^0x[\\da-f]+ +\\w+ +0x[\\da-f]+ +(?<pid>\\d+) +\\d+ +(?<program>${PROGRAM}): +`,
    `^(?<host>(?:${HOST} +){0,2}?)(?:${PRIORITIES} +)?(?!\\[?(?:${LEVEL}|${SYSLOG_LEVEL})\\]?[:[])` +
    `(?:\\[(?<bracketed>${PROGRAM})\\]|(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))?)(?:${PID}(?:(?: <\\w+>|\\(\\w+\\))?:? +|:)|: +)`,
  ],
  // Of metalog.
  colonless: [`^(?:${HOST} +)?\\[(?!(?:${LEVEL}|\\d+)\\])(?<program>${PROGRAM})\\] +`],
  bare: [
    `^(?:${BARE_HOST} )?(?<program>kernel): ?(?=\\[ *\\d+\\.\\d+\\])`,
    `^(?:${BARE_HOST} )?(?:\\[(?<bracketed>${PROGRAM})\\]|(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))?)${PID}(?:: +| +(?=${LEVEL}: ))`,
    `^\\[(?!${LEVEL}\\])(?<program>${PROGRAM})\\]: +`,
  ],
  // The program must be known.
  named: [
    `^(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))? +`,
    `^${HOST} +(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))? +`,
  ],
  bareNamed: [`^(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))?: +`],
  inner: [
    `^(?:\\[(?<bracketed>${PROGRAM})\\]|(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))?)${PID}:? +`,
    `^(?<program>${PROGRAM})(?:\\([\\w.:-]+\\))?: +`,
  ],
};
const COLOUR = "(?:\\x1b\\[[\\d;]*m)?";
const POD = new RegExp(
  `^(?:[\\da-f]{12} +(?=\\d{4}-)|\\[pod/[\\w.-]+/[\\w.-]+\\] +|${COLOUR}(?!(?i:${LEVEL})[:|\\s])[\\w.@-]+ +\\|${COLOUR} ${COLOUR})`,
);
const DECORATION = /^(?:\[ID \d+ [\w.]+\] |kernel: ?\[ *\d+\.\d+\]:? )/;
const DOCKER =
  /^\{"log":"(?<log>(?:[^"\\]|\\.)*)","stream":"std(?:out|err)"(?:,"attrs":\{.*\})?,"time":"(?<time>[^"]+)"\}$/s;
const REPEATED = /^message repeated (?<count>\d{1,9}) times: \[(?<message>.*)\]$/s;

type Groups = Readonly<Record<string, string | undefined>>;

/**
 * Takes the head of a line off, part by part: what is left after each. Zoneless times are UTC: tests
 * run in that zone.
 */
export function* headParts(line: string, { now, isKnown }: HeadContext): Generator<HeadedLine> {
  let rest = line.trim();
  let time: number | null = null;
  let pid: number | null = null;
  let last: "line" | "docker" | "time" | "facility" | "tag" = "line";
  let [isTimed, isIso, isObject] = [false, false, false];
  // A bare message may follow a byte order mark.
  if (line.startsWith("\ufeff") && rest !== "") {
    yield { time, program: null, pid, count: 1, message: rest, isObject };
  }
  for (let parts = 0; parts < 8 && rest !== ""; parts++) {
    const repeated = REPEATED.exec(rest)?.groups;
    if (repeated && Number(repeated.count) > 0) {
      const message = repeated.message!.trim();
      return yield { time, program: null, pid, count: Number(repeated.count), message, isObject };
    }
    const docker: ReturnType<typeof dockerLine> = last === "line" ? dockerLine(rest, now) : null;
    const object: ObjectLine | null = last === "line" && !docker ? objectLine(rest, now) : null;
    const timed = docker || object ? null : takeTime(rest, now);
    const facility = docker || object || timed || last === "tag"
      ? null
      : FACILITY.exec(withBlanks(rest)) ?? (isTimed ? null : POD.exec(withBlanks(rest)));
    const isBehindTag = last === "tag";
    const isFull = isIso && new RegExp(TAGS.rfc5424[0]!).test(withBlanks(rest));
    const isPlain = isTimed && !docker && !object && !timed && !facility && !isBehindTag;
    const stream = isPlain && isIso && !isFull ? STREAM.exec(withBlanks(rest)) : null;
    const device = isPlain && !isFull && !stream ? DEVICE.exec(withBlanks(rest)) : null;
    const tag = docker || object || timed || facility || stream || device
      ? null
      : takeTag(rest, { isTimed, isIso, isBehindTag, isKnown });
    const isRelayed = isTimed && !docker && !timed && !tag && last !== "tag";
    const relay = facility ?? stream ?? device ?? (isRelayed ? RELAY.exec(withBlanks(rest)) : null);
    if (docker) {
      time = docker.time;
      rest = docker.text.trim();
      last = "docker";
    } else if (object) {
      time = object.time;
      pid = object.pid ?? pid;
      isObject = object.isObject;
      rest = object.text.trim();
      last = object.program === null ? "docker" : "tag";
    } else if (timed) {
      time ??= timed.time;
      pid = timed.pid ?? pid;
      isTimed ||= timed.isTime;
      isIso = timed.isIso;
      rest = rest.slice(timed.length).trim();
      last = "time";
    } else if (relay) {
      rest = rest.slice(relay[0].length).trim();
      isTimed &&= !stream;
      last = "facility";
    } else if (tag) {
      pid = tag.pid ?? pid;
      rest = rest.slice(tag.length).trim();
      last = "tag";
    } else return;
    yield { time, program: tag?.program ?? object?.program ?? null, pid, count: 1, message: rest, isObject };
  }
}

/** A tab counts as a blank. */
function withBlanks(text: string): string {
  return text.replaceAll("\t", " ");
}

function dockerLine(text: string, now: number): { text: string; time: number | null } | null {
  const { log, time } = DOCKER.exec(text)?.groups ?? {};
  const instant = ISO_TIME.exec(time ?? "");
  if (log === undefined || instant === null || instant[0] !== time) return null;
  try {
    // Docker writes control characters as escapes; others may stand as they are.
    const escaped = [...log].map((one) => one < " " ? JSON.stringify(one).slice(1, -1) : one).join("");
    const { text } = JSON.parse(`{"text":"${escaped}"}`);
    return { text: text.toWellFormed(), time: instantOf(instant.groups!, now) };
  } catch {
    return null;
  }
}

const TEXTS = ["MESSAGE", "log", "message", "msg", "line"];
const PROGRAMS = "SYSLOG_IDENTIFIER PROGRAM programname syslogtag program ident appname app-name process.name"
  .split(" ");
const PIDS = "_PID PID procid pid process.pid".split(" ");
const SURE = ["__CURSOR", "SYSLOG_IDENTIFIER", "syslogtag"];

interface ObjectLine extends Pick<HeadedLine, "time" | "program" | "pid" | "isObject"> {
  readonly text: string;
}

/** JSON of a collector: its text is under one of a few names, and no name that matters comes twice. */
function objectLine(line: string, now: number): ObjectLine | null {
  if (!/^\{.*\}$/s.test(line)) return null;
  try {
    JSON.parse(line);
  } catch {
    return null;
  }
  const all = [...membersOf(line)].map(({ key, inner, text }) => ({
    name: inner === "" ? key : `${key}.${inner}`,
    text,
  }));
  const valuesOf = (...names: string[]) => names.flatMap((name) => all.filter((one) => one.name === name));
  const wanted = [...TEXTS, ...PROGRAMS, ...PIDS, ...SURE, "stream", "_UID", "_SYSTEMD_UNIT"];
  if (wanted.some((name) => valuesOf(name).length > 1)) return null;
  const texts = valuesOf(...TEXTS);
  if (texts.length !== 1 || texts[0]!.text === "") return null;
  const program = valuesOf(...PROGRAMS)[0]?.text.replace(/(?:\[\d+\])?:?$/, "") ?? "";
  const pid = valuesOf(...PIDS)[0]?.text ?? "";
  const isContainers = /^std(?:out|err)$/.test(valuesOf("stream")[0]?.text ?? "");
  const stamp = timeOfLine(line);
  const time = stamp === null ? null : resolveStamp(stamp, { now, before: NaN });
  return {
    text: texts[0]!.text.toWellFormed(),
    time: time === null || Number.isNaN(time) ? null : time,
    program: program === "" || program === "-" ? null : program,
    pid: /^\d{1,10}$/.test(pid) ? Number(pid) : null,
    isObject: !isContainers && valuesOf(...SURE).length === 0,
  };
}

function takeTime(given: string, now: number) {
  const text = withBlanks(given);
  const parts = { pid: null, isIso: false, isTime: true };
  const unix = UNIX_TIME.exec(text) ?? TAI_TIME.exec(text);
  if (unix) {
    const { seconds, fraction, tai, nano } = unix.groups as Groups;
    const whole = seconds === undefined ? parseInt(tai!, 16) - 10 : Number(seconds);
    const part = fraction ?? String(parseInt(nano!, 16)).padStart(9, "0");
    return { ...parts, time: whole * 1_000_000 + microseconds(part), length: unix[0].length };
  }
  const monotonic = MONOTONIC_TIME.exec(text);
  if (monotonic) return { ...parts, time: null, length: monotonic[0].length };
  let rest = text;
  const take = (expression: RegExp): RegExpExecArray | null => {
    const found = expression.exec(rest);
    rest = rest.slice(found?.[0].length ?? 0);
    return found;
  };
  const octets = take(LENGTH);
  const [priority, version] = [take(PRIORITY), take(VERSION)];
  const process = priority || version ? null : take(PROCESS) ?? take(BRACKETED);
  const bracket = take(/^\[/);
  if (take(WEEKDAY) === null) take(LOCAL_DAY);
  const isLocal = localMonth(LOCAL_TIME.exec(rest)?.groups?.month ?? "") !== null;
  const syslog = take(SYSLOG_TIME) ?? take(YEAR_FIRST) ?? (isLocal ? take(LOCAL_TIME) : null);
  const found = syslog ?? take(ISO_TIME);
  const gap = found && (!bracket || take(/^\]/)) && take(GAP);
  if (found && gap) {
    const name = found.groups!.name ?? gap.groups!.zone;
    return {
      time: instantOf({ ...found.groups, name }, now),
      pid: process && Number(process.groups!.pid),
      isIso: syslog === null,
      isTime: true,
      length: text.length - rest.length,
    };
  }
  // It may be a time of the service's own, perhaps in brackets.
  const own = timeAtStart(text, now);
  const behind = own && /^(?: [A-Z]{2,5}(?=["'\])>]))?(?<closing>["'\])>]?):? +/.exec(text.slice(own.length));
  if (own && behind && behind.groups!.closing === own.closing) {
    return { ...parts, time: own.time, length: own.length + behind[0].length };
  }
  const nil = NIL_TIME.exec(text);
  if (nil) return { ...parts, time: null, isIso: true, length: nil[0].length };
  return priority && !octets && { ...parts, time: null, isTime: false, length: priority[0].length };
}

interface TagContext extends Pick<HeadContext, "isKnown"> {
  readonly isTimed: boolean;
  readonly isIso: boolean;
  readonly isBehindTag: boolean;
}

function takeTag(given: string, { isTimed, isIso, isBehindTag, isKnown }: TagContext) {
  const text = withBlanks(given);
  const full = isTimed
    ? isIso ? [...TAGS.rfc5424, ...TAGS.timed] : [...TAGS.timed, ...TAGS.colonless]
    : TAGS.bare;
  const known = isBehindTag ? TAGS.inner : isTimed ? TAGS.named : TAGS.bareNamed;
  const all = isBehindTag ? known : [...full, ...known];
  // A known program without a colon may stand before a message such as `PAM: …`.
  const isLast = (groups: Groups) =>
    groups.pid === undefined && / \S/.test(groups.host ?? "") && groups.program !== undefined &&
    groups.program !== "kernel" && !isKnown(groups.program);
  const first = full.map((source) => new RegExp(source).exec(text)).find((found) => found !== null);
  const sources = !isBehindTag && first && isLast(first.groups!) ? [...known, ...full] : all;
  for (const source of sources) {
    const found = new RegExp(source).exec(text);
    if (!found) continue;
    const { program, bracketed, pid } = found.groups as Groups;
    const name = program ?? bracketed!;
    if (known.includes(source) && !isKnown(name)) continue;
    const decoration = DECORATION.exec(text.slice(found[0].length))?.[0] ?? "";
    return {
      program: TAGS.rfc5424.includes(source) && name === "-" ? "" : name,
      pid: pid === undefined || pid === "" ? null : Number(pid),
      length: found[0].length + decoration.length,
    };
  }
  return null;
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
        time: Number(groups.seconds) * 1_000_000 +
          microseconds((groups.rest ?? "") + (groups.fraction ?? "")),
        isZoneless: false,
      };
  }
  return null;
}

/** The time at the beginning of a message, where services put it; it may stand in brackets. */
export function timeAtStart(given: string, now: number): OwnTime & { closing: string } | null {
  const message = withBlanks(given);
  const before = /^(?:["'[(<]|(?:time|ts|timestamp|t)=["']?)?/.exec(message)![0];
  const found = timeOf(message.slice(before.length), now);
  const closing = `"'])>`[`"'[(<`.indexOf(before.at(-1)!)] ?? "";
  return found && { ...found, length: before.length + found.length, closing };
}

const DAY = 86_400_000_000;

/**
 * The instant of a time; a year that is not given is the latest one that does not put it more than
 * a day past `now`.
 */
export function instantOf(time: Groups, now: number): number | null {
  const written = time.year ?? time.later;
  const year = written === undefined ? null : Number(written.padStart(4, "20"));
  if (year !== null) return year < 1970 ? null : instantOfYear(time, year);
  const latest = new Date((now + DAY) / 1_000).getUTCFullYear();
  for (let year = latest; year > latest - 9; year--) {
    const instant = instantOfYear(time, year);
    if (instant !== null && instant <= now + DAY) return instant;
  }
  return null;
}

/** Null for a date or a time of day that does not exist. */
function instantOfYear(
  { month, day, hour: clock, half, minute, second, fraction, offset, zone = offset, name }: Groups,
  year: number,
): number | null {
  const hour = half === undefined ? clock : Number(clock) % 12 + (/^p/i.test(half) ? 12 : 0);
  const monthNumber = localMonth(month!) ?? Number(month);
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
  const [, sign, hours, minutes] = /^(?:UTC|GMT)?([+-])(\d\d?):?(\d\d)?$/.exec(zone ?? "") ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes ?? 0));
}

function microseconds(fraction = ""): number {
  return Number(fraction.slice(0, 6).padEnd(6, "0"));
}
