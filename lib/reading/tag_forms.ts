/** Forms of tags, which name host, program and process. */
import { MONTH } from "../core/timestamp.ts";

/**
 * Where a tag stands: at a line's start, behind a time of syslog or of ISO 8601, or behind a tag.
 * Without a time, only a host may come first, and a process is required, unless a module knows the
 * program: an attacker may have chosen the text that follows.
 */
export type Place = "start" | "syslog" | "iso" | "tag";

/**
 * What a tag is beside plain: `structured` of RFC 5424. `container`: only a container's line follows,
 * with a time of its own before any host. `envelope`: a collector's object follows, perhaps before a
 * bracket that closes the line; it is read as at a line's start. `doubtful envelope`: only an object
 * that names a program, or is surely a collector's.
 */
export type Kind = "plain" | "structured" | "container" | "envelope" | "doubtful envelope";

/** A form of a tag. */
export interface TagForm {
  /** A tag with what must follow, and a text that only resembles one. */
  readonly sample: string;
  readonly nearMiss: string;
  readonly at: readonly Place[];
  /** Groups are parts of the tag; without the group of a program, it only precedes one. */
  readonly source: string;
  /** The default is `plain`. */
  readonly kind?: Kind;
  /** `known`: the form counts if a module knows the program; `last`: if no other form fits. */
  readonly only?: "known" | "last";
}

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
const [HOSTS, BARE] = [`(?<host>(?:${HOST} +){0,2}?)`, `(?<host>(?:${BARE_HOST} )?)`];
/** Levels that sshd and others write before a message: not names of programs. */
const LEVEL = "(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\\d*)";
const NO_LEVEL = `(?!(?i:${LEVEL})[:|\\s])`;
/** A program, or an instance of a unit such as `ssh@0-192.0.2.1:22-203.0.113.5:40022.service`. */
const NAME = "(?:[\\w./@-]+|[\\w.\\\\-]+@[\\w.:\\\\-]+\\w)";
const NAMED = `(?<before>(?<host>)(?<name>${NAME}))`;
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

const TIMED: readonly Place[] = ["syslog", "iso"];

/** Tags, in the order in which they are tried. Only a source with `\t` tells tabs from blanks. */
export const TAG_FORMS: readonly TagForm[] = [
  // OpenWrt, busybox, `dmesg -x` and, in angle brackets, BSD's syslogd; socklog has the sender's address first.
  {
    sample: "192.0.2.1: auth.info: ",
    nearMiss: "192.0.2.1: auth.infos: ",
    at: ["start", ...TIMED],
    source: `(?:[\\da-f.:]+: )?(?:${PRIORITY}(?: *:)?|<(?:${PRIORITY}|\\d+\\.\\d+)>) +`,
  },
  // `kubectl logs --prefix`
  {
    sample: "[pod/web-0/sshd] ",
    nearMiss: "[pod/web-0] ",
    at: ["start"],
    source: "\\[pod/[\\w.-]+/[\\w.-]+\\] +",
  },
  // stern: pod and container, behind a namespace if it follows all of them; kubetail.
  {
    sample: "ssh-6b7f9c8d5-x2k4q ssh ",
    nearMiss: "ssh-6b7f9c8d5-abcde ssh ",
    at: ["start"],
    source: `(?:[a-z][a-z0-9-]* +)?${POD} +[a-z0-9-]+ +`,
  },
  {
    sample: "[ssh-6b7f9c8d5-x2k4q ssh] ",
    nearMiss: "[ssh-0 ssh] ",
    at: ["start"],
    source: `\\[${POD}(?: +[a-z0-9-]+)?\\] +`,
  },
  {
    sample: "\x1b[36mssh-0\x1b[0m \x1b[36;1mssh\x1b[0m ",
    nearMiss: "\x1b[36mssh-0\x1b[0m ssh ",
    at: ["start"],
    source: "(?:\\x1b\\[[\\d;]*m[a-z0-9.-]+\\x1b\\[0m +){2,3}",
  },
  // `docker compose`, forego and others; pm2 writes a number before the name, foreman a time of day.
  {
    sample: "ssh-1  | ",
    nearMiss: "error  | ",
    at: ["start"],
    source: `${COLOUR}(?:\\d\\d:\\d\\d:\\d\\d |\\d+\\|)?${NO_LEVEL}[\\w.@-]+ +\\|${COLOUR} ${COLOUR}`,
  },
  // Heroku's logs, and its messages by RFC 5424, which lack structured data.
  {
    sample: "app[web.1]: ",
    nearMiss: "app[web]: ",
    at: ["iso"],
    source: "(?:app|heroku)\\[[a-z_]+\\.\\d+\\]: ",
    kind: "container",
  },
  {
    sample: "host app web.1 - ",
    nearMiss: "host app web.1 - - ",
    at: ["iso"],
    source: "[\\w.-]+ (?:app|heroku) [a-z_]+\\.\\d+ - (?!-)",
    kind: "container",
  },
  // Labels of Loki's streams, by `logcli` and Promtail
  {
    sample: '{job="ssh", pod="ssh-0"} ',
    nearMiss: '{job="a"b"} ',
    at: ["iso"],
    source: '\\{(?:\\w+="(?:[^"\\\\]|\\\\.)*"(?:, ?)?)*\\} +',
    kind: "container",
  },
  // Files of Fluentd, with tabs, and of Fluent Bit.
  {
    sample: 'syslog.auth.info\t{"a',
    nearMiss: 'info\t{"a',
    at: ["iso"],
    source: `${NO_LEVEL}[\\w.-]+\\t${OBJECT}`,
    kind: "envelope",
  },
  {
    sample: 'tail.0: [1773029106.250000, {"a',
    nearMiss: 'tail.0: [1773029106, {"a',
    at: ["start"],
    source: `[\\w.-]+: \\[(?<time>\\d{10}\\.\\d+), ${OBJECT}`,
    kind: "envelope",
  },
  // Fluentd's standard output, and journalctl's `-o json-sse`. A program may write so, too.
  {
    sample: 'syslog.auth.info: {"a',
    nearMiss: 'info: {"a',
    at: ["iso"],
    source: `${NO_LEVEL}[\\w.-]+: +${OBJECT}`,
    kind: "doubtful envelope",
  },
  {
    sample: 'data: {"a',
    nearMiss: 'date: {"a',
    at: ["start"],
    source: `data: +${OBJECT}`,
    kind: "doubtful envelope",
  },
  // RFC 5424, section 6: host, program, process, message id and structured data.
  {
    sample: 'web sshd 7 - [a b="c"] x',
    nearMiss: 'web sshd 7 [a b="c"] x',
    at: ["iso"],
    source: "(?<before>(?<host>\\S*[^\\s:]) (?<name>\\S*[^\\s:]) (?:-(?= )|(?=\\d)))(?<pid>\\d+)?" +
      '(?<after> \\S+ (?:-|(?:\\[[^\\s\\]"=]+(?: [^\\s\\]"=]+="(?:[^"\\\\]|\\\\.)*")*\\])+)(?: +\\ufeff?|$))',
    kind: "structured",
  },
  {
    sample: "web kernel: [1.2]",
    nearMiss: "web kernel: [1,2]",
    at: TIMED,
    source: `(?<before>${HOSTS}${KERNEL}`,
  },
  // `log show` of macOS: thread, type, activity, process, time to live.
  {
    sample: "0x1f Default 0x0 7 0 sshd: ",
    nearMiss: "0x1f Default 0 7 0 sshd: ",
    at: TIMED,
    source: `(?<before>(?<host>)0x[\\da-f]+ +\\w+ +0x[\\da-f]+ +(?<pid>\\d+) +\\d+ +(?<name>${NAME}))` +
      "(?<after>: +(?:\\([\\w.-]+\\) )?(?:\\[[\\w.]+:[\\w.-]+\\] )?)",
  },
  // Up to two hosts. Apple and Kerberos add a level; some templates of rsyslog have no blank at the end.
  {
    sample: "web auth.info sshd[7]: ",
    nearMiss: "web auth.info error[7]: ",
    at: TIMED,
    source: `(?<before>${HOSTS}(?:${PRIORITY}:? +)?(?!\\[?(?:${LEVEL}|${PRIORITY})\\]?[:[])${PROGRAM})` +
      `(?:${PROCESS}(?<after>(?: <\\w+>|\\(\\w+\\))?:? +|:)|(?<after>: +))`,
  },
  // metalog
  {
    sample: "web [sshd] ",
    nearMiss: "web [error] ",
    at: ["syslog"],
    source: `(?<before>(?<host>(?:${HOST} +)?)\\[(?!(?:${LEVEL}|\\d+)\\])(?<name>${NAME})\\])(?<after> +)`,
  },
  {
    sample: "web kernel: [1.2]",
    nearMiss: "the web kernel: [1.2]",
    at: ["start"],
    source: `(?<before>${BARE}${KERNEL}`,
  },
  {
    sample: "web sshd[7]: ",
    nearMiss: "web sshd: ",
    at: ["start"],
    source: `(?<before>${BARE}${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
  },
  {
    sample: "[sshd]: ",
    nearMiss: "[error]: ",
    at: ["start"],
    source: `(?<before>(?<host>)\\[(?!${LEVEL}\\])(?<name>${NAME})\\])(?<after>: +)`,
  },
  {
    sample: "sshd[7] ",
    nearMiss: "cron[7] ",
    at: ["tag"],
    source: `(?<before>(?<host>)${PROGRAM})${PROCESS}(?<after>:? +)`,
    only: "known",
  },
  // Windows' event log
  {
    sample: "sshd: ",
    nearMiss: "cron: ",
    at: ["start", "tag"],
    source: `${NAMED}(?<after>: +)`,
    only: "known",
  },
  // rsyslog writes so what it got by RFC 5424 without a process.
  { sample: "sshd ", nearMiss: "cron ", at: TIMED, source: `${NAMED}(?<after> +)`, only: "known" },
  {
    sample: "web sshd ",
    nearMiss: "web cron ",
    at: TIMED,
    source: `(?<before>(?<host>${HOST} +)(?<name>${NAME}))(?<after> +)`,
    only: "known",
  },
  // A relay writes its host before a line with its own head; AIX adds the sender, OSSEC its agent's name.
  {
    sample: "relay Mar  9 04:05:06",
    nearMiss: "relay Mar 9th 04:05:06",
    at: TIMED,
    source: `(?:\\([\\w.-]+\\) )?(?<host>${HOST}) +(?:Message forwarded from [^\\s:]+: |(?=${PRIORITY}:? |` +
      `<\\d{1,3}>|(?:1 )?\\d{4}-\\d\\d-\\d\\dT\\d\\d:|(?:${MONTH}) [ \\d]\\d \\d\\d:))`,
    only: "last",
  },
];
