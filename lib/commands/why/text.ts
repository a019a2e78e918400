/** Formats a story in lines for people. Escapes and cuts foreign text. */
import {
  type BanStatus,
  endReasonText,
  isConfirmed,
  isObserved,
  isWaiting,
  MOST_TEXT,
} from "../../deciding/ban.ts";
import { formatScope } from "../../core/scope.ts";
import { bounded, counted } from "../../core/text.ts";
import { DAY, formatDuration, HOUR, localTime, type Micros, MINUTE, SECOND } from "../../core/time.ts";
import type { MemberReport } from "../../postgres/member_reports.ts";
import type { Count, JudgedLine } from "./evidence.ts";
import { folded, wrap } from "../common/layout.ts";
import type { Story } from "./story.ts";
import type { ListedEntry } from "../whitelist/list.ts";
import { strayText, untilText } from "../common/words.ts";

/** Column of the text behind a label. */
const INDENT = 10;
/** Longest name, reason or note, in characters. */
const TEXT = 60;
const ONLY_NEWEST = "Only the newest hits were counted, as there are very many.";
/** Most bans and lines for people; `--json` prints more. */
const [MOST_BANS, MOST_LINES] = [8, 12];

/** Formats a story as lines of at most `width` characters. */
export function storyLines(story: Story, width: number): string[] {
  const lines = [...sections(story), ...linesText(story, width)];
  return [...folded(verdict(story), "", width), ...lines.flatMap((line) => wrap(line, width))];
}

function sections(story: Story): string[] {
  const { bans, around, inside, counts, logins, sessions, knocks, leaks, memberError, configError } = story;
  return [
    ...section("bans", bans.map((ban) => banText(ban, story))),
    ...section("networks", around.map((ban) => `${ban.address}: ${banText(ban, story)}`)),
    ...inside === null || inside.all === 0 ? [] : section(`inside`, [
      `${counted(inside.all, "ban")}, ${inside.decided} not ended`,
      ...inside.newest.map((ban) => `${ban.address}: ${banText(ban, story)}`),
    ], inside.all + 1),
    ...section(
      "through",
      leaks.map(({ address, lines, modules, lastLine }) =>
        `${address} is still getting through: ${counted(lines, "line")} of ${shown(modules.join(", "))}, ` +
        `the last at ${localTime(lastLine)}`
      ),
    ),
    ...section("whitelist", story.whitelist.map(coveringText)),
    ...section(
      "logins",
      logins.map(({ address, user, method, time }) =>
        `${shown(user)} from ${address} by ${shown(method)} at ${localTime(time)} (${ago(time, story)})`
      ),
    ),
    ...section(
      "sessions",
      sessions.map(({ address, port, time }) => `open from ${address} port ${port} since ${localTime(time)}`),
    ),
    ...section(
      "knocks",
      knocks.map(({ name, used }) => `by the key ${shown(name)} from ${used!.by} at ${localTime(used!.at)}`),
    ),
    ...section("counts", counts.map((count) => countText(count, story))),
    ...section(counts.length > 0 ? "" : "counts", story.areCountsComplete ? [] : [ONLY_NEWEST]),
    ...section("members", story.members?.map(memberText) ?? []),
    ...section("database", failed("does not tell what others have seen", memberError)),
    ...section("config", failed("limits, trust and its whitelist are not known", configError)),
  ];
}

function failed(what: string, error: string | null): string[] {
  return error === null ? [] : [`${what}: ${bounded(error, 200)}`];
}

/** Says whether the target is banned and the ban works, or why it is not banned. */
function verdict(story: Story): string {
  const { target, bans, around, report, isRunning } = story;
  const inForce = [...bans, ...around].filter(({ ended }) => ended === null);
  const sentences = inForce.length === 0 ? [`${target} is not banned.`, ...whyNot(story)] : [
    ...inForce.slice(0, 3).map((ban) => inForceText(ban, story)),
    ...report?.firewall !== "observe"
      ? []
      : inForce.some(isConfirmed)
      ? ["The monitor only observes now: docs/firewalls.md tells how to lift it."]
      : ["The monitor observes, and cuts nobody off."],
  ];
  if (!isRunning) sentences.push("The monitor is not running.");
  return sentences.join(" ");
}

function inForceText(ban: BanStatus, { target, report, now }: Story): string {
  const { address, scope, start, appliedBy, appliedAt, attempts, error } = ban;
  const what = scope === "all" ? "" : ` from ${formatScope(scope)}`;
  const by = address === target ? "" : ` by the ban of ${address}`;
  const verb = isObserved(ban) || (isWaiting(ban) && report?.firewall === "observe")
    ? "would be banned (observe)"
    : "is banned";
  const banned =
    `${target} ${verb}${what}${by} since ${localTime(start)} ${untilText(ban)}: ${given(ban.reason)}` +
    `${hitsText(ban)}.`;
  if (isConfirmed(ban)) {
    const holding = report?.holding ?? null;
    const looked = holding === null || holding.held === null
      ? ""
      : `, and was looked at ${ago(holding.time, { now })}`;
    return `${banned} The firewall (${shown(appliedBy!)}) last confirmed it ${
      localTime(appliedAt!)
    }${looked}.`;
  }
  if (!isWaiting(ban)) return banned;
  if (error !== null) {
    return `${banned} It does not hold: tried ${counted(attempts, "time")}: ${bounded(error, 200)}.`;
  }
  return `${banned} No firewall has confirmed it yet.`;
}

/** Says why somebody is not banned, a sentence each; empty if banned. */
export function* whyNot(story: Story): Generator<string> {
  const { target, bans, around, whitelist, trusted, counts, lines, configError, search } = story;
  if ([...bans, ...around].some(({ ended }) => ended === null)) return;
  const [last] = bans;
  const [nearest] = counts;
  const stray = strayText(target, story.report);
  const hit = lines.find(({ hits }) => hits.length > 0);
  if (stray !== null) yield `But ${stray}.`;
  for (const entry of whitelist) yield `Whitelisted: ${coveringText(entry)}.`;
  if (trusted !== null) {
    const { method, user, time } = trusted;
    yield `Trusted by a ${shown(method)} login of ${shown(user)} ${ago(time, story)}.`;
  }
  if (last !== undefined) yield `Its last ban ended ${ago(last.ended!, story)} (${endReasonText(last)}).`;
  if (nearest !== undefined) yield `${countText(nearest, story)}.`;
  else if (configError === null && hit !== undefined) {
    yield `No hit counts now; when it hit last, ${ago(hit.time, story)}, it was ${countText(hit.hits[0]!)}.`;
  } else if (configError === null && lines.length > 0) yield "None of its lines below hits a rule.";
  if (lines.length > 0) return;
  yield search.isComplete
    ? "No recorded line names it."
    : `No line recorded since ${localTime(search.searchedSince!)} names it.`;
}

function banText(ban: BanStatus, story: Story): string {
  const { scope, start, until, ended } = ban;
  const what = scope === "all" ? "" : `${formatScope(scope)}, `;
  const end = ended !== null
    ? `ended ${localTime(ended)}: ${endReasonText(ban)}`
    : until === null
    ? "for good"
    : `until ${localTime(until)}, ${formatDuration(until - story.now)} left`;
  return `${what}${localTime(start)}, ${end}: ${given(ban.reason)}${hitsText(ban)}`;
}

function hitsText({ count, provenance }: BanStatus): string {
  return provenance.kind === "rule" && count > 0 ? `, ${counted(count, "hit")}` : "";
}

function coveringText({ address, origin, file, note, until }: ListedEntry): string {
  const by = file === null ? `by ${origin}` : `by the file ${shown(file)}`;
  const end = until === null ? "" : ` until ${localTime(until)}`;
  return `${address} ${by}${end}${note === "" ? "" : ` (${given(note)})`}`;
}

/** Words a count: `4 of 5 hits of SSHD invalid_user within 10m`; names other addresses than the target. */
function countText(
  { address, module, rule, count, limit, window }: Count,
  { target }: Pick<Story, "target"> = { target: address },
): string {
  const owner = address === target ? "" : `${address}: `;
  const within = window === null ? "" : ` within ${formatDuration(window)}`;
  return `${owner}${count} of ${counted(limit, "hit")} of ${shown(`${module} ${rule}`)}${within}`;
}

/** Words a hit: `invalid_user 6 of 5 within 10m: past the limit`. */
function hitText({ rule, count, limit, window }: Count): string {
  const within = window === null ? "" : ` within ${formatDuration(window)}`;
  return `${shown(rule)} ${count} of ${limit}${within}${count > limit ? ": past the limit" : ""}`;
}

function memberText({ member, lines, lastLine, bans }: MemberReport): string {
  const seen = lines === 0 ? "no line" : `${counted(lines, "line")}, the last at ${localTime(lastLine!)}`;
  const told = bans.map(({ address, reason, start, ended }) => {
    const end = ended === null ? "" : `, ended ${localTime(ended)}`;
    return `; ${address} banned ${localTime(start)}${end}: ${given(reason)}`;
  });
  return `${shown(member)}: ${seen}${told.slice(0, 3).join("")}`;
}

function linesText({ lines, search }: Story, width: number): string[] {
  if (lines.length === 0) return [];
  const isAll = search.isComplete && lines.length <= MOST_LINES;
  const told = isAll
    ? counted(lines.length, "line")
    : `the newest of ${search.isComplete ? lines.length : `${lines.length} or more`} lines`;
  const newest = lines.slice(0, MOST_LINES).flatMap((line) => lineText(line, width));
  return [`${"lines".padEnd(INDENT)}${told}`, ...newest];
}

/** Formats a line with its hits. */
export function lineText(
  { time, module, source, address, message, hits }: JudgedLine,
  width: number,
): string[] {
  const from = source === null ? "" : ` (${shown(source.replace(/^file:/, ""))})`;
  return [
    bounded(`  ${localTime(time)}  ${address}  ${module}${from}`, width),
    `    ${bounded(message, width - 4)}`,
    ...hits.length === 0 ? [] : [`      hit ${hits.map(hitText).join(", ")}`],
  ];
}

/** Returns the first of `all` sentences under a label, and the number of the others. */
function section(label: string, texts: readonly string[], all = texts.length): string[] {
  const more = all - MOST_BANS;
  const shownTexts = more > 0 ? [...texts.slice(0, MOST_BANS), `and ${more} more`] : texts;
  return shownTexts.map((text, i) => (i === 0 ? label : "").padEnd(INDENT) + text);
}

function shown(text: string): string {
  return bounded(text === "" ? "(none)" : text, TEXT);
}

/** Returns a reason or note that somebody gave, as long as the state keeps it. */
function given(text: string): string {
  return bounded(text === "" ? "(none)" : text, MOST_TEXT);
}

function ago(time: Micros, { now }: Pick<Story, "now">): string {
  return time >= now ? "just now" : `${formatDuration(rounded(now - time))} ago`;
}

/** Rounds a span: from a day to hours, from an hour to minutes. */
function rounded(span: Micros): Micros {
  const unit = span >= DAY ? HOUR : span >= HOUR ? MINUTE : SECOND;
  return Math.max(SECOND, Math.round(span / unit) * unit);
}
