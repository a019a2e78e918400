import type { Knock } from "./knock.ts";
import type { LogEvent } from "../reading/module.ts";
import type { LoginNews } from "./logins.ts";
import type { Micros } from "../core/time.ts";
import type { NewBan } from "./ban.ts";
import type { Tally } from "../rules/findings.ts";

/** What one batch leaves behind, written in one transaction. */
export interface BatchRecord {
  readonly source: string;
  /** Reached by the batch: reading goes on behind it. */
  readonly position: string;
  /** Events to be recorded. */
  readonly events: readonly LogEvent[];
  /** What to count again after a restart. */
  tallies(): readonly Tally[];
  readonly logins: LoginNews;
  readonly bans: readonly NewBan[];
  readonly knocks: readonly Knock[];
}

/** A recorded line. */
export interface LogRow {
  /** Counts up without reuse within one state. */
  readonly seq: number;
  /** Name of the module. */
  readonly module: string;
  readonly address: string;
  readonly time: Micros;
  readonly message: string;
}
