import { formatScope } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { withState } from "./open.ts";
import {
  type CommonOptions,
  isoTime,
  isoTimeOrNull,
  localTime,
  print,
  printJson,
  printTable,
} from "./output.ts";

/** Bans that `bans --all` shows. */
const HISTORY = 1_000;

/**
 * `bans`: the bans in force, and those that have ended but that the firewall still has; with `all` the newest thousand
 * of the past instead.
 */
export function bansCommand(options: CommonOptions & { all?: boolean }): number {
  const bans = withState(
    options,
    ({ bans }) => options.all ? bans.history(HISTORY) : [...bans.inForce(), ...bans.lingering()],
  );
  if (options.json) bans.forEach((ban) => printJson(banJson(ban)));
  else if (bans.length === 0) print(options.all ? "No bans yet." : "No bans in force.");
  else printTable(["ADDRESS", "SINCE", "UNTIL", "FIREWALL", "REASON"], bans.map(banRow));
  return 0;
}

/** A ban as machines read it. */
export function banJson(ban: BanStatus): Record<string, unknown> {
  return {
    address: ban.address,
    scope: formatScope(ban.scope),
    provenance: ban.provenance.kind,
    name: ban.provenance.name,
    reason: ban.reason,
    count: ban.count,
    start: isoTime(ban.start),
    until: isoTimeOrNull(ban.until),
    ended: isoTimeOrNull(ban.ended),
    end_reason: ban.endReason,
    firewall: ban.appliedAt === null ? null : ban.appliedBy,
    attempts: ban.attempts,
    error: ban.error,
  };
}

function banRow(ban: BanStatus): string[] {
  const until = ban.ended === null ? untilText(ban) : `${localTime(ban.ended)} (${ban.endReason})`;
  return [nameOf(ban), localTime(ban.start), until, firewallText(ban), ban.reason];
}

function untilText({ until }: BanStatus): string {
  return until === null ? "for good" : localTime(until);
}

function firewallText({ ended, appliedBy, appliedAt, attempts, error }: BanStatus): string {
  if (error !== null) return `failed ${counted(attempts, "time")}`;
  if (ended !== null) return appliedBy === null ? "-" : `${appliedBy}, to be lifted`;
  return appliedAt === null || appliedBy === null ? "waiting" : appliedBy;
}
