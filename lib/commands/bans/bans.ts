import { formatScope } from "../../core/scope.ts";
import { capitalized, counted } from "../../core/text.ts";
import { formatDuration, isoTime, isoTimeOrNull, now } from "../../core/time.ts";
import { type BanStatus, isConfirmed, isWaiting, nameOf } from "../../deciding/ban.ts";
import { type MonitorReport, readReport } from "../../monitor/report.ts";
import type { BanTotals } from "../../state/ban_reader.ts";
import type { State } from "../../state/state.ts";
import { withState } from "../common/open_state.ts";
import {
  type CommonOptions,
  print,
  printObjects,
  printTable,
  tableEnd,
  tableTime,
  zoneText,
} from "../common/output.ts";

/** Most bans that `bans --all` prints. */
const HISTORY = 1_000;

/**
 * `bans`: prints bans that have not ended, and ended bans that the firewall still holds. With
 * `all`, prints the newest thousand bans instead.
 */
export function bansCommand(options: CommonOptions & { all?: boolean }): number {
  withState(options, (state) => {
    const bans = options.all ? state.bans.history(HISTORY).values() : listed(state.bans);
    if (options.json) return printObjects(bans.map(banJson));
    const rows = [...bans.map(banRow)];
    if (rows.length === 0) return print(options.all ? "No bans yet." : "No bans in force.");
    printTable(["ADDRESS", "SINCE", "UNTIL", "FIREWALL", "REASON"], rows);
    const totals = totalsOf(state, readReport(state.report()));
    print(`${capitalized(options.all ? allText(totals) : totalsText(totals))}. ${zoneText()}`);
  });
  return 0;
}

/** Yields bans that have not ended, and ended bans that the firewall still holds. */
function* listed(bans: State["bans"]): Generator<BanStatus> {
  yield* bans.eachInForce();
  yield* bans.lingering();
}

/** Counts bans. A ban that the firewall lost at a boot waits since the monitor started. */
export function totalsOf({ bans }: State, report: MonitorReport | null): BanTotals {
  const totals = bans.totals();
  const { waitingSince } = totals;
  return { ...totals, waitingSince: waitingSince && Math.max(waitingSince, report?.started ?? 0) };
}

/** Words the totals: `3 bans: 2 in force, 1 waiting for the firewall for 5m`. */
export function totalsText({ decided, confirmed, waiting, noted, waitingSince }: BanTotals): string {
  const age = waitingSince === null ? "" : ` for ${formatDuration(now() - waitingSince)}`;
  const parts = [
    ...confirmed > 0 ? [`${confirmed} in force`] : [],
    ...waiting > 0 ? [`${waiting} waiting for the firewall${age}`] : [],
    ...noted > 0 ? [`${noted} would be banned (observe)`] : [],
  ];
  return decided === 0 ? "no ban in force" : `${counted(decided, "ban")}: ${parts.join(", ")}`;
}

/** Words the totals, with the number of all bans that the state keeps. */
export function allText(totals: BanTotals): string {
  return `${totalsText(totals)}; ${totals.all} in all, ended ones included`;
}

/** Returns a ban as JSON (docs/json.md). */
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
    in_force: isConfirmed(ban),
    waiting: isWaiting(ban),
    attempts: ban.attempts,
    error: ban.error,
  };
}

function banRow(ban: BanStatus): string[] {
  const until = ban.ended === null ? tableEnd(ban.until) : `${tableTime(ban.ended)} (${ban.endReason})`;
  return [nameOf(ban), tableTime(ban.start), until, firewallCell(ban), ban.reason];
}

function firewallCell(ban: BanStatus): string {
  const { ended, appliedBy, attempts, error } = ban;
  if (error !== null) return `${ended === null ? "ban" : "lift"} failed ${counted(attempts, "time")}`;
  if (ended !== null) return appliedBy === null ? "-" : `${appliedBy}, to be lifted`;
  return isWaiting(ban) || appliedBy === null ? "waiting" : appliedBy;
}
