/**
 * Fits text into terminal columns. Input: any text. Output: text of an exact width without control
 * sequences. Pure.
 */
import stringWidth from "string-width";
import { printable } from "../../core/text.ts";

/** Style of a piece of a line. No style carries meaning that words lack. */
export type Style = "plain" | "dim" | "bold" | "title" | "accent" | "good" | "warn" | "bad" | "selected";

/** A piece of a line. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** A line of the view, as pieces. */
export type Line = readonly Span[];

/** ASCII text: each character takes one column. */
const SIMPLE = /^[ -~]*$/;
/** Characters of different widths in terminals, and more marks on a letter than languages use. */
const UNSURE = /[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|(?<=\p{M}{2})\p{M}/gu;
const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Returns `text` with everything escaped that could control a terminal. */
export function sanitize(text: string): string {
  return printable(text).replace(UNSURE, "");
}

/** Returns the columns of sanitized text. */
export function widthOf(text: string): number {
  return SIMPLE.test(text) ? text.length : stringWidth(text);
}

/** Sanitizes `text` and cuts it to `width` columns, with `…` at the cut. */
export function cut(text: string, width: number): string {
  if (width <= 0) return "";
  // Skip text behind eight units a column: a name may be as long as a line.
  const shown = sanitize(text.slice(0, 8 * width));
  if (widthOf(shown) <= width) return shown;
  return `${fitting([...graphemes.segment(shown)], width - 1).join("")}…`;
}

/** Sanitizes `text` and keeps its last `width` columns, behind `…`: a path ends with its name. */
export function cutStart(text: string, width: number): string {
  if (width <= 0) return "";
  const shown = sanitize(text.slice(-8 * width));
  if (widthOf(shown) <= width) return shown;
  return `…${fitting([...graphemes.segment(shown)].reverse(), width - 1).reverse().join("")}`;
}

/**
 * Cuts an address, with any words behind it, to `width` columns. An address that is too long itself
 * loses its middle: neighbours of IPv6 differ at the end.
 */
export function cutAddress(text: string, width: number): string {
  const [address = ""] = text.split(" ", 1);
  const isFitting = address.length < width || text.length <= width;
  if (isFitting || width < 3 || !SIMPLE.test(address)) return cut(text, width);
  const end = Math.ceil((width - 1) / 2);
  return `${address.slice(0, width - 1 - end)}…${address.slice(-end)}`;
}

/** Returns the first segments that fit into `width` columns. */
function fitting(segments: readonly Intl.SegmentData[], width: number): string[] {
  const taken: string[] = [];
  let room = width;
  for (const { segment } of segments) {
    room -= widthOf(segment);
    if (room < 0) break;
    taken.push(segment);
  }
  return taken;
}

/** Cuts `text`, and pads it to `width` columns behind or before. */
export function fit(text: string, width: number, side: "left" | "right" = "left"): string {
  const shown = cut(text, width);
  const blanks = " ".repeat(Math.max(0, width - widthOf(shown)));
  return side === "left" ? shown + blanks : blanks + shown;
}

/** Returns a piece of a line. */
export function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}

/** Returns the columns of a line. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** Places words at the left and right edge of a line. */
export function spread(left: Line, right: Line, columns: number): Line {
  const room = columns - lineWidth(left) - lineWidth(right);
  return room < 1 ? left : [...left, span(" ".repeat(room)), ...right];
}
