import { entryJson } from "../whitelist/list.ts";
import { inSeconds, isoTime, isoTimeOrNull } from "../../core/time.ts";
import type { MemberReport } from "../../postgres/member_reports.ts";
import { banJson } from "../bans/bans.ts";
import type { FoundLine } from "../../state/line_search.ts";
import type { Count } from "./evidence.ts";
import { leakJson } from "../status/json.ts";
import type { Story } from "./story.ts";
import { whyNot } from "./text.ts";

/** Returns a story as JSON (docs/json.md). */
export function storyJson(story: Story): unknown {
  const { target, now, bans, around, inside, report, members } = story;
  return {
    address: target,
    time: isoTime(now),
    banned: [...bans, ...around].some(({ ended }) => ended === null),
    in_force: [...bans, ...around].map(banJson).some((ban) => ban.in_force),
    why_not: [...whyNot(story)],
    running: story.isRunning,
    firewall: report?.firewall ?? null,
    holding: isoTimeOrNull(report?.holding?.time ?? null),
    bans: bans.map(banJson),
    networks: around.map(banJson),
    inside: inside === null ? null : {
      all: inside.all,
      decided: inside.decided,
      newest: inside.newest.map(banJson),
    },
    getting_through: story.leaks.map(leakJson),
    whitelist: story.whitelist.map(entryJson),
    logins: story.logins.map((login) => ({
      address: login.address,
      user: login.user,
      method: login.method,
      time: isoTime(login.time),
      trusted: login === story.trusted,
    })),
    sessions: story.sessions.map(({ address, port, time }) => ({ address, port, time: isoTime(time) })),
    knocks: story.knocks.map(({ name, used }) => ({ name, used_by: used!.by, used_at: isoTime(used!.at) })),
    counts: story.counts.map(countJson),
    counts_complete: story.areCountsComplete,
    lines: story.lines.map((line) => ({ ...lineJson(line), hits: line.hits.map(countJson) })),
    complete: story.search.isComplete,
    searched_since: isoTimeOrNull(story.search.searchedSince),
    members: members === null ? null : members.map(memberJson),
    database_error: story.memberError,
    config_error: story.configError,
  };
}

function countJson({ address, module, rule, count, limit, window }: Count): unknown {
  return { address, module, rule, count, limit, window: inSeconds(window) };
}

/** Returns a recorded line as JSON. */
export function lineJson({ time, module, source, address, message }: FoundLine) {
  return { time: isoTime(time), module, source, address, message };
}

function memberJson({ member, lines, lastLine, bans }: MemberReport): unknown {
  return {
    member,
    lines,
    last_line: isoTimeOrNull(lastLine),
    bans: bans.map(({ address, reason, start, until, ended, endReason }) => ({
      address,
      reason,
      start: isoTime(start),
      until: isoTimeOrNull(until),
      ended: isoTimeOrNull(ended),
      end_reason: endReason,
    })),
  };
}
