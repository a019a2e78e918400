/** Tables and lists of the page. Output: markup. */
import { type BanStatus, nameOf } from "../../deciding/ban.ts";
import type { SourceReport } from "../../monitor/report.ts";
import type { Micros } from "../../core/time.ts";
import { tableTime } from "../common/output.ts";
import { sourceText } from "../common/words.ts";
import { type Markup, markup } from "./markup.ts";
import { card, entry, nameMarkup, nothing, sentenceMarkup, tag } from "./parts.ts";
import type { Review } from "./review.ts";
import { BANNED, type ReviewRow, type ReviewTable } from "./tables.ts";
import { countText, endText, heldText, LOGGED_IN, loginText, NONE_LOGGED_IN } from "./words.ts";

/** Shows a table with a bar behind each name. */
export function tableCard({ title, headings, rows, none, note }: ReviewTable): Markup {
  if (rows.length === 0) return card(title, nothing(none));
  const [first, ...others] = headings;
  return card(
    title,
    markup`
      <table>
        <thead>
          <tr><th scope="col">${first!}</th>${
      others.map((heading) => markup`<th scope="col" class="${heading}">${heading}</th>`)
    }</tr>
        </thead>
        <tbody>${rows.map((row) => rowMarkup(row, others))}</tbody>
      </table>
    `,
    note !== undefined && markup`<p class="note">${note}</p>`,
  );
}

function rowMarkup({ name, tag: word, size, cells }: ReviewRow, headings: readonly string[]): Markup {
  const beside = word !== null && [" ", tag(word, word === BANNED ? "bad" : "calm")];
  return markup`
    <tr><th scope="row" style="--w:${(100 * size).toFixed(1)}%">${nameMarkup(name)}${beside}</th>${
    cells.map((cell, i) => markup`<td class="${headings[i]!}">${cell}</td>`)
  }</tr>
  `;
}

/** Lists the newest bans in force. */
export function newestCard({ bansInForce: { newest }, now }: Review): Markup {
  if (newest.length === 0) return card("Newest bans", nothing("None."));
  return card("Newest bans", markup`<ul class="rows">${newest.map((ban) => banEntry(ban, now))}</ul>`);
}

function banEntry(ban: BanStatus, now: Micros): Markup {
  const held = heldText(ban);
  return entry(nameMarkup(nameOf(ban)), {
    right: [
      held !== "in force" && tag(held, "calm"),
      ` ${ban.until === null ? "" : "ends "}${endText(ban, now)}`,
    ],
    below: sentenceMarkup(ban.reason),
  });
}

/** Lists logins from addresses that were banned before. */
export function loginsCard({ loggedIn: { newest, count } }: Review): Markup {
  if (count === 0) return card(LOGGED_IN, nothing(NONE_LOGGED_IN));
  const more = count - newest.length;
  return card(
    LOGGED_IN,
    markup`<ul class="rows">${
      newest.map((login) =>
        entry(nameMarkup(login.address), { right: null, below: sentenceMarkup(loginText(login)) })
      )
    }</ul>`,
    more > 0 && markup`<p class="note">And ${countText(more)} more.</p>`,
  );
}

/** Lists sources and their problems. */
export function sourcesCard({ status: { report } }: Review): Markup {
  if (report === null) return card("Sources", nothing("No monitor has reported yet."));
  return card("Sources", markup`<ul class="rows">${report.sources.map(sourceEntry)}</ul>`);
}

function sourceEntry(source: SourceReport): Markup {
  const { name, problems, lastBatch, running } = source;
  return entry(nameMarkup(name), {
    right: tag(sourceText(source), running && problems.length === 0 ? "good" : "bad"),
    below: [
      `last batch ${lastBatch === null ? "never" : tableTime(lastBatch)}`,
      ...problems.map((problem) => markup`<br>${sentenceMarkup(problem)}`),
    ],
  });
}
