/** Building blocks of the page's sections. */
import { bounded } from "../../core/text.ts";
import { shownName } from "../common/words.ts";
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
export function nameMarkup(name: string): Markup {
  return markup`<bdi dir="ltr">${bounded(shownName(name), NAME)}</bdi>`;
}

/** Shows a sentence that may hold foreign names. */
export function sentenceMarkup(sentence: string): Markup {
  return markup`<bdi>${bounded(sentence, SENTENCE)}</bdi>`;
}

/** Makes a framed word. */
export function tag(word: string, kind: "bad" | "calm" | "good"): Markup {
  return markup`<span class="tag ${kind}">${word}</span>`;
}

/** Makes a list entry: a name, words at its right, and text below. */
export function entry(name: Part, { right, below }: { right: Part; below: Part }): Markup {
  return markup`
    <li><span class="mono">${name}</span><span>${right}</span><span class="more">${below}</span></li>
  `;
}
