/** Words that several commands share. Pure. */
import type { SourceReport } from "../monitor/report.ts";

/** A name that was counted as people read it: one that is empty has to be seen as well. */
export function shownName(name: string): string {
  return name === "" ? "(empty)" : name;
}

/** Formats a part of a whole: `4.2 %`. */
export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** What a source is doing, in a word. */
export function sourceText({ running, waiting, problems }: SourceReport): string {
  if (!running) return "stopped";
  if (problems.length > 0) return "problems";
  return waiting ? "waiting" : "reading";
}
