/** What `report` tells of a period, as data. Everything else in this directory gives it a form. */
import type { Micros } from "../../core/time.ts";
import type { BanStatus, Provenance } from "../../deciding/ban.ts";
import type { BanTotals } from "../../state/ban_reader.ts";
import type { Status } from "../status_lines.ts";
import type { Period, Series } from "./series.ts";
import type { SlowAttacker } from "./slow.ts";

/** What is counted by name: all of it but modules and rules only as far as it came often. */
export const SUBJECTS = ["module", "rule", "address", "network", "user", "path"] as const;
export type Subject = typeof SUBJECTS[number];

/** Something that was counted. */
export interface Row {
  readonly name: string;
  /** Lines that hit any rule; of a rule its hits. */
  readonly hits: number;
  /** Of all hits, from 0 to 1. */
  readonly share: number;
  /** Hits in the period before; null: there is nothing to compare with. */
  readonly before: number | null;
  /** Bans that began and ended; null: bans are not of such a thing. */
  readonly made: number | null;
  readonly ended: number | null;
  /** A ban of exactly this address or network has not ended. */
  readonly isBanned: boolean;
}

/** Numbers of a whole period. */
export interface Totals {
  /** Lines that name an address, and how many of them hit a rule. */
  readonly lines: number;
  readonly hits: number;
  /** Bans that began and ended. */
  readonly made: number;
  readonly ended: number;
}

/** Something that came much more, or much less, than in the period before. */
export interface Change {
  readonly subject: Subject;
  readonly name: string;
  readonly before: number;
  readonly hits: number;
}

/** Bans that have not ended. */
export interface Standing {
  /** `noted`: those that no firewall is to carry out. */
  readonly totals: BanTotals & { readonly noted: number };
  readonly by: readonly { readonly provenance: Provenance; readonly count: number }[];
  /** The newest ones, newest first. */
  readonly newest: readonly BanStatus[];
}

/** All that a report tells. */
export interface Review {
  /** Name of this machine. */
  readonly host: string;
  readonly now: Micros;
  readonly period: Period;
  readonly periodBefore: Period;
  readonly totals: Totals;
  /** Null: counts do not go back that far. */
  readonly totalsBefore: Totals | null;
  /** Since when there are counts at all; null: there are none. */
  readonly oldest: Micros | null;
  readonly series: Series;
  /** Hits of the last seven days, by weekday from Monday on and hour; null: that hour is not in the period. */
  readonly heat: readonly (readonly (number | null)[])[];
  readonly tables: Readonly<Record<Subject, readonly Row[]>>;
  readonly slow: readonly SlowAttacker[];
  /** The greatest first; null as with `totalsBefore`. */
  readonly changes: readonly Change[] | null;
  readonly standing: Standing;
  readonly status: Status;
  /** What does not work, in sentences. */
  readonly problems: readonly string[];
}
