/**
 * Text in columns of a terminal. Comes in: text of anybody. Goes out: text that takes just so many columns, and in which nothing
 * steers the terminal. Pure.
 */
import stringWidth from "string-width";
import { printable } from "../../core/text.ts";

/** How a piece of a line looks. None of these means anything that words do not say as well. */
export type Style = "plain" | "dim" | "bold" | "title" | "accent" | "good" | "warn" | "bad" | "selected";

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Span[];

/** Text of ASCII, each character of which takes one column. */
const SIMPLE = /^[ -~]*$/;
/** Characters without a width of their own that terminals disagree about, and more marks on a letter than languages have. */
const UNSURE = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|(?<=\p{M}{2})\p{M}/gu;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** `text` as a terminal may show it. */
export function tame(text: string): string {
  return printable(text).replace(UNSURE, "");
}

/** Columns that tame text takes. */
export function widthOf(text: string): number {
  return SIMPLE.test(text) ? text.length : stringWidth(text);
}

/** `text` as tame text of at most `width` columns: of a longer one the beginning, with `…` behind it. */
export function cut(text: string, width: number): string {
  if (width <= 0) return "";
  // What lies behind eight units a column is not looked at: a name may be as long as a line.
  const shown = tame(text.slice(0, 8 * width));
  if (widthOf(shown) <= width) return shown;
  let [taken, columns] = ["", 0];
  for (const { segment } of graphemes.segment(shown)) {
    const more = widthOf(segment);
    if (columns + more > width - 1) break;
    taken += segment;
    columns += more;
  }
  return `${taken}…`;
}

/** `text` as tame text of at most `width` columns: of a longer one the end, with `…` before it, as a path's name stands there. */
export function cutStart(text: string, width: number): string {
  if (width <= 0) return "";
  const shown = tame(text.slice(-8 * width));
  if (widthOf(shown) <= width) return shown;
  let [taken, columns] = ["", 0];
  for (const { segment } of [...graphemes.segment(shown)].reverse()) {
    const more = widthOf(segment);
    if (columns + more > width - 1) break;
    taken = segment + taken;
    columns += more;
  }
  return `…${taken}`;
}

/** `cut()` with blanks up to `width` columns: behind it, or before it. */
export function fit(text: string, width: number, side: "left" | "right" = "left"): string {
  const shown = cut(text, width);
  const blanks = " ".repeat(Math.max(0, width - widthOf(shown)));
  return side === "left" ? shown + blanks : blanks + shown;
}

export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

/** Columns that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** Words at the left and at the right edge of a line. */
export function spread(left: Line, right: Line, columns: number): Line {
  const room = columns - lineWidth(left) - lineWidth(right);
  return room < 1 ? left : [...left, span(" ".repeat(room)), ...right];
}
