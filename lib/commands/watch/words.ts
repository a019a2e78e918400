/** Formats numbers and spans briefly. Pure. */
import { capitalized } from "../../core/text.ts";
import { DAY, formatDuration, HOUR, type Micros, MINUTE, SECOND } from "../../core/time.ts";
import type { MonitorReport } from "../../monitor/report.ts";
import { worksText } from "../common/words.ts";

/** Returns the verdict on a monitor without problems, as a sentence. */
export function verdict(report: MonitorReport | null): string {
  return `${capitalized(worksText(report))}.`;
}

/** Formats a count in at most six characters: `12,345`, `1.2M`. */
export function figure(count: number): string {
  if (count < 99_999.5) return Math.round(count).toLocaleString("en");
  if (count < 999_500) return `${Math.round(count / 1e3)}k`;
  const [unit, letter] = count < 999.5e6 ? [1e6, "M"] : [1e9, "G"];
  const value = count / unit;
  return `${value.toFixed(value < 10 ? 1 : 0)}${letter}`;
}

/** Formats a rate: `0`, `0.5`, `12`. */
export function rateText(rate: number): string {
  return rate < 0.05 ? "0" : rate < 9.95 ? rate.toFixed(1) : figure(rate);
}

/** Formats a span in at most six characters: `2d4h`, `52m`, `8s`. */
export function brief(span: Micros): string {
  const unit = span >= 100 * DAY ? DAY : span >= DAY ? HOUR : span >= MINUTE ? MINUTE : SECOND;
  return formatDuration(span - span % unit);
}

/** Formats the time since an instant; null: never. */
export function ago(instant: Micros | null, now: Micros): string {
  return instant === null ? "never" : brief(Math.max(0, now - instant));
}

/** Formats the remaining time of a ban. */
export function left(until: Micros | null, now: Micros): string {
  return until === null ? "for good" : until <= now ? "ending" : brief(until - now);
}

/** Formats a delay: `0.4s`, `12s`. */
export function delay(span: Micros | undefined): string {
  if (span === undefined) return "-";
  const seconds = Math.max(0, span) / SECOND;
  return seconds < 9.95 ? `${seconds.toFixed(1)}s` : brief(span);
}

/** Formats a share: `12 %`. */
export function percent(share: number): string {
  return `${share > 0 && share < 0.01 ? "<1" : Math.round(100 * share)} %`;
}
