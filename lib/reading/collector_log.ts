import { tried } from "../core/error.ts";
import { NO_PID, type Sender } from "../core/records.ts";
import type { Stamp } from "../core/stamp.ts";
import { timeOfMembers } from "./line_time.ts";
import { type Member, membersOf } from "./json_object.ts";

/** Returns the words of a text. */
function words(text: string): readonly string[] {
  return text.split(" ");
}

/**
 * Names under which collectors write the line or its message: many; Google Cloud; GELF, Azure, macOS,
 * Wazuh, Splunk, CloudWatch's Insights and Loki. A point leads into an inner object.
 */
const TEXTS = words(
  "MESSAGE log message msg line textPayload jsonPayload.message jsonPayload.MESSAGE short_message SyslogMessage " +
    "eventMessage full_log _raw result._raw @message _entry",
);
/** The same, but only beside another name: services use these names for other texts. */
const TEXTS_BESIDE: Readonly<Record<string, readonly string[]>> = {
  // Splunk's collector of events.
  event: ["sourcetype"],
  // OpenTelemetry.
  body: ["timeUnixNano", "time_unix_nano", "severityText", "severity_text"],
  // NXLog on Windows.
  Message: ["SourceName"],
};
/**
 * Names under which collectors write the program: `SYSLOG_IDENTIFIER` of journald, `PROGRAM` of
 * syslog-ng, `syslogtag` and `programname` of rsyslog, `ident` of Fluentd and Fluent Bit, `appname`
 * of Vector, `process.name` of Elastic's.
 */
const PROGRAMS = words(
  "SYSLOG_IDENTIFIER jsonPayload.SYSLOG_IDENTIFIER PROGRAM programname syslogtag program ident appname app-name " +
    "syslog.identifier process.name _application_name ProcessName processImagePath predecoder.program_name",
);
const PIDS = words(
  "_PID jsonPayload._PID PID procid pid syslog.pid process.pid _process_id ProcessID processID",
);
const UIDS = ["_UID", "jsonPayload._UID"];
const UNITS = ["_SYSTEMD_UNIT", "jsonPayload._SYSTEMD_UNIT"];
const STREAM = "stream";
/**
 * Names that only a collector writes, and no service in an object of its own: of journald, rsyslog,
 * syslog-ng, Fluentd and Fluent Bit, Vector, Beats and Logstash, Google Cloud, CloudWatch, Splunk,
 * and some of the texts' names.
 */
const FOREIGN = words(
  "__CURSOR SYSLOG_IDENTIFIER jsonPayload.SYSLOG_IDENTIFIER syslogtag programname fromhost-ip LEGACY_MSGHDR HOST_FROM " +
    "kubernetes.pod_name container_id _container_id source_type @metadata.beat agent.ephemeral_id input.type " +
    "event.original logName insertId logStreamName ingestionTime @ptr sourcetype textPayload SyslogMessage eventMessage " +
    "full_log _raw result._raw _entry",
);
const WANTED = new Set([
  ...[...TEXTS, ...PROGRAMS, ...PIDS, ...UIDS, ...UNITS, STREAM, ...FOREIGN],
  ...Object.entries(TEXTS_BESIDE).flatMap(([name, others]) => [name, ...others]),
]);
/** The end of `sshd[7]:`, as in `syslogtag`. */
const END_OF_TAG = /(?:\[\d+\])?:?$/;
const NUMBER = /^\d{1,10}$/;
/** A line without these is quickly known to be perhaps a service's own. */
const SURE = new RegExp(`"(?:${[STREAM, ...FOREIGN].map((name) => name.replace(/^.*\./, "")).join("|")})"`);

/** A line of a collector, or of a container's runtime, that is an object with a text. */
export interface CollectedLine {
  readonly text: string;
  /** Whether the object is surely no service's own: a container's, an entry of the journal, rsyslog's. */
  readonly isSure: boolean;
  readonly stamp: Stamp | null;
  /** Program that the object names; null: none. */
  readonly program: string | null;
  readonly pid: number;
  /** Writer of a journal entry; null: the object does not tell. */
  readonly sender: Sender | null;
}

/**
 * Reads a line that is an object of JSON: of journalctl, Fluent Bit, Vector, rsyslog and others,
 * with the text under a name such as `message`. Returns null for a line of another form, and for
 * one with two texts: one could be a stranger's, who ends the other if the collector does not
 * escape quotes.
 *
 * @param mustBeSure whether objects are left that may be a service's own
 */
export function readCollected(line: string, mustBeSure: boolean): CollectedLine | null {
  if (!line.endsWith("}") || (mustBeSure && !SURE.test(line))) return null;
  const members = [...membersOf(line)];
  const found = wantedOf(members);
  const text = found && onlyText(found);
  if (!text || !isJson(line)) return null;
  const isContainers = /^std(?:out|err)$/.test(found.get(STREAM) ?? "");
  const isSure = isContainers || FOREIGN.some((name) => found.has(name));
  if (mustBeSure && !isSure) return null;
  const program = firstOf(found, PROGRAMS)?.replace(END_OF_TAG, "") ?? "";
  const pid = firstOf(found, PIDS) ?? "";
  const uid = firstOf(found, UIDS) ?? "";
  return {
    text,
    isSure,
    stamp: timeOfMembers(members),
    program: program === "" || program === "-" ? null : program,
    pid: NUMBER.test(pid) ? Number(pid) : NO_PID,
    sender: NUMBER.test(uid) ? { uid: Number(uid), unit: firstOf(found, UNITS) ?? "" } : null,
  };
}

/** Reports whether a line is a whole object: what is cut off or broken may end a text too early. */
function isJson(line: string): boolean {
  return tried(() => JSON.parse(line)) !== null;
}

/** Returns the wanted members of an object; null if one comes twice. */
function wantedOf(members: readonly Member[]): ReadonlyMap<string, string> | null {
  const found = new Map<string, string>();
  for (const { key, inner, text } of members) {
    const name = inner === "" ? key : `${key}.${inner}`;
    if (!WANTED.has(name)) continue;
    if (found.has(name)) return null;
    found.set(name, text);
  }
  return found;
}

/** Returns the only text of an object; null: none, or several. A number is none, as of a source's line. */
function onlyText(found: ReadonlyMap<string, string>): string | null {
  const beside = Object.entries(TEXTS_BESIDE).flatMap(([name, others]) =>
    others.some((other) => found.has(other)) ? name : []
  );
  const texts = [...TEXTS, ...beside].flatMap((name) => found.get(name) ?? []);
  const [text = null, ...others] = texts.filter((text) => !NUMBER.test(text));
  return others.length === 0 ? text : null;
}

function firstOf(found: ReadonlyMap<string, string>, names: readonly string[]): string | undefined {
  return found.get(names.find((name) => found.has(name)) ?? "");
}

/** An object of one text, as Fluent Bit prints it: without escapes. */
const PRINTED = /^\{"(?:log|message|MESSAGE)"=>"(.*)"\}$/s;
/** The beginning of another member, or a stranger's text that looks so. */
const OTHER_MEMBER = /", ?"[^"]*"=>/;

/** Returns the text of an object as Fluent Bit prints it; null: it has no text, or perhaps others, too. */
export function printedText(line: string): string | null {
  const text = PRINTED.exec(line)?.[1];
  return text === undefined || OTHER_MEMBER.test(text) ? null : text;
}
