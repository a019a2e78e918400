import type { Micros } from "../core/time.ts";
import type { BanStatus } from "../deciding/ban.ts";
import type { KnockKey } from "../deciding/knock.ts";
import type { Login, Session } from "../deciding/login_change.ts";
import type { Leak, MonitorReport } from "../monitor/report.ts";
import type { MemberReport } from "../postgres/member_reports.ts";
import type { InnerBans } from "../state/history.ts";
import type { FoundLines } from "../state/line_search.ts";
import type { Count, JudgedLine } from "./evidence.ts";
import type { ListedEntry } from "./whitelist_list.ts";

/** All facts about an address or network. */
export interface Story {
  /** Canonical address or network. */
  readonly target: string;
  readonly now: Micros;
  /** Bans of the target, newest first, and of networks that contain it. */
  readonly bans: readonly BanStatus[];
  readonly around: readonly BanStatus[];
  /** Null: the target is one address. */
  readonly inside: InnerBans | null;
  readonly whitelist: readonly ListedEntry[];
  readonly logins: readonly Login[];
  readonly sessions: readonly Session[];
  /** Login that keeps it from being banned; null: none. */
  readonly trusted: Login | null;
  readonly knocks: readonly KnockKey[];
  /** Current counts, nearest to a limit first. */
  readonly counts: readonly Count[];
  /** Whether `counts` is of all stored notes, not only of the newest ones. */
  readonly areCountsComplete: boolean;
  /** Newest first. */
  readonly lines: readonly JudgedLine[];
  readonly search: Pick<FoundLines, "isComplete" | "searchedSince">;
  readonly isRunning: boolean;
  readonly report: MonitorReport | null;
  /** Bans of the target that lines still get past. */
  readonly leaks: readonly Leak[];
  /** Null: no database is configured, or it did not answer. */
  readonly members: readonly MemberReport[] | null;
  readonly memberError: string | null;
  /** Why limits, trust and the configured whitelist are unknown; null: they are known. */
  readonly configError: string | null;
}
