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

const raw = String.raw;
const LEVELS = "emerg|panic|alert|crit|err|error|warn|warning|notice|info|debug";
const FACILITIES =
  "kern|user|mail|daemon|auth|security|syslog|lpr|news|uucp|cron|authpriv|ftp|ntp|audit|console|local[0-7]";
/** `auth.info`; AIX writes `auth|security:info`. */
const PRIORITY = raw`(?:${FACILITIES})(?:\|(?:${FACILITIES}))*[.:](?:${LEVELS})`;
/** The same as templates of rsyslog and syslog-ng write it: `auth.info<38>`, `auth info`, `[info]`. */
const PRIORITIES = raw`(?:${PRIORITY}(?:<\d{1,3}>)?:?|(?:${FACILITIES}) (?:${LEVELS})|\[(?:${LEVELS})\])`;
/** A host by name or address, which Solaris and others put in brackets. */
const HOST = raw`(?:[^\s[:|]+|[\da-f]{0,4}:[\da-f]{0,4}:[\da-f:.]*(?:%[\w.-]+)?|\[[\da-f]*[.:][\da-f.:]*\])`;
/** The same at a line's start, where another sign is one of a service's own text, as in `user=`. */
const BARE_HOST = HOST.replace(raw`[^\s[:|]+`, raw`[\w.@/-]+`);
const [HOSTS, BARE] = [`(?<host>(?:${HOST} +){0,2}?)`, `(?<host>(?:${BARE_HOST} )?)`];
/** Levels that sshd and others write before a message: not names of programs. */
const LEVEL = raw`(?:error|fatal|info|warn|warning|notice|crit|critical|alert|emerg|debug\d*)`;
const NO_LEVEL = raw`(?!(?i:${LEVEL})[:|\s])`;
/** A program, or an instance of a unit such as `ssh@0-192.0.2.1:22-203.0.113.5:40022.service`. */
const NAME = raw`(?:[\w./@-]+|[\w.\\-]+@[\w.:\\-]+\w)`;
/** `sshd`, `sshd(pam_unix)` */
const PLAIN = raw`(?<name>${NAME})(?:\([\w.:-]+\))?`;
const NAMED = `(?<before>(?<host>)${PLAIN})`;
/** The same, or `[sshd]`. */
const PROGRAM = raw`(?:\[(?<bracketed>${NAME})\]|${PLAIN})`;
/** A thread may follow the process; templates of syslog-ng write `[]` for none, others `[  7]`. */
const PROCESS = raw`\[ *(?<pid>\d*) *(?:[.:][\da-f]+)?\]`;
/** A pod of a deployment. Kubernetes makes up the end of digits and consonants: no word looks so. */
const POD = "[a-z][a-z0-9-]*-[bcdfghjklmnpqrstvwxz2456789]{5}";
/** A collector's object follows. */
const OBJECT = raw`(?=\{"[\w@])`;
/** The kernel writes the time since its start behind its name. */
const KERNEL = raw`(?<name>kernel))(?<after>: ?)(?=\[ *\d+\.\d+\])`;
/** A line with its own head follows. */
const HEADED = raw`(?=${PRIORITY}:? |<\d{1,3}>|(?:1 )?\d{4}-\d\d-\d\dT\d\d:|(?:${MONTH}) [ \d]\d \d\d:)`;

const TIMED: readonly Place[] = ["syslog", "iso"];

/** Returns forms with their places. */
const at = (places: readonly Place[], forms: readonly Omit<TagForm, "at">[]): TagForm[] =>
  forms.map((form) => ({ ...form, at: places }));

/** Tags, in the order in which they are tried. Only a source with `\t` tells tabs from blanks. */
export const TAG_FORMS: readonly TagForm[] = [
  ...at(["start", ...TIMED], [
    // OpenWrt, busybox, `dmesg -x` and, in angle brackets, BSD's syslogd; socklog begins with the
    // sender's address.
    {
      sample: "192.0.2.1: auth.info: ",
      nearMiss: "192.0.2.1: auth.infos: ",
      source: raw`(?:[\da-f.:]+: )?(?:(?:${FACILITIES}) *:(?:${LEVELS}) *:|${PRIORITY}(?:<\d{1,3}>)?:?|` +
        raw`<(?:${PRIORITY}|\d+\.\d+)>) +`,
    },
  ]),
  ...at(["start"], [
    // Templates of rsyslog that begin with the sender's address, and `grep` in several files.
    {
      sample: "192.0.2.1 Mar  9 04:05:06",
      nearMiss: "192.0.2.1 March 9 04:05:06",
      source: raw`(?:\d{1,3}(?:\.\d{1,3}){3} +|[\da-f]*:[\da-f:.]*:[\da-f.]* +|` +
        raw`(?=[\w.-]*(?:/|\.log))[\w./-]+:(?:\d+:)?)${HEADED}`,
    },
    // `kubectl logs --prefix`
    { sample: "[pod/web-0/sshd] ", nearMiss: "[pod/web-0] ", source: raw`\[pod/[\w.-]+/[\w.-]+\] +` },
    // stern: pod and container, behind a namespace if it follows all of them; kubetail.
    {
      sample: "ssh-6b7f9c8d5-x2k4q ssh ",
      nearMiss: "ssh-6b7f9c8d5-abcde ssh ",
      source: `(?:[a-z][a-z0-9-]* +)?${POD} +[a-z0-9-]+ +`,
    },
    {
      sample: "[ssh-6b7f9c8d5-x2k4q ssh] ",
      nearMiss: "[ssh-0 ssh] ",
      source: raw`\[${POD}(?: +[a-z0-9-]+)?\] +`,
    },
    {
      sample: "ssh-0\x1b[0m \x1b[36;1mssh\x1b[0m ",
      nearMiss: "ssh-0\x1b[0m ssh ",
      source: raw`[a-z0-9.-]+\x1b\[0m +(?:\x1b\[[\d;]*m[a-z0-9.-]+\x1b\[0m +){1,2}`,
    },
    // `podman logs` of several containers
    { sample: "0123456789ab 2026-", nearMiss: "0123456789ax 2026-", source: raw`[\da-f]{12} +(?=\d{4}-)` },
    // `docker compose`, forego and others; pm2 writes a number before the name, foreman a time of day.
    {
      sample: "ssh-1  | ",
      nearMiss: "error  | ",
      source: raw`(?:\d\d:\d\d:\d\d |\d+\|)?${NO_LEVEL}[\w.@-]+ +\|(?:\x1b\[[\d;]*m)? `,
    },
    // Fluent Bit's standard output.
    {
      sample: '[0] tail.0: [1773029106.250000, {"a',
      nearMiss: '[0] tail.0: [1773029106, {"a',
      source: raw`(?:\[\d+\] )?[\w.-]+: \[\[?(?<time>\d{10}\.\d+)(?:, \{\}\])?, ${OBJECT}`,
      kind: "envelope",
    },
    // Sequences of JSON texts (RFC 7464), as of journalctl's `-o json-seq`.
    { sample: '\x1e{"a', nearMiss: '\x1e["a', source: raw`\x1e${OBJECT}`, kind: "envelope" },
    { sample: 'data: {"a', nearMiss: 'date: {"a', source: `data: +${OBJECT}`, kind: "doubtful envelope" },
    { sample: "web kernel: [1.2]", nearMiss: "the web kernel: [1.2]", source: `(?<before>${BARE}${KERNEL}` },
    {
      sample: "web sshd[7]: ",
      nearMiss: "web sshd: ",
      source: `(?<before>${BARE}${PROGRAM})${PROCESS}(?<after>: +| +(?=${LEVEL}: ))`,
    },
    {
      sample: "[sshd]: ",
      nearMiss: "[error]: ",
      source: raw`(?<before>(?<host>)\[(?!${LEVEL}\])(?<name>${NAME})\])(?<after>: +)`,
    },
  ]),
  ...at(["iso"], [
    // Heroku's logs, and its messages by RFC 5424, which lack structured data.
    {
      sample: "app[web.1]: ",
      nearMiss: "app[web]: ",
      source: raw`(?:app|heroku)\[[a-z_]+\.\d+\]: `,
      kind: "container",
    },
    {
      sample: "host app web.1 - ",
      nearMiss: "host app web.1 - - ",
      source: raw`[\w.-]+ (?:app|heroku) [a-z_]+\.\d+ - (?!-)`,
      kind: "container",
    },
    // Fly: machine, region and level.
    {
      sample: "app[4d891d7df12345] lhr [info]",
      nearMiss: "app[web] lhr [info]",
      source: raw`app\[[\da-f]{6,16}\] [a-z]{3} \[[a-z]+\] *`,
      kind: "container",
    },
    // `docker service logs --timestamps`
    {
      sample: "web_ssh.1.0123456789ab@node  | ",
      nearMiss: "web_ssh.1  | ",
      source: raw`[\w-]+\.[\w.]+@[\w.-]+ +\| `,
      kind: "container",
    },
    // Labels of Loki's streams, by `logcli` and Promtail
    {
      sample: '{job="ssh", pod="ssh-0"} ',
      nearMiss: '{job="a"b"} ',
      source: raw`\{(?:\w+="(?:[^"\\]|\\.)*"(?:, ?)?)*\} +`,
      kind: "container",
    },
    // Files of Fluentd, with tabs.
    {
      sample: 'syslog.auth.info\t{"a',
      nearMiss: 'info\t{"a',
      source: raw`${NO_LEVEL}[\w.-]+\t${OBJECT}`,
      kind: "envelope",
    },
    // Fluentd's standard output, and journalctl's `-o json-sse`. A program may write so, too.
    {
      sample: 'syslog.auth.info: {"a',
      nearMiss: 'info: {"a',
      source: raw`${NO_LEVEL}[\w.-]+: +${OBJECT}`,
      kind: "doubtful envelope",
    },
    // RFC 5424, section 6: host, program, process, message id and structured data.
    {
      sample: 'web sshd 7 - [a b="c"] x',
      nearMiss: 'web sshd 7 [a b="c"] x',
      source: raw`(?<before>(?<host>\S*[^\s:]) (?<name>\S*[^\s:]) (?:-(?= )|(?=\d)))(?<pid>\d+)?` +
        raw`(?<after> \S+ (?:-|(?:\[[^\s\]"=]+(?: [^\s\]"=]+="(?:[^"\\]|\\.)*")*\])+)(?: +\ufeff?|$))`,
      kind: "structured",
    },
    // `aws logs tail`: a stream of a container. Its path is no name of a zone, as of Europe/Berlin, nor a
    // program's tag, as of Docker and Postfix: a stranger may have chosen what follows that.
    {
      sample: "ssh/sshd/0a1b2c3d ",
      nearMiss: "docker/web[7]: ",
      source: raw`(?![A-Z][A-Za-z]+/[A-Z]|\S*(?::|\[\d*\]) )[\w.#$@:[\]-]+(?:/[\w.#$@:[\]-]+)+ +`,
      kind: "container",
    },
  ]),
  ...at(["syslog"], [
    // Windows' event log as PowerShell's Format-Table shows it.
    {
      sample: "4 Information      sshd: ",
      nearMiss: "4 Informations     sshd: ",
      source: raw`\d{1,5} +(?:Information|Warning|Error|Critical|Verbose) +(?=[\w-]+: )`,
    },
  ]),
  ...at(TIMED, [
    // Access points of UniFi: model, physical address and version.
    {
      sample: "web U7PG2,788a20aabbcc,v4.0.66: ",
      nearMiss: "web U7PG2,788a20aabbcx,v4.0.66: ",
      source: raw`(?:${HOST} +)?(?:[\w-]+,)?[\da-f]{12},[\w.+-]+: +`,
    },
    { sample: "web kernel: [1.2]", nearMiss: "web kernel: [1,2]", source: `(?<before>${HOSTS}${KERNEL}` },
    // `log show` of macOS: thread, type, activity, process, time to live.
    {
      sample: "0x1f Default 0x0 7 0 sshd: ",
      nearMiss: "0x1f Default 0 7 0 sshd: ",
      source: raw`(?<before>(?<host>)0x[\da-f]+ +\w+ +0x[\da-f]+ +(?<pid>\d+) +\d+ +(?<name>${NAME}))` +
        raw`(?<after>: +(?:\([\w.-]+\) )?(?:\[[\w.]+:[\w.-]+\] )?)`,
    },
    // Up to two hosts. Apple and Kerberos add a level; some templates of rsyslog end without a
    // blank.
    {
      sample: "web auth.info sshd[7]: ",
      nearMiss: "web auth.info error[7]: ",
      source: raw`(?<before>${HOSTS}(?:${PRIORITIES} +)?(?!\[?(?:${LEVEL}|${PRIORITY})\]?[:[])${PROGRAM})` +
        raw`(?:${PROCESS}(?<after>(?: <\w+>|\(\w+\))?:? +|:)|(?<after>: +))`,
    },
  ]),
  ...at(["syslog"], [
    // metalog
    {
      sample: "web [sshd] ",
      nearMiss: "web [error] ",
      source: raw`(?<before>(?<host>(?:${HOST} +)?)\[(?!(?:${LEVEL}|\d+)\])(?<name>${NAME})\])(?<after> +)`,
    },
  ]),
  ...at(TIMED, [
    // rsyslog writes so what it got by RFC 5424 without a process.
    { sample: "sshd ", nearMiss: "cron ", source: `${NAMED}(?<after> +)`, only: "known" },
    {
      sample: "web sshd ",
      nearMiss: "web cron ",
      source: `(?<before>(?<host>${HOST} +)${PLAIN})(?<after> +)`,
      only: "known",
    },
    // A relay writes its host before a line with its own head; AIX adds the sender, OSSEC the name of
    // its agent.
    {
      sample: "relay Mar  9 04:05:06",
      nearMiss: "relay Mar 9th 04:05:06",
      source: raw`(?:\([\w.-]+\) )?(?<host>${HOST}) +(?:Message forwarded from [^\s:]+: |${HEADED})`,
      only: "last",
    },
  ]),
  ...at(["tag"], [
    {
      sample: "sshd[7] ",
      nearMiss: "cron[7] ",
      source: `(?<before>(?<host>)${PROGRAM})${PROCESS}(?<after>:? +)`,
      only: "known",
    },
    // Lumberjack and rsyslog's mmjsonparse.
    { sample: '@cee: {"a', nearMiss: '@cee: ["a', source: `@cee: ?${OBJECT}`, kind: "envelope" },
  ]),
  ...at(["start", "tag"], [
    // Windows' event log
    { sample: "sshd: ", nearMiss: "cron: ", source: `${NAMED}(?<after>: +)`, only: "known" },
  ]),
];
