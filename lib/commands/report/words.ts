/** Words for numbers, times and names in text and page. */
import { formatDuration, localTime, type Micros, MILLISECOND } from "../../core/time.ts";
import { type BanStatus, isConfirmed, isWaiting, type Provenance } from "../../deciding/ban.ts";
import { type Subject, tableTime } from "../common/output.ts";
import { bounded } from "../../core/text.ts";
import type { LoginAfterBan } from "../../state/history.ts";
import { shownName } from "../common/words.ts";
import type { Review } from "./review.ts";
import type { Series } from "./series.ts";

/** Titles of subjects, at the beginning of a line. */
export const TITLES: Readonly<Record<Subject, string>> = {
  module: "Modules",
  rule: "Rules",
  address: "Addresses",
  network: "Networks",
  user: "User names",
  path: "Paths",
};
/** Subjects in the order of the report. */
export const ORDER = Object.keys(TITLES) as readonly Subject[];
/** Weekdays in the order of `Review.heat`. */
export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

/** Returns a subject's noun in the singular. */
export function nounOf(subject: Subject): string {
  return subject === "user" ? "user name" : subject;
}

/** Formats a count: `12,345`. */
export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

/** Formats a count's change: `+12 %`, `×3.4`, `new`; empty without a count before. */
export function changeText(before: number | null, count: number): string {
  if (before === null) return "";
  if (before === count) return "same";
  if (before === 0) return "new";
  if (count === 0) return "gone";
  if (count >= 2 * before) return `×${(count / before).toFixed(count >= 100 * before ? 0 : 1)}`;
  const percent = Math.round(100 * (count / before - 1));
  return percent === 0 ? "same" : `${percent < 0 ? "−" : "+"}${Math.abs(percent)} %`;
}

/** Formats the length of `count` bars. */
export function unitText({ unit }: Pick<Series, "unit">, count = 1): string {
  if (unit === "six hours") return count === 1 ? unit : `${6 * count} hours`;
  return count === 1 ? `one ${unit}` : `${count} ${unit}s`;
}

/** Formats the time of a bar, day first. */
export function barText(start: Micros, { unit }: Pick<Series, "unit">): string {
  const time = localTime(start);
  const day = `${WEEKDAYS[(new Date(start / MILLISECOND).getDay() + 6) % 7]} ${time.slice(0, 10)}`;
  return unit === "hour" || unit === "six hours" ? `${day} ${time.slice(11, 16)}` : day;
}

/** Formats the end of a ban, relative to `now`. */
export function endText({ until }: Pick<BanStatus, "until">, now: Micros): string {
  if (until === null) return "for good";
  return until <= now ? "now" : `in ${formatDuration(until - now)}`;
}

/** Formats the provenance; a rule by its name alone. */
export function provenanceText({ kind, name }: Provenance): string {
  return kind === "rule" ? name : `${kind} ${name}`.trim();
}

/** Says whether the firewall holds a ban. */
export function heldText(ban: BanStatus): string {
  if (ban.error !== null) return "failing";
  return isConfirmed(ban) ? "in force" : isWaiting(ban) ? "waiting" : "noted only";
}

/** Title of the list of logins after bans, and the sentence in its place. */
export const LOGGED_IN = "Logged in after a ban";
export const NONE_LOGGED_IN = "Nobody logged in from an address that a rule had banned before.";

/** Says who logged in after which ban. */
export function loginText({ user, time, ban }: LoginAfterBan): string {
  const banned = `banned ${tableTime(ban.start)} by ${provenanceText(ban.provenance)}`;
  const what = ban.address.includes("/") ? `${ban.address} was ${banned}` : banned;
  return `${what}; ${bounded(shownName(user), 40) || "somebody"} logged in ${tableTime(time)}`;
}

/** Returns the hits of the busiest hour. */
export function mostOf(heat: Review["heat"]): number {
  return Math.max(...heat.flat().map((hits) => hits ?? 0));
}

/** Says how many hits the busiest hour has. */
export function busiestText(most: number): string {
  return `The busiest hour has ${countText(most)} ${most === 1 ? "hit" : "hits"}.`;
}

/** Explains the limits of the counts, in sentences. */
export function limitsOf({ totalsBefore, oldest }: Review): string[] {
  return [
    "The report adds up counts of hours, which are kept for 15 days, and of days, which are kept for 400. Hits by weekday and slow attackers come from the counts of hours alone.",
    "Each hour keeps the hundred most frequent addresses, networks, names and paths, and 96 bytes of a name. So the true counts may be higher, nobody knows how many different ones there were, and a slow attacker behind a hundred louder ones is missed. `strongmonitor why ADDRESS` shows the newest 200 lines of an address that it finds within half a second.",
    ...totalsBefore !== null ? [] : [
      oldest === null
        ? "Nothing was counted yet."
        : `Nothing is compared with the period before, as counts begin at ${tableTime(oldest)}.`,
    ],
  ];
}
