/** The data of `report`. All other files of this directory gather or format it. */
import type { Micros } from "../../core/time.ts";
import type { BanStatus, Provenance } from "../../deciding/ban.ts";
import type { BanTotals } from "../../state/ban_reader.ts";
import type { BanCount, LoginAfterBan } from "../../state/history.ts";
import type { CountRow } from "../common/count_rows.ts";
import type { Subject } from "../common/output.ts";
import type { Status } from "../status/text.ts";
import type { Period, Series } from "./series.ts";
import type { SlowAttacker } from "./slow.ts";

/** A counted name, beside the period before. */
export interface Row extends CountRow {
  /** Hits in the period before; null: no counts to compare with. */
  readonly before: number | null;
  /** A ban of exactly this address or network has not ended. */
  readonly isBanned: boolean;
}

/** Totals of a period. */
export interface PeriodTotals extends BanCount {
  /** Lines that name an address, and lines that hit a rule. */
  readonly lines: number;
  readonly hits: number;
}

/** A name whose count differs much from the period before. */
export interface Change {
  readonly subject: Subject;
  readonly name: string;
  readonly before: number;
  readonly hits: number;
}

/** Bans in force, confirmed or not. */
export interface BansInForce {
  readonly totals: BanTotals;
  readonly by: readonly { readonly provenance: Provenance; readonly count: number }[];
  /** The newest bans, newest first. */
  readonly newest: readonly BanStatus[];
}

/** All data of a report. */
export interface Review {
  readonly host: string;
  readonly now: Micros;
  readonly period: Period;
  readonly periodBefore: Period;
  readonly totals: PeriodTotals;
  /** Null: counts do not reach that far back. */
  readonly totalsBefore: PeriodTotals | null;
  /** Start of all counts; null: there are none. */
  readonly oldest: Micros | null;
  readonly series: Series;
  /** Hits of the last seven days, by weekday from Monday and hour; null: not in the period. */
  readonly heat: readonly (readonly (number | null)[])[];
  readonly tables: Readonly<Record<Subject, readonly Row[]>>;
  readonly slow: readonly SlowAttacker[];
  /** Logins of the period from addresses banned before, the newest first. */
  readonly loggedIn: { readonly count: number; readonly newest: readonly LoginAfterBan[] };
  /** Greatest changes first; null as with `totalsBefore`. */
  readonly changes: readonly Change[] | null;
  readonly bansInForce: BansInForce;
  readonly status: Status;
  readonly problems: readonly string[];
}
