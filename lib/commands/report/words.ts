/** How the text and the page word numbers, times and names. */
import { formatDuration, type Micros, MILLISECOND } from "../../core/time.ts";
import { type BanStatus, isInForce, isWaiting } from "../../deciding/ban.ts";
import { localTime } from "../output.ts";
import type { Review, Subject } from "./review.ts";
import type { Series } from "./series.ts";

/** What each subject is called, at the beginning of a line. */
export const TITLES: Readonly<Record<Subject, string>> = {
  module: "Modules",
  rule: "Rules",
  address: "Addresses",
  network: "Networks",
  user: "User names",
  path: "Paths",
};
/** One of each. */
export const NOUNS: Readonly<Record<Subject, string>> = {
  module: "module",
  rule: "rule",
  address: "address",
  network: "network",
  user: "user name",
  path: "path",
};
/** Weekdays in the order of `Review.heat`. */
export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Formats a count: `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** Formats a part of a whole: `4.2 %`. */
export function shareText(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Formats how a count differs from the one before: `+12 %`, `×3.4`, `new`; empty where nothing can be compared. */
export function changeText(before: number | null, count: number): string {
  if (before === null) return "";
  if (before === count) return "same";
  if (before === 0) return "new";
  if (count === 0) return "gone";
  if (count >= 3 * before) return `×${(count / before).toFixed(count >= 100 * before ? 0 : 1)}`;
  const percent = Math.round(100 * (count / before - 1));
  return percent === 0 ? "same" : `${percent < 0 ? "−" : "+"}${Math.abs(percent)} %`;
}

/** Formats an instant to the minute of local time. */
export function minuteText(time: Micros): string {
  return localTime(time).slice(0, 16);
}

/** The time of a bar, its day first. */
export function barText(start: Micros, { unit }: Pick<Series, "unit">): string {
  const time = localTime(start);
  const day = `${WEEKDAYS[(new Date(start / MILLISECOND).getDay() + 6) % 7]} ${time.slice(0, 10)}`;
  return unit === "hour" || unit === "six hours" ? `${day} ${time.slice(11, 16)}` : day;
}

/** When a ban ends, seen from `now`. */
export function endText({ until }: Pick<BanStatus, "until">, now: Micros): string {
  if (until === null) return "for good";
  return until <= now ? "is ending" : `in ${formatDuration(until - now)}`;
}

/** What the firewall has of a ban. */
export function heldText(ban: BanStatus): string {
  if (ban.error !== null) return "failing";
  return isInForce(ban) ? "in force" : isWaiting(ban) ? "waiting" : "noted only";
}

/** What cannot be told of the period, and why, in sentences. */
export function limitsOf({ totalsBefore, oldest, slow, period }: Review): string[] {
  return [
    "All counts are those of each hour, kept for eight days, and of each day from then on, for 400 days; lines are not read again.",
    "Of addresses, networks, user names and paths only the hundred that came most in an hour are kept, so a count is at least what is told, and how many different ones there were is not known. Names are cut to 96 bytes.",
    ...totalsBefore !== null ? [] : [
      oldest === null
        ? "Nothing was counted yet."
        : `There is no comparison with the period before: counts begin at ${minuteText(oldest)}.`,
    ],
    `Weekdays and slow attackers are told of hours alone: of the last seven and eight days${
      period.to === period.from ? "" : ", as far as the period goes"
    }.${
      slow.length === 0
        ? ""
        : " Where a hundred others were louder in an hour, a slow one is missed; `strongmonitor why` tells all of one address."
    }`,
  ];
}
