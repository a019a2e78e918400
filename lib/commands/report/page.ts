/** Formats a review as one page without scripts and network access. */
import { bounded } from "../../core/text.ts";
import { VERSION } from "../../core/program.ts";
import { tableTime, zoneName } from "../output.ts";
import { bansInForceCard, changesCard, mostCard, newestCard, slowCard, sourcesCard } from "./cards.ts";
import { Markup, markup } from "./markup.ts";
import type { Review } from "./review.ts";
import { health, heat, lead, limits, overTime, tiles } from "./sections.ts";
import style from "./style.css" with { type: "text" };

/** Makes browsers load and run nothing, whatever the page holds. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** Returns the whole page. */
export function reviewPage(review: Review): string {
  const { host, period, now } = review;
  const name = bounded(host, 80);
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
          ${pair(mostCard(review, "address"), mostCard(review, "network"))}
          ${pair(mostCard(review, "user"), mostCard(review, "path"))}
          ${pair(mostCard(review, "rule"), mostCard(review, "module"))}
          ${pair(column(bansInForceCard(review), changesCard(review)), newestCard(review))}
          ${pair(slowCard(review), column(sourcesCard(review), limits(review)))}
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
