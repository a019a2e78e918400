/** Tables and lists of the page. Input: a review. Output: markup. */
import { type BanStatus, nameOf } from "../../deciding/ban.ts";
import type { SourceReport } from "../../monitor/report.ts";
import type { Micros } from "../../core/time.ts";
import { type Subject, tableTime } from "../output.ts";
import { type Markup, markup, type Part } from "./markup.ts";
import { card, entry, nameText, nothing, sentenceText, table, tag } from "./parts.ts";
import type { Review, Row } from "./review.ts";
import { changeText, countText, endText, heldText, nounOf, provenanceText, TITLES } from "./words.ts";
import { shareText, sourceText } from "../words.ts";

/** Makes the table of the most frequent names of a subject. */
export function mostCard({ tables }: Review, subject: Subject): Markup {
  const rows = tables[subject];
  if (rows.length === 0) return card(TITLES[subject], nothing("None."));
  const isCompared = rows[0]!.before !== null;
  const hasBans = rows[0]!.made !== null;
  return card(
    TITLES[subject],
    table(
      [nounOf(subject), "hits", "share", ...isCompared ? ["change"] : [], ...hasBans ? ["bans"] : []],
      rows.map((row) => ({
        name: [nameText(row.name), bannedTag(row)],
        size: row.hits / rows[0]!.hits,
        cells: [
          countText(row.hits),
          shareText(row.share),
          ...isCompared ? [changeText(row.before, row.hits)] : [],
          ...hasBans ? [countText(row.made ?? 0)] : [],
        ],
      })),
    ),
  );
}

function bannedTag({ isBanned }: Pick<Row, "isBanned">): Part {
  return isBanned && [" ", tag("banned", "bad")];
}

/** Makes the table of bans in force by provenance. */
export function bansInForceCard({ bansInForce: { totals, by } }: Review): Markup {
  const others = [
    ...totals.waiting > 0 ? [`${countText(totals.waiting)} waiting for the firewall`] : [],
    ...totals.noted > 0 ? [`${countText(totals.noted)} noted only`] : [],
  ];
  if (totals.decided === 0) return card("Bans in force", nothing("None."));
  return card(
    "Bans in force",
    table(
      ["by", "bans"],
      by.map(({ provenance, count }) => ({
        name: nameText(provenanceText(provenance)),
        size: count / by[0]!.count,
        cells: [countText(count)],
      })),
    ),
    others.length > 0 &&
      markup`<p class="note">Of all ${countText(totals.decided)}: ${others.join(", ")}.</p>`,
  );
}

/** Lists the newest bans in force. */
export function newestCard({ bansInForce: { newest }, now }: Review): Markup {
  if (newest.length === 0) return card("Newest bans", nothing("None."));
  return card("Newest bans", markup`<ul class="rows">${newest.map((ban) => banEntry(ban, now))}</ul>`);
}

function banEntry(ban: BanStatus, now: Micros): Markup {
  const held = heldText(ban);
  return entry(nameText(nameOf(ban)), {
    right: [
      held !== "in force" && tag(held, "calm"),
      ` ${ban.until === null ? "" : "ends "}${endText(ban, now)}`,
    ],
    below: sentenceText(ban.reason),
  });
}

/** Makes the table of slow attackers. */
export function slowCard({ slow }: Review): Markup {
  const title = "Slow attackers";
  const what = "six hours or more, with at most ten hits in each";
  if (slow.length === 0) return card(title, nothing(`Nobody came in ${what}.`));
  return card(
    title,
    table(
      ["address", "hours", "days", "hits", "bans"],
      slow.map((one) => ({
        name: [nameText(one.address), bannedTag(one)],
        size: one.hours / slow[0]!.hours,
        cells: [one.hours, one.days, countText(one.hits), one.made],
      })),
    ),
    markup`<p class="note">They came in ${what}.</p>`,
  );
}

/** Lists names whose counts changed much since the period before. */
export function changesCard({ changes }: Review): Markup {
  const title = "What changed";
  if (changes === null) return card(title, nothing("Counts do not go back far enough to compare."));
  if (changes.length === 0) return card(title, nothing("Nothing came much more or much less than before."));
  return card(
    title,
    table(
      ["name", "before", "now", "change"],
      changes.map(({ subject, name, before, hits }) => ({
        name: [nameText(name), " ", tag(nounOf(subject), "calm")],
        size: 0,
        cells: [countText(before), countText(hits), changeText(before, hits)],
      })),
    ),
  );
}

/** Lists sources and their problems. */
export function sourcesCard({ status: { report } }: Review): Markup {
  if (report === null) return card("Sources", nothing("No monitor has reported yet."));
  return card("Sources", markup`<ul class="rows">${report.sources.map(sourceEntry)}</ul>`);
}

function sourceEntry(source: SourceReport): Markup {
  const { name, problems, lastBatch, running } = source;
  return entry(nameText(name), {
    right: tag(sourceText(source), running && problems.length === 0 ? "good" : "bad"),
    below: [
      `last batch ${lastBatch === null ? "never" : tableTime(lastBatch)}`,
      ...problems.map((problem) => markup`<br>${sentenceText(problem)}`),
    ],
  });
}
