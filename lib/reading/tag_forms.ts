/**
 * Tags, which name host, program and process, as a table of expressions. In: text that begins with a
 * tag. Out: the tag's values and its length in characters. A tab counts as a blank.
 */
import { MONTH } from "../core/timestamp.ts";
import type { TimePart } from "./head_text.ts";
import { withBlanks } from "./line_time.ts";

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

const LEVELS = "emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug";
const FACILITIES =
  "kern|user|mail|daemon|auth|security|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|console|local[0-7]";
/** `auth.info`; AIX writes `auth|security:info`. */
const PRIORITY = `(?:${FACILITIES})(?:\\|(?:${FACILITIES}))*[.:](?:${LEVELS})`;
/** A host by name or address, which Solaris and others put in brackets. */
const HOST =
  "(?:[^\\s[:]+|[\\da-f]{0,4}:[\\da-f]{0,4}:[\\da-f:.]*(?:%[\\w.-]+)?|\\[[\\da-f]*[.:][\\da-f.:]*\\])";
/** Levels that sshd and others write before a message: not names of programs. */
const LEVEL = "(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\\d*)";
/** A program, or an instance of a unit such as `ssh@0-192.0.2.1:22-203.0.113.5:40022.service`. */
const NAME = "(?:[\\w./@-]+|[\\w.\\\\-]+@[\\w.:\\\\-]+\\w)";
/** `sshd`, `[sshd]`, `sshd(pam_unix)` */
const PROGRAM = `(?:\\[(?<bracketed>${NAME})\\]|(?<name>${NAME})(?:\\([\\w.:-]+\\))?)`;
/** A thread may follow the process; templates of syslog-ng write `[]` for none. */
const PROCESS = "\\[(?<pid>\\d*)(?:[.:][\\da-f]+)?\\]";
const COLOUR = "(?:\\x1b\\[[\\d;]*m)?";
/** The kernel writes the time since its start behind its name. */
const KERNEL = "(?<name>kernel))(?<after>: ?)(?=\\[ *\\d+\\.\\d+\\])";

/**
 * Where a tag stands: at a line's start, behind a time of syslog or of ISO 8601, or behind a tag.
 * Without a time, only a host may come first, and a process is required, unless a module knows the
 * program: an attacker may have chosen the text that follows.
 */
type Place = "start" | "syslog" | "iso" | "tag";
const TIMED: readonly Place[] = ["syslog", "iso"];

/** A form of a tag. */
export interface TagForm {
  /** A tag, and what must follow. */
  readonly sample: string;
  readonly at: readonly Place[];
  /** Groups are parts of the tag; without the group of a program, it only precedes one. */
  readonly source: string;
  /** Whether the program must be known to a module. */
  readonly isKnown?: boolean;
  readonly isStructured?: boolean;
  /** Whether it counts only if no other form fits. */
  readonly isLast?: boolean;
  readonly flags?: string;
}

/** Tags, in the order in which they are tried. */
export const TAG_FORMS: readonly TagForm[] = [
  // OpenWrt, busybox and, in angle brackets, BSD's syslogd; socklog has the sender's address first.
  {
    sample: "192.0.2.1: auth.info: ",
    at: ["start", ...TIMED],
    source: `(?:[\\da-f.:]+: )?(?:${PRIORITY}:?|<(?:${PRIORITY}|\\d+\\.\\d+)>) +`,
  },
  // `kubectl logs --prefix`
  { sample: "[pod/web-0/sshd] ", at: ["start"], source: "\\[pod/[\\w.-]+/[\\w.-]+\\] +", flags: "i" },
  // `docker compose`, forego and others
  {
    sample: "ssh-1  | ",
    at: ["start"],
    source: `${COLOUR}(?!${LEVEL}\\b)[\\w.@-]+ +\\|${COLOUR} ${COLOUR}`,
    flags: "i",
  },
  // RFC 5424, section 6: host, program, process, message id and structured data.
  {
    sample: 'web sshd 7 - [a b="c"] x',
    at: ["iso"],
    source: "(?<before>(?<host>\\S*[^\\s:]) (?<name>\\S*[^\\s:]) (?:-(?= )|(?=\\d)))(?<pid>\\d+)?" +
      '(?<after> \\S+ (?:-|(?:\\[[^\\s\\]"=]+(?: [^\\s\\]"=]+="(?:[^"\\\\]|\\\\.)*")*\\])+)(?: +\\ufeff?|$))',
    isStructured: true,
  },
  { sample: "web kernel: [1.2]", at: TIMED, source: `(?<before>(?<host>(?:${HOST} +){0,2}?)${KERNEL}` },
  // `log show` of macOS: thread, type, activity, process, time to live.
  {
    sample: "0x1f Default 0x0 7 0 sshd: ",
    at: TIMED,
    source:
      `(?<before>(?<host>)0x[\\da-f]+ +\\w+ +0x[\\da-f]+ +(?<pid>\\d+) +\\d+ +(?<name>${NAME}))(?<after>: +)`,
  },
  // Up to two hosts. Apple and Kerberos add a level; some templates of rsyslog have no blank at the end.
  {
    sample: "web auth.info sshd[7]: ",
    at: TIMED,
    source:
      `(?<before>(?<host>(?:${HOST} +){0,2}?)(?:${PRIORITY}:? +)?(?!\\[?(?:${LEVEL}|${PRIORITY})\\]?[:[])${PROGRAM})` +
      `(?:${PROCESS}(?<after>(?: <\\w+>|\\(\\w+\\))?:? +|:)|(?<after>: +))`,
  },
  // metalog
  {
    sample: "web [sshd] ",
    at: ["syslog"],
    source: `(?<before>(?<host>(?:${HOST} +)?)\\[(?!(?:${LEVEL}|\\d+)\\])(?<name>${NAME})\\])(?<after> +)`,
  },
  { sample: "web kernel: [1.2]", at: ["start"], source: `(?<before>(?<host>(?:${HOST} )?)${KERNEL}` },
  {
    sample: "web sshd[7]: ",
    at: ["start"],
    source: `(?<before>(?<host>(?:${HOST} )?)${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
  },
  {
    sample: "[sshd]: ",
    at: ["start"],
    source: `(?<before>(?<host>)\\[(?!${LEVEL}\\])(?<name>${NAME})\\])(?<after>: +)`,
  },
  {
    sample: "sshd[7] ",
    at: ["tag"],
    source: `(?<before>(?<host>)${PROGRAM})${PROCESS}(?<after>:? +)`,
    isKnown: true,
  },
  // Windows' event log
  {
    sample: "sshd: ",
    at: ["start", "tag"],
    source: `(?<before>(?<host>)(?<name>${NAME}))(?<after>: +)`,
    isKnown: true,
  },
  // rsyslog writes so what it got by RFC 5424 without a process.
  { sample: "sshd ", at: TIMED, source: `(?<before>(?<host>)(?<name>${NAME}))(?<after> +)`, isKnown: true },
  {
    sample: "web sshd ",
    at: TIMED,
    source: `(?<before>(?<host>${HOST} +)(?<name>${NAME}))(?<after> +)`,
    isKnown: true,
  },
  // A relay writes its host before a line with its own head; AIX adds the sender.
  {
    sample: "relay Mar  9 04:05:06",
    at: TIMED,
    source:
      `(?<host>${HOST}) +(?:Message forwarded from [^\\s:]+: |(?=${PRIORITY}:? |<\\d{1,3}>|(?:1 )?\\d{4}-\\d\\d-\\d\\dT\\d\\d:|(?:${MONTH}) [ \\d]\\d \\d\\d:))`,
    isLast: true,
  },
];

/** The forms of each place, with their expressions. */
const FORMS_AT = Object.fromEntries((["start", ...TIMED, "tag"] as const).map((place) => [
  place,
  TAG_FORMS.filter(({ at }) => at.includes(place)).map((form) => //
  ({ ...form, expression: new RegExp(`^${form.source}`, form.flags) })),
]));
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
  const place = isBehindTag ? "tag" : time === null ? "start" : time.isIso ? "iso" : "syslog";
  let doubtful: TagPart | null = null;
  for (const { expression, isKnown: mustBeKnown, isStructured = false, isLast } of FORMS_AT[place]!) {
    const match = expression.exec(text);
    if (match === null) continue;
    // Only the name of a known program is better than a doubtful one.
    if (mustBeKnown ? !isKnown(programIn(match)!) : doubtful !== null) continue;
    const tag = tagPart(given, match, isStructured);
    if (!isLast && !mayBeMessage(match, isKnown)) return tag;
    doubtful ??= tag;
  }
  return doubtful;
}

function tagPart(given: string, match: RegExpExecArray, isStructured: boolean): TagPart {
  const { host = "", before = "", pid, after = "" } = match.groups ?? {};
  const program = programIn(match);
  const end = match[0].length;
  const decoration = program === undefined ? null : DECORATION.exec(match.input.slice(end));
  const length = end + (decoration?.[0].length ?? 0);
  return {
    host: host.trimEnd(),
    identifier: isStructured && program === "-" ? "" : program ?? null,
    pid: pid === undefined || pid === "" ? null : Number(pid),
    before: given.slice(0, before.length),
    after: given.slice(end - after.length, length),
    isStructured,
    length,
  };
}

function programIn({ groups }: RegExpExecArray): string | undefined {
  return groups?.name ?? groups?.bracketed;
}

/** Reports whether a known program may be the second host: `web sshd PAM: Authentication failure`. */
function mayBeMessage({ groups }: RegExpExecArray, isKnown: (program: string) => boolean): boolean {
  const { host = "", name, pid } = groups ?? {};
  return pid === undefined && / \S/.test(host) && name !== undefined && name !== "kernel" && !isKnown(name);
}
