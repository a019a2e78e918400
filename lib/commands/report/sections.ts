/** The parts of the page. Comes in: a review. Goes out: markup. */
import { bounded, counted } from "../../core/text.ts";
import { nameOf } from "../../deciding/ban.ts";
import { html, type Markup, type Part } from "./html.ts";
import { heatPlot, timePlot } from "./plots.ts";
import type { Review, Row, Subject } from "./review.ts";
import {
  barText,
  changeText,
  countText,
  endText,
  heldText,
  limitsOf,
  minuteText,
  NOUNS,
  shareText,
  TITLES,
} from "./words.ts";

/** Characters of a name, and of a sentence. */
const [NAME, SENTENCE] = [80, 300];

function card(title: string, ...content: readonly Part[]): Markup {
  return html`
    <section class="card"><h2>${title}</h2>${content}</section>
  `;
}

/** A name as others gave it. Its direction does not reach what stands beside it. */
function nameText(name: string): Markup {
  return html`
    <bdi>${bounded(name === "" ? "(empty)" : name, NAME)}</bdi>
  `;
}

/** Whether all works. */
export function health({ problems }: Review): Markup {
  if (problems.length === 0) {
    return html`
      <p class="card health">All works: the monitor runs and its bans hold.</p>
    `;
  }
  return html`
    <section class="card health bad">
      <h2>${counted(problems.length, "problem")}</h2>
      <ul>${problems.map((problem) =>
        html`
          <li><bdi>${bounded(problem, SENTENCE)}</bdi></li>
        `
      )}</ul>
    </section>
  `;
}

/** The most important numbers. */
export function tiles({ totals, totalsBefore, standing }: Review): Markup {
  const against = (key: keyof typeof totals) =>
    totalsBefore === null
      ? ""
      : `${countText(totalsBefore[key])} before, ${changeText(totalsBefore[key], totals[key])}`;
  return html`
    <dl class="tiles">
      ${tile("Hits", countText(totals.hits), against("hits"))} ${tile(
        "Bans that began",
        countText(totals.made),
        against("made"),
      )} ${tile(
        "Bans in force now",
        countText(standing.totals.inForce),
        `${countText(totals.ended)} ended`,
      )} ${tile("Lines that name an address", countText(totals.lines), against("lines"))}
    </dl>
  `;
}

function tile(label: string, value: string, note: string): Markup {
  return html`
    <div class="card">
      <dt>${label}</dt>
      <dd>${value}</dd>
      <dd class="note">${note}</dd>
    </div>
  `;
}

/** Hits over time. */
export function overTime({ series }: Review): Markup {
  if (series.modules.length === 0) {
    return card(
      "Hits over time",
      html`
        <p class="quiet">No line hit a rule.</p>
      `,
    );
  }
  const { bars, unit, modules } = series;
  const sums = modules.map((_, i) => bars.reduce((sum, { hits }) => sum + hits[i]!, 0));
  const busiest = bars.toSorted((a, b) => sumOf(b.hits) - sumOf(a.hits))[0]!;
  return card(
    "Hits over time",
    html`
      <ul class="legend">${modules.map((module, i) =>
        html`
          <li>
            <svg viewBox="0 0 11 11" aria-hidden="true">
              <rect class="m${i}" width="11" height="11" />
            </svg>${nameText(module)} <span class="quiet">${countText(sums[i]!)}</span>
          </li>
        `
      )}</ul>
    `,
    timePlot(series),
    html`
      <p class="note">One bar for ${unit === "six hours"
        ? unit
        : `each ${unit}`}; most hits came at ${barText(busiest.start, series)}: ${countText(
          sumOf(busiest.hits),
        )}.</p>
    `,
  );
}

/** Hits by weekday and hour. */
export function heat({ heat }: Review): Markup {
  const most = Math.max(...heat.flat().map((hits) => hits ?? 0));
  return card(
    "Hits by weekday and hour",
    heatPlot(heat),
    html`
      <p class="note">The last seven days, in local time. The darkest hour has ${counted(most, "hit")}.</p>
    `,
  );
}

/** What came most of a subject. */
export function table({ tables }: Review, subject: Subject): Markup {
  const rows = tables[subject];
  const most = rows[0]?.hits ?? 0;
  const isCompared = rows.some(({ before }) => before !== null);
  const hasBans = rows.some(({ made }) => made !== null);
  if (rows.length === 0) {
    return card(
      TITLES[subject],
      html`
        <p class="quiet">None.</p>
      `,
    );
  }
  return card(
    TITLES[subject],
    html`
      <table>
        <thead>
          <tr>
            <th scope="col">${NOUNS[subject]}</th>
            <th scope="col">hits</th>
            <th scope="col">share</th>${isCompared && html`
              <th scope="col">change</th>
            `}${hasBans && html`
              <th scope="col">bans</th>
            `}
          </tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`
            <tr>
              <td class="name" style="--w:${(100 * row.hits / most).toFixed(1)}%">${nameText(
                row.name,
              )}${banned(row)}</td>
              <td>${countText(row.hits)}</td>
              <td class="quiet">${shareText(row.share)}</td>${isCompared && html`
                <td class="quiet">${changeText(row.before, row.hits)}</td>
              `}${hasBans && html`
                <td>${countText(row.made ?? 0)}</td>
              `}
            </tr>
          `
        )}</tbody>
      </table>
    `,
  );
}

function banned({ isBanned }: Pick<Row, "isBanned">): Part {
  return isBanned && html`
    <span class="tag">banned</span>
  `;
}

/** Bans that have not ended. */
export function standing({ standing: { totals, by, newest }, now }: Review): Markup {
  const noted = totals.decided - totals.inForce - totals.waiting;
  const most = by[0]?.count ?? 0;
  return html`
    <div class="pair">${card(
      "Bans by rule",
      html`
        <p>${counted(totals.decided, "ban")}: ${countText(totals.inForce)} in force, ${countText(
          totals.waiting,
        )} waiting for the firewall, ${countText(noted)} noted only.</p>
      `,
      by.length > 0 && html`
        <table>
          <thead>
            <tr>
              <th scope="col">who banned</th>
              <th scope="col">bans</th>
            </tr>
          </thead>
          <tbody>${by.map(({ provenance: { kind, name }, count }) =>
            html`
              <tr>
                <td class="name" style="--w:${(100 * count / most).toFixed(1)}%">${nameText(
                  kind === "rule" ? name : `${kind} ${name}`.trim(),
                )}</td>
                <td>${countText(count)}</td>
              </tr>
            `
          )}</tbody>
        </table>
      `,
    )}${card(
      "Newest bans",
      newest.length === 0
        ? html`
          <p class="quiet">None.</p>
        `
        : html`
          <ul class="rows">${newest.map((ban) =>
            html`
              <li>
                <span class="mono">${nameText(nameOf(ban))}</span><span>${heldText(ban) === "in force"
                  ? null
                  : html`
                    <span class="tag calm">${heldText(ban)}</span>
                  `}${ban.until === null
                  ? "for good"
                  : `ends ${endText(ban, now)}`}</span><span class="more"><bdi
                  >${bounded(ban.reason, SENTENCE)}</bdi></span>
                </li>
            `
          )}</ul>
        `,
    )}</div>
  `;
}

/** Who tries little and often. */
export function slow({ slow }: Review): Markup {
  const title = "Slow attackers";
  if (slow.length === 0) {
    return card(
      title,
      html`
        <p class="quiet">None: nobody came in six hours or more with at most ten hits in each.</p>
      `,
    );
  }
  return card(
    title,
    html`
      <p class="note">In six hours or more, with at most ten hits in each.</p>
    `,
    html`
      <table>
        <thead>
          <tr>
            <th scope="col">address</th>
            <th scope="col">hours</th>
            <th scope="col">days</th>
            <th scope="col">hits</th>
          </tr>
        </thead>
        <tbody>${slow.map((one) =>
          html`
            <tr>
              <td class="name" style="--w:${(100 * one.hours / slow[0]!.hours).toFixed(1)}%">${nameText(
                one.address,
              )}${banned(one)}</td>
              <td>${one.hours}</td>
              <td>${one.days}</td>
              <td>${one.hits}</td>
            </tr>
          `
        )}</tbody>
      </table>
    `,
  );
}

/** What came much more or much less than before. */
export function changes({ changes }: Review): Markup {
  const title = "What changed";
  if (changes === null) {
    return card(
      title,
      html`
        <p class="quiet">Counts do not go back far enough to compare.</p>
      `,
    );
  }
  if (changes.length === 0) {
    return card(
      title,
      html`
        <p class="quiet">Nothing came much more or much less than in the period before.</p>
      `,
    );
  }
  return card(
    title,
    html`
      <table>
        <thead>
          <tr>
            <th scope="col">name</th>
            <th scope="col">before</th>
            <th scope="col">now</th>
            <th scope="col">change</th>
          </tr>
        </thead>
        <tbody>${changes.map(({ subject, name, before, hits }) =>
          html`
            <tr>
              <td class="name">${nameText(name)} <span class="tag calm">${NOUNS[subject]}</span></td>
              <td class="quiet">${countText(before)}</td>
              <td>${countText(hits)}</td>
              <td>${changeText(before, hits)}</td>
            </tr>
          `
        )}</tbody>
      </table>
    `,
  );
}

/** Health of sources and modules. */
export function sources({ status: { report } }: Review): Markup {
  if (report === null) {
    return card(
      "Sources",
      html`
        <p class="quiet">No monitor has reported yet.</p>
      `,
    );
  }
  return card(
    "Sources",
    html`
      <ul class="rows">${report.sources.map(({ name, running, waiting, problems, lastBatch }) => {
        const isFine = running && problems.length === 0;
        const state = !running ? "stopped" : waiting ? "waiting" : isFine ? "reading" : "problems";
        return html`
          <li>
            <span class="mono">${nameText(name)}</span><span><span class="tag ${isFine
              ? "good"
              : ""}">${state}</span></span><span
              class="more"
            >last line ${lastBatch === null ? "never" : minuteText(lastBatch)}${problems.map((problem) =>
              html`
                <br><bdi>${bounded(problem, SENTENCE)}</bdi>
              `
            )}</span>
          </li>
        `;
      })}</ul>
    `,
  );
}

/** What the counts cannot tell. */
export function limits(review: Review): Markup {
  return card(
    "About the counts",
    limitsOf(review).map((sentence) =>
      html`
        <p class="note">${sentence}</p>
      `
    ),
  );
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
