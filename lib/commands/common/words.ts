/** Words that several commands share. Pure. */
import { UNTIL_PROXIES_ARE_NAMED } from "../../config/describe.ts";
import type { UserError } from "../../core/error.ts";
import { counted } from "../../core/text.ts";
import { absence } from "../../core/read_denial.ts";
import { localTime, type Micros } from "../../core/time.ts";
import type { MonitorReport, SourceReport } from "../../monitor/report.ts";

/** The command that confirms a trial. The state belongs to the service, so that it takes root. */
export const CONFIRM = "`sudo strongmonitor confirm`";

/** Returns the name in messages of an input that arguments call `file`; `-`: standard input. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** Returns the first sentence of an error, and how many more mistakes it names. */
export function mistakesText({ sentences }: Pick<UserError, "sentences">): string {
  const more = sentences.length - 1;
  return `${sentences[0]}${more > 0 ? ` and ${counted(more, "more mistake")}` : ""}`;
}

/** Separator before remedies: a semicolon outside quotes. */
const BEFORE_REMEDY = /; (?=(?:[^"\\]|\\.|"(?:[^"\\]|\\.)*")*$)/;

/** Splits a sentence into its complaint and its remedies, each behind a semicolon. */
export function complaintOf(sentence: string): { complaint: string; remedies: readonly string[] } {
  const [complaint, ...remedies] = sentence.split(BEFORE_REMEDY);
  return { complaint: complaint!, remedies };
}

/** Formats a counted name for people; an empty name becomes visible. */
export function shownName(name: string): string {
  return name === "" ? "(empty)" : name;
}

/** Says how long something holds: `until 2026-11-28 22:05:00`, or `for good`. */
export function untilText({ until }: { readonly until: Micros | null }): string {
  return until === null ? "for good" : `until ${localTime(until)}`;
}

/** Formats a share: `4.2 %`. */
export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Says that hits of `lines` do not count, and until when. */
export function uncountedText(lines: number): string {
  return `Hits of ${counted(lines, "line")} not counted ${UNTIL_PROXIES_ARE_NAMED}`;
}

/** Returns the sources that read nothing, as no log file of their names exists yet. */
export function awaitedOf(report: Pick<MonitorReport, "sources"> | null): readonly SourceReport[] {
  return report?.sources.filter(({ running, waiting }) => running && waiting) ?? [];
}

/** Says which log file does not exist yet. */
export function awaitedText({ name }: Pick<SourceReport, "name">): string {
  const path = name.replace(/^file:/, "");
  return `${path}: ${absence(path)}`;
}

/** Returns the verdict on a monitor without problems. A service may not have logged yet. */
export function worksText(report: Pick<MonitorReport, "sources"> | null): string {
  const { length } = awaitedOf(report);
  return length === 0 ? "all works" : `all works, ${counted(length, "log file")} awaited`;
}

/** Says that bans of an earlier configuration stay in a firewall that is no longer used. */
export function leftText(bans: number): string {
  return counted(bans, "earlier ban stays", "earlier bans stay") + " in the former firewall, " +
    "which this configuration does not use: docs/firewalls.md tells how to lift them";
}

/** Says how to lift a ban of the firewall that the state does not know; null: there is none. */
export function strayText(address: string, report: Pick<MonitorReport, "holding"> | null): string | null {
  const isStray = report?.holding?.stray.some((name) => name.split(" ", 1)[0] === address);
  return isStray
    ? "the firewall bans it, unknown to the state: docs/firewalls.md tells how to lift it"
    : null;
}

/** Returns what a source is doing, in a word. */
export function sourceText({ running, waiting, problems }: SourceReport): string {
  if (!running) return "stopped";
  if (problems.length > 0) return "problems";
  return waiting ? "waiting" : "reading";
}
