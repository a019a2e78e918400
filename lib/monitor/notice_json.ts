/** A notice as the hook gets it: JSON with all known facts, and a text ready to be sent. */
import { counted, jsonText, printable } from "../core/text.ts";
import { formatDuration, isoTime } from "../core/time.ts";
import { banRecord, lengthOf, nameOf } from "../deciding/ban.ts";
import type { Notice, OpenProblem } from "./notices.ts";

/** The server that sends a notice. */
export interface Sender {
  readonly host: string;
  /** Name of the firewall; `observe`: bans are not carried out. */
  readonly firewall: string;
}

/** Longest text of a problem, in characters: it may quote a program's output. */
const MOST_TEXT = 500;

/** Writes a notice as one line of JSON. */
export function noticeJson(notice: Notice, { host, firewall }: Sender): string {
  const { time, problems, over, bans, banCount } = notice;
  const verb = firewall === "observe" ? "Would ban" : "Banned";
  return jsonText({
    version: 1,
    host,
    time: isoTime(time),
    title: printable(`${host}: ${titleOf(notice)}`),
    text: [
      ...problems.map(({ text }) => `Problem: ${short(text)}`),
      ...over.map((problem) =>
        `Over after ${formatDuration(problem.seen - problem.since)}: ${short(problem.text)}`
      ),
      ...bans.map((ban) =>
        `${verb} ${nameOf(ban)} ${lengthOf(ban)}: ${ban.reason}, ${counted(ban.count, "hit")}`
      ),
      ...banCount > bans.length ? [`and ${counted(banCount - bans.length, "earlier ban")}`] : [],
    ].map(printable).join("\n"),
    firewall,
    problems: problems.map(problemJson),
    over: over.map((problem) => ({ ...problemJson(problem), until: isoTime(problem.seen) })),
    bans: bans.map(banRecord),
    ban_count: banCount,
  });
}

/** Writes a notice without any news, with which an operator tests that notices arrive. */
export function testNoticeJson(sender: Sender, time: number): string {
  const nothing: Notice = { time, problems: [], over: [], bans: [], banCount: 0, lastBan: 0 };
  const { host } = sender;
  const test = {
    title: printable(`${host}: test`),
    text: "This is a test: notices of StrongMonitor arrive.",
  };
  return jsonText({ ...JSON.parse(noticeJson(nothing, sender)), ...test });
}

function titleOf({ problems, over, banCount }: Notice): string {
  return [
    ...problems.length > 0 ? [counted(problems.length, "problem")] : [],
    ...over.length > 0 ? [`${counted(over.length, "problem")} over`] : [],
    ...banCount > 0 ? [counted(banCount, "ban")] : [],
  ].join(", ");
}

function problemJson({ kind, subject, text, since }: OpenProblem): Record<string, unknown> {
  return { kind, subject: short(subject), text: short(text), since: isoTime(since) };
}

function short(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}
