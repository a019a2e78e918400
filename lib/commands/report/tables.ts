/** The tables of a review, which text and page show alike. Pure. */
import { capitalized } from "../../core/text.ts";
import { totalsText } from "../bans/bans.ts";
import type { Subject } from "../common/output.ts";
import { shareText } from "../common/words.ts";
import type { Review } from "./review.ts";
import { changeText, countText, nounOf, provenanceText, TITLES } from "./words.ts";

/** A table of names with their numbers. */
export interface ReviewTable {
  readonly title: string;
  /** Headings of the names and of the cells; also classes of style.css. */
  readonly headings: readonly string[];
  readonly rows: readonly ReviewRow[];
  /** Sentence in place of a table without rows. */
  readonly none: string;
  /** Sentence below the rows. */
  readonly note?: string;
}

/** A row of a table. */
export interface ReviewRow {
  readonly name: string;
  /** Word beside the name; null: none. */
  readonly tag: string | null;
  /** Length of the bar behind the name, from 0 to 1. */
  readonly size: number;
  /** Cells below all headings but the first. */
  readonly cells: readonly string[];
}

/** Tag of an address or network whose ban has not ended. */
export const BANNED = "banned";

/** Makes the table of the most frequent names of a subject. */
export function subjectTable({ tables }: Review, subject: Subject): ReviewTable {
  const rows = tables[subject];
  const isCompared = rows.some(({ before }) => before !== null);
  const hasBans = rows.some(({ made }) => made !== null);
  return {
    title: TITLES[subject],
    headings: [
      nounOf(subject),
      "hits",
      "share",
      ...isCompared ? ["change"] : [],
      ...hasBans ? ["bans"] : [],
    ],
    rows: rows.map(({ name, hits, share, before, made, isBanned }) => ({
      name,
      tag: isBanned ? BANNED : null,
      size: hits / rows[0]!.hits,
      cells: [
        countText(hits),
        shareText(share),
        ...isCompared ? [changeText(before, hits)] : [],
        ...hasBans ? [countText(made ?? 0)] : [],
      ],
    })),
    none: "None.",
  };
}

/** Makes the table of bans in force by provenance. */
export function bansTable({ bansInForce: { totals, by } }: Review): ReviewTable {
  return {
    title: "Bans in force",
    headings: ["by", "bans"],
    rows: by.map(({ provenance, count }) => ({
      name: provenanceText(provenance),
      tag: null,
      size: count / by[0]!.count,
      cells: [countText(count)],
    })),
    none: "None.",
    note: `${capitalized(totalsText(totals))}.`,
  };
}

/** Makes the table of slow attackers. */
export function slowTable({ slow }: Review): ReviewTable {
  const what = "six hours or more, with at most ten hits in each";
  return {
    title: "Slow attackers",
    headings: ["address", "hours", "days", "hits", "bans"],
    rows: slow.map(({ address, hours, days, hits, made, isBanned }) => ({
      name: address,
      tag: isBanned ? BANNED : null,
      size: hours / slow[0]!.hours,
      cells: [hours, days, hits, made].map(countText),
    })),
    none: `Nobody came in ${what}.`,
    note: `They came in ${what}.`,
  };
}

/** Makes the table of names whose counts changed much since the period before. */
export function changesTable({ changes }: Review): ReviewTable {
  return {
    title: "What changed",
    headings: ["name", "before", "now", "change"],
    rows: (changes ?? []).map(({ subject, name, before, hits }) => ({
      name,
      tag: nounOf(subject),
      size: 0,
      cells: [countText(before), countText(hits), changeText(before, hits)],
    })),
    none: changes === null
      ? "Counts do not go back far enough to compare."
      : "Nothing came much more or much less than before.",
  };
}
