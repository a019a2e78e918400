/** Building blocks of the page's sections. */
import { bounded } from "../../core/text.ts";
import { shownName } from "../words.ts";
import { type Markup, markup, type Part } from "./markup.ts";

/** Longest name and sentence, in characters. */
const [NAME, SENTENCE] = [80, 300];

/** Makes a section under a title. */
export function card(title: string, ...content: readonly Part[]): Markup {
  return markup`
    <section class="card"><h2>${title}</h2>${content}</section>
  `;
}

/** Says that a section is empty. */
export function nothing(sentence: string): Markup {
  return markup`<p class="quiet">${sentence}</p>`;
}

/** Shows a foreign name from left to right, isolated from the text beside it. */
export function nameText(name: string): Markup {
  return markup`<bdi dir="ltr">${bounded(shownName(name), NAME)}</bdi>`;
}

/** Shows a sentence that may hold foreign names. */
export function sentenceText(sentence: string): Markup {
  return markup`<bdi>${bounded(sentence, SENTENCE)}</bdi>`;
}

/** Makes a framed word. */
export function tag(word: string, kind: "bad" | "calm" | "good"): Markup {
  return markup`<span class="tag ${kind}">${word}</span>`;
}

/** A row of a table. */
export interface TableRow {
  readonly name: Part;
  /** Length of the bar behind the name, from 0 to 1. */
  readonly size: number;
  /** Cells below all headings but the first. */
  readonly cells: readonly (string | number)[];
}

/** Makes a table with bars behind the first column. Headings are also classes of style.css. */
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

/** Makes a list entry: a name, words at its right, and text below. */
export function entry(name: Part, { right, below }: { right: Part; below: Part }): Markup {
  return markup`
    <li><span class="mono">${name}</span><span>${right}</span><span class="more">${below}</span></li>
  `;
}
