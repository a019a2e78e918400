/** A review as one page that needs nothing else: no script, no network. */
import { bounded } from "../../core/text.ts";
import { VERSION } from "../../core/version.ts";
import { zoneName } from "../output.ts";
import { html, Markup } from "./html.ts";
import type { Review } from "./review.ts";
import {
  changes,
  health,
  heat,
  limits,
  overTime,
  slow,
  sources,
  standing,
  table,
  tiles,
} from "./sections.ts";
import style from "./style.css" with { type: "text" };
import { minuteText, shareText } from "./words.ts";

/** A browser that shows the page loads and runs nothing, whatever should stand in it. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The whole page. */
export function reviewPage(review: Review): string {
  const { host, period, now } = review;
  const name = bounded(host, 80);
  return html`
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
        <title>${name}: who attacked, ${minuteText(period.from)} to ${minuteText(period.to)}</title>
        <style>
        ${new Markup(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>Who attacked ${name}</h1>
          <p class="quiet">${minuteText(period.from)} to ${minuteText(period.to)}, ${zoneName()}</p>
          <p class="lead">${lead(review)}</p>
        </header>
        <main>
          ${health(review)} ${tiles(review)} ${overTime(review)} ${heat(review)}
          <div class="pair">${table(review, "address")}${table(review, "network")}</div>
          <div class="pair">${table(review, "user")}${table(review, "path")}</div>
          <div class="pair">${table(review, "rule")}${table(review, "module")}</div>
          ${standing(review)}
          <div class="pair">${changes(review)}${slow(review)}</div>
          <div class="pair">${sources(review)}${limits(review)}</div>
        </main>
        <footer>Made by StrongMonitor ${VERSION} at ${minuteText(now)}.</footer>
      </body>
    </html>
  `.text;
}

/** The report in a sentence. */
function lead({ tables, totals }: Review): Markup {
  const [network, user, path] = [tables.network[0], tables.user[0], tables.path[0]];
  if (totals.hits === 0 || network === undefined) {
    return html`
      No line hit a rule.
    `;
  }
  const named = (text: string) =>
    html`
      <bdi class="names">${bounded(text === "" ? "(empty)" : text, 40)}</bdi>
    `;
  return html`
    Most came from ${named(network.name)}, ${shareText(network.share)} of all hits.${user !== undefined &&
      html`
        The name tried most was ${named(user.name)}
      `}${path !== undefined && html`
      ${user === undefined ? " The" : ", the"} path asked for most ${named(path.name)}
    `}${user !== undefined || path !== undefined ? "." : ""}
  `;
}
