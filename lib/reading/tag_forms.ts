/**
 * Tags, which name host, program and process, as a table of expressions. In: text that begins with a
 * tag. Out: the tag's values and its length in characters. A tab counts as a blank.
 */
import type { Stamp } from "../core/stamp.ts";
import { MONTH, unixStamp } from "../core/timestamp.ts";
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
  readonly envelope: Envelope | null;
  readonly isContainers: boolean;
  /** Time in the tag. */
  readonly stamp: Stamp | null;
  readonly length: number;
}

/**
 * A collector's object that follows, perhaps before a bracket that closes the line: any, or one
 * that names a program or is surely a collector's.
 */
export type Envelope = "any" | "named";

const LEVELS = "emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug";
const FACILITIES =
  "kern|user|mail|daemon|auth|security|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|console|local[0-7]";
/** `auth.info`; AIX writes `auth|security:info`. */
const PRIORITY = `(?:${FACILITIES})(?:\\|(?:${FACILITIES}))*[.:](?:${LEVELS})`;
/** A host by name or address, which Solaris and others put in brackets. */
const HOST =
  "(?:[^\\s[:]+|[\\da-f]{0,4}:[\\da-f]{0,4}:[\\da-f:.]*(?:%[\\w.-]+)?|\\[[\\da-f]*[.:][\\da-f.:]*\\])";
/** The same at a line's start, where another sign is one of a service's own text, as in `user=`. */
const BARE_HOST = HOST.replace("[^\\s[:]+", "[\\w.@/-]+");
/** Levels that sshd and others write before a message: not names of programs. */
const LEVEL = "(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\\d*)";
/** A program, or an instance of a unit such as `ssh@0-192.0.2.1:22-203.0.113.5:40022.service`. */
const NAME = "(?:[\\w./@-]+|[\\w.\\\\-]+@[\\w.:\\\\-]+\\w)";
/** `sshd`, `[sshd]`, `sshd(pam_unix)` */
const PROGRAM = `(?:\\[(?<bracketed>${NAME})\\]|(?<name>${NAME})(?:\\([\\w.:-]+\\))?)`;
/** A thread may follow the process; templates of syslog-ng write `[]` for none. */
const PROCESS = "\\[(?<pid>\\d*)(?:[.:][\\da-f]+)?\\]";
const COLOUR = "(?:\\x1b\\[[\\d;]*m)?";
/** A pod of a deployment. Kubernetes makes up the end of digits and consonants: no word looks so. */
const POD = "[a-z][a-z0-9-]*-[bcdfghjklmnpqrstvwxz2456789]{5}";
/** A collector's object follows. */
const OBJECT = '(?=\\{"[\\w@])';
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
  /** See `Envelope`. */
  readonly envelope?: Envelope;
  /** Whether only a container's line follows, with a time of its own before any host. */
  readonly isContainers?: boolean;
  /** Whether a tab does not count as a blank. */
  readonly isRaw?: boolean;
  /** Whether it counts only if no other form fits. */
  readonly isLast?: boolean;
  readonly flags?: string;
}

/** Tags, in the order in which they are tried. */
export const TAG_FORMS: readonly TagForm[] = [
  // OpenWrt, busybox, `dmesg -x` and, in angle brackets, BSD's syslogd; socklog has the sender's address first.
  {
    sample: "192.0.2.1: auth.info: ",
    at: ["start", ...TIMED],
    source: `(?:[\\da-f.:]+: )?(?:${PRIORITY}(?: *:)?|<(?:${PRIORITY}|\\d+\\.\\d+)>) +`,
  },
  // `kubectl logs --prefix`
  { sample: "[pod/web-0/sshd] ", at: ["start"], source: "\\[pod/[\\w.-]+/[\\w.-]+\\] +", flags: "i" },
  // stern: pod and container, behind a namespace if it follows all of them; kubetail.
  { sample: "ssh-6b7f9c8d5-x2k4q ssh ", at: ["start"], source: `(?:[a-z][a-z0-9-]* +)?${POD} +[a-z0-9-]+ +` },
  { sample: "[ssh-6b7f9c8d5-x2k4q ssh] ", at: ["start"], source: `\\[${POD}(?: +[a-z0-9-]+)?\\] +` },
  {
    sample: "\x1b[36mssh-0\x1b[0m \x1b[36;1mssh\x1b[0m ",
    at: ["start"],
    source: "(?:\\x1b\\[[\\d;]*m[a-z0-9.-]+\\x1b\\[0m +){2,3}",
  },
  // `docker compose`, forego and others; pm2 writes a number before the name, foreman a time of day.
  {
    sample: "ssh-1  | ",
    at: ["start"],
    source: `${COLOUR}(?:\\d\\d:\\d\\d:\\d\\d |\\d+\\|)?(?!${LEVEL}\\b)[\\w.@-]+ +\\|${COLOUR} ${COLOUR}`,
    flags: "i",
  },
  // Heroku's logs, and its messages by RFC 5424, which lack structured data.
  { sample: "app[web.1]: ", at: ["iso"], source: "(?:app|heroku)\\[[a-z_]+\\.\\d+\\]: ", isContainers: true },
  {
    sample: "host app web.1 - ",
    at: ["iso"],
    source: "[\\w.-]+ (?:app|heroku) [a-z_]+\\.\\d+ - (?!-)",
    isContainers: true,
  },
  // Labels of Loki's streams, by `logcli` and Promtail
  {
    sample: '{job="ssh", pod="ssh-0"} ',
    at: ["iso"],
    source: '\\{(?:\\w+="(?:[^"\\\\]|\\\\.)*"(?:, ?)?)*\\} +',
    isContainers: true,
  },
  // Files of Fluentd, with tabs, and of Fluent Bit.
  {
    sample: 'syslog.auth.info\t{"a',
    at: ["iso"],
    source: `(?!${LEVEL}\\b)[\\w.-]+\\t${OBJECT}`,
    flags: "i",
    isRaw: true,
    envelope: "any",
  },
  {
    sample: 'tail.0: [1773029106.250000, {"a',
    at: ["start"],
    source: `[\\w.-]+: \\[(?<time>\\d{10}\\.\\d+), ${OBJECT}`,
    envelope: "any",
  },
  // Fluentd's standard output, and journalctl's `-o json-sse`. A program may write so, too.
  {
    sample: 'syslog.auth.info: {"a',
    at: ["iso"],
    source: `(?!${LEVEL}:)[\\w.-]+: +${OBJECT}`,
    flags: "i",
    envelope: "named",
  },
  { sample: 'data: {"a', at: ["start"], source: `data: +${OBJECT}`, envelope: "named" },
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
      `(?<before>(?<host>)0x[\\da-f]+ +\\w+ +0x[\\da-f]+ +(?<pid>\\d+) +\\d+ +(?<name>${NAME}))(?<after>: +(?:\\([\\w.-]+\\) )?(?:\\[[\\w.]+:[\\w.-]+\\] )?)`,
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
  { sample: "web kernel: [1.2]", at: ["start"], source: `(?<before>(?<host>(?:${BARE_HOST} )?)${KERNEL}` },
  {
    sample: "web sshd[7]: ",
    at: ["start"],
    source: `(?<before>(?<host>(?:${BARE_HOST} )?)${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
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
  // A relay writes its host before a line with its own head; AIX adds the sender, OSSEC its agent's name.
  {
    sample: "relay Mar  9 04:05:06",
    at: TIMED,
    source:
      `(?:\\([\\w.-]+\\) )?(?<host>${HOST}) +(?:Message forwarded from [^\\s:]+: |(?=${PRIORITY}:? |<\\d{1,3}>|(?:1 )?\\d{4}-\\d\\d-\\d\\dT\\d\\d:|(?:${MONTH}) [ \\d]\\d \\d\\d:))`,
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
  for (const form of FORMS_AT[place]!) {
    const { expression, isKnown: mustBeKnown, isLast } = form;
    const match = expression.exec(form.isRaw ? given : text);
    if (match === null) continue;
    // Only the name of a known program is better than a doubtful one.
    if (mustBeKnown ? !isKnown(programIn(match)!) : doubtful !== null) continue;
    const tag = tagPart(given, match, form);
    if (!isLast && !mayBeMessage(match, isKnown)) return tag;
    doubtful ??= tag;
  }
  return doubtful;
}

function tagPart(
  given: string,
  match: RegExpExecArray,
  { isStructured = false, isContainers = false, envelope }: TagForm,
): TagPart {
  const { host = "", before = "", pid, after = "", time } = match.groups ?? {};
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
    envelope: envelope ?? null,
    isContainers,
    stamp: time === undefined ? null : unixStamp(time),
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
