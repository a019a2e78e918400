/** What the sections of the page are made of. */
import { bounded } from "../../core/text.ts";
import { shownName } from "../words.ts";
import { type Markup, markup, type Part } from "./markup.ts";

/** Characters of a name, and of a sentence. */
const [NAME, SENTENCE] = [80, 300];

/** A part of the page under a title. */
export function card(title: string, ...content: readonly Part[]): Markup {
  return markup`
    <section class="card"><h2>${title}</h2>${content}</section>
  `;
}

/** Says that there is nothing to show. */
export function nothing(sentence: string): Markup {
  return markup`<p class="quiet">${sentence}</p>`;
}

/** A name as others gave it, from left to right as it was written, without an influence on what stands beside it. */
export function nameText(name: string): Markup {
  return markup`<bdi dir="ltr">${bounded(shownName(name), NAME)}</bdi>`;
}

/** A sentence in which names of others may stand. */
export function sentenceText(sentence: string): Markup {
  return markup`<bdi>${bounded(sentence, SENTENCE)}</bdi>`;
}

/** A word in a frame. */
export function tag(word: string, kind: "bad" | "calm" | "good"): Markup {
  return markup`<span class="tag ${kind}">${word}</span>`;
}

/** A row of a table. */
export interface TableRow {
  readonly name: Part;
  /** Length of the bar behind the name, from 0 to 1. */
  readonly size: number;
  /** Below the headings but the first. */
  readonly cells: readonly (string | number)[];
}

/** A table whose first column has names with bars behind them. Headings are classes of style.css too. */
export function table(headings: readonly string[], rows: readonly TableRow[]): Markup {
  const [first, ...others] = headings;
  return markup`
    <table>
      <thead>
        <tr><th scope="col">${first!}</th>${
    others.map((heading) => markup`<th scope="col" class="${heading}">${heading}</th>`)
  }</tr>
      </thead>
      <tbody>${
    rows.map(({ name, size, cells }) =>
      markup`
          <tr><th scope="row" style="--w:${(100 * size).toFixed(1)}%">${name}</th>${
        cells.map((cell, i) => markup`<td class="${others[i]!}">${cell}</td>`)
      }</tr>
        `
    )
  }</tbody>
    </table>
  `;
}

/** An entry of a list: a name, a few words to the right of it, and more below. */
export function entry(name: Part, { right, below }: { right: Part; below: Part }): Markup {
  return markup`
    <li><span class="mono">${name}</span><span>${right}</span><span class="more">${below}</span></li>
  `;
}
