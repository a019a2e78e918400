/** Words that several commands share. Pure. */
import { UNTIL_PROXIES_ARE_NAMED } from "../config/describe.ts";
import { counted } from "../core/text.ts";
import type { SourceReport } from "../monitor/report.ts";

/** Returns the name in messages of an input that arguments call `file`, `-` being standard input. */
export function inputName(file: string): string {
  return file === "-" ? "standard input" : file;
}

/** Formats a counted name for people; an empty name becomes visible. */
export function shownName(name: string): string {
  return name === "" ? "(empty)" : name;
}

/** Formats a share: `4.2 %`. */
export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Says that hits of `lines` do not count, and until when. */
export function uncountedText(lines: number): string {
  return `Hits of ${counted(lines, "line")} not counted ${UNTIL_PROXIES_ARE_NAMED}`;
}

/** Returns what a source is doing, in a word. */
export function sourceText({ running, waiting, problems }: SourceReport): string {
  if (!running) return "stopped";
  if (problems.length > 0) return "problems";
  return waiting ? "waiting" : "reading";
}
