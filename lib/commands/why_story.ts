import type { Micros } from "../core/time.ts";
import type { BanStatus } from "../deciding/ban.ts";
import type { KnockKey } from "../deciding/knock.ts";
import type { Login, Session } from "../deciding/login_change.ts";
import type { Leak } from "../monitor/leaks.ts";
import type { MonitorReport } from "../monitor/report.ts";
import type { MemberReport } from "../postgres/member_reports.ts";
import type { InnerBans } from "../state/history.ts";
import type { FoundLines } from "../state/line_search.ts";
import type { Count, JudgedLine } from "./evidence.ts";
import type { Covering } from "./why_whitelist.ts";

/** All that is known of somebody. */
export interface Story {
  /** Canonical address or network. */
  readonly target: string;
  readonly now: Micros;
  /** Bans of the target, newest first, and of networks that it lies in. */
  readonly bans: readonly BanStatus[];
  readonly around: readonly BanStatus[];
  /** Null: the target is one address. */
  readonly inside: InnerBans | null;
  readonly whitelist: readonly Covering[];
  readonly logins: readonly Login[];
  readonly sessions: readonly Session[];
  /** The login that puts it beyond bans; null: none does. */
  readonly trusted: Login | null;
  /** Keys that it knocked with last. */
  readonly knocks: readonly KnockKey[];
  /** What counts at present, nearest to a limit first. */
  readonly counts: readonly Count[];
  /** Newest first. */
  readonly lines: readonly JudgedLine[];
  readonly search: Pick<FoundLines, "isComplete" | "searchedSince">;
  readonly isRunning: boolean;
  readonly report: MonitorReport | null;
  /** Bans of it that do not keep its lines out. */
  readonly leaks: readonly Leak[];
  /** Null: no database is configured, or it did not answer. */
  readonly members: readonly MemberReport[] | null;
  readonly memberError: string | null;
  /** Why limits, trust and the configured whitelist are not known; null: they are. */
  readonly configError: string | null;
}
