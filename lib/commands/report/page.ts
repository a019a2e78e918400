/** Formats a review as one page without scripts and network access. */
import { bounded } from "../../core/text.ts";
import { VERSION } from "../../core/program.ts";
import { type Subject, tableTime, zoneName } from "../common/output.ts";
import { loginsCard, newestCard, sourcesCard, tableCard } from "./cards.ts";
import { Markup, markup } from "./markup.ts";
import type { Review } from "./review.ts";
import { health, heat, lead, limits, overTime, tiles } from "./sections.ts";
import { bansTable, changesTable, slowTable, subjectTable } from "./tables.ts";
import style from "./style.css" with { type: "text" };

/** Makes browsers load and run nothing, whatever the page holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** Returns the whole page. */
export function reviewPage(review: Review): string {
  const { host, period, now } = review;
  const name = bounded(host, 80);
  const most = (subject: Subject) => tableCard(subjectTable(review, subject));
  const page = markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="${POLICY}">
        <meta name="referrer" content="no-referrer">
        <meta name="robots" content="noindex">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" href="data:,">
        <title>${name}: who attacked, ${tableTime(period.from)} to ${tableTime(period.to)}</title>
        <style>${new Markup(style)}</style>
      </head>
      <body>
        <header>
          <h1>Who attacked ${name}</h1>
          <p class="quiet">${tableTime(period.from)} to ${tableTime(period.to)}, ${zoneName()}</p>
          <p class="lead">${lead(review)}</p>
        </header>
        <main>
          ${health(review)}
          ${tiles(review)}
          ${overTime(review)}
          ${heat(review)}
          ${pair(most("address"), most("network"))}
          ${pair(most("user"), most("path"))}
          ${pair(most("rule"), most("module"))}
          ${pair(column(tableCard(bansTable(review)), tableCard(changesTable(review))), newestCard(review))}
          ${
    pair(
      column(tableCard(slowTable(review)), loginsCard(review)),
      column(sourcesCard(review), limits(review)),
    )
  }
        </main>
        <footer>Made by StrongMonitor ${VERSION} at ${tableTime(now)}.</footer>
      </body>
    </html>
  `;
  return `${page.text}\n`;
}

/** Puts two cards side by side if there is room. */
function pair(left: Markup, right: Markup): Markup {
  return markup`<div class="pair">${left}${right}</div>`;
}

/** Puts two cards one below the other. */
function column(upper: Markup, lower: Markup): Markup {
  return markup`<div class="column">${upper}${lower}</div>`;
}
