/** Overview sections of the page. Input: a review. Output: markup. */
// @ts-types="npm:@types/d3-array@^3.2.1"
import { sum } from "d3-array";
import { bounded, counted } from "../../core/text.ts";
import { type Markup, markup } from "./markup.ts";
import { card, nameMarkup, nothing, sentenceMarkup } from "./parts.ts";
import { heatPlot, timePlot } from "./plots.ts";
import type { PeriodTotals, Review } from "./review.ts";
import { barText, busiestText, changeText, countText, limitsOf, mostOf, unitText } from "./words.ts";
import { shareText, shownName } from "../common/words.ts";

/** Sums up the report in a sentence or two. */
export function lead({ tables, totals }: Review): Markup {
  const [network, user, path] = [tables.network[0], tables.user[0], tables.path[0]];
  if (totals.hits === 0 || network === undefined) return markup`No line hit a rule.`;
  const named = (text: string) => markup`<bdi class="mono">${bounded(shownName(text), 40)}</bdi>`;
  const tried = [
    ...user === undefined ? [] : [markup`the name tried most was ${named(user.name)}`],
    ...path === undefined ? [] : [markup`the path asked for most was ${named(path.name)}`],
  ];
  return markup`Most came from ${named(network.name)}, ${shareText(network.share)} of all hits${
    tried.map((part) => markup`; ${part}`)
  }.`;
}

/** Says whether all works. */
export function health({ problems }: Review): Markup {
  if (problems.length === 0) {
    return markup`<p class="card health">All works: the monitor runs and its bans hold.</p>`;
  }
  return markup`
    <section class="card health bad">
      <h2>${counted(problems.length, "problem")}</h2>
      <ul>${problems.map((problem) => markup`<li>${sentenceMarkup(problem)}</li>`)}</ul>
    </section>
  `;
}

/** Shows the most important numbers. */
export function tiles({ totals, totalsBefore, bansInForce }: Review): Markup {
  const against = (key: keyof PeriodTotals) => {
    if (totalsBefore === null) return "";
    const [before, change] = [countText(totalsBefore[key]), changeText(totalsBefore[key], totals[key])];
    return `${change}, ${before} before`;
  };
  const ended = `${countText(totals.ended)} ended meanwhile`;
  return markup`
    <dl class="tiles">
      ${tile("Hits", countText(totals.hits), against("hits"))}
      ${tile("Bans that began", countText(totals.made), against("made"))}
      ${tile("Bans in force now", countText(bansInForce.totals.confirmed), ended)}
      ${tile("Lines that name an address", countText(totals.lines), against("lines"))}
    </dl>
  `;
}

function tile(label: string, value: string, note: string): Markup {
  return markup`
    <div class="card">
      <dt>${label}</dt>
      <dd>${value}</dd>
      <dd class="note">${note}</dd>
    </div>
  `;
}

/** Shows hits over time. */
export function overTime({ series }: Review): Markup {
  const title = "Hits over time";
  const { bars, modules } = series;
  if (modules.length === 0) return card(title, nothing("No line hit a rule."));
  const busiest = bars.reduce((most, bar) => sum(bar.hits) > sum(most.hits) ? bar : most);
  return card(
    title,
    markup`<ul class="legend">${
      modules.map((module, i) =>
        markup`<li><svg viewBox="0 0 11 11" aria-hidden="true"><rect class="m${i}" width="11" height="11"/></svg>${
          nameMarkup(module)
        } <span class="quiet">${countText(sum(bars.map(({ hits }) => hits[i]!)))}</span></li>`
      )
    }</ul>`,
    timePlot(series),
    markup`
      <p class="note">
        A bar is ${unitText(series)}, the first and the last perhaps less.
        Most hits came on ${barText(busiest.start, series)}: ${countText(sum(busiest.hits))}.
      </p>
    `,
  );
}

/** Shows hits by weekday and hour. */
export function heat({ heat }: Review): Markup {
  return card(
    "Hits by weekday and hour",
    heatPlot(heat),
    markup`<p class="note">At most the last seven days, in local time. ${busiestText(mostOf(heat))}</p>`,
  );
}

/** Explains the limits of the counts. */
export function limits(review: Review): Markup {
  return card(
    "About the counts",
    limitsOf(review).map((sentence) => markup`<p class="note">${sentence}</p>`),
  );
}
