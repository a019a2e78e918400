/** Words that several commands share. Pure. */
import { counted } from "../core/text.ts";
import type { SourceReport } from "../monitor/report.ts";

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
  const until = "until trusted_proxies says which proxies stand in front, or [] for none";
  return `Hits of ${counted(lines, "line")} not counted ${until}`;
}

/** Returns what a source is doing, in a word. */
export function sourceText({ running, waiting, problems }: SourceReport): string {
  if (!running) return "stopped";
  if (problems.length > 0) return "problems";
  return waiting ? "waiting" : "reading";
}
