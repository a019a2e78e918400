/** A scrolling text in place of the tables. Pure. */
import { wrap } from "../common/layout.ts";
import { cut, type Line, span, spread } from "./cell.ts";

/** Columns and rows of a terminal or a part. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A text with its title, and the index of its top line. */
export interface Text {
  readonly title: string;
  readonly lines: readonly string[];
  readonly top: number;
}

/** Rows around a text: two lines above the tables and one below; title and blank. */
const [AROUND, ABOVE] = [3, 2];

/** Scrolls a text by some lines, within its length in a terminal of this size. */
export function scrolled(text: Text, by: number, { columns, rows }: Size): Text {
  const lines = wrapped(text, columns).length;
  const last = Math.max(0, lines - (rows - AROUND - ABOVE));
  return { ...text, top: Math.max(0, Math.min(last, text.top + by)) };
}

/** Returns a text's lines between head and foot of the view. */
export function textLines(text: Text, { columns, rows }: Size): Line[] {
  const all = wrapped(text, columns);
  const room = rows - ABOVE;
  const from = Math.max(0, Math.min(text.top, all.length - room));
  const width = textWidth({ columns });
  const shown = all.slice(from, from + room).map((line): Line => [span(` ${cut(line, width)}`)]);
  const place = all.length <= room ? "" : `lines ${from + 1} to ${from + shown.length} of ${all.length} `;
  const head = spread([span(` ${cut(text.title, columns - 30)}`, "accent")], [span(place, "dim")], columns);
  return [[], head, ...shown, ...Array.from({ length: room - shown.length }, (): Line => [])];
}

/** Breaks lines that are too long between words. */
function wrapped({ lines }: Text, columns: number): string[] {
  const width = textWidth({ columns });
  return lines.flatMap((line) => wrap(line, width));
}

/** Returns the columns of a text: the view has a margin on both sides. */
export function textWidth({ columns }: Pick<Size, "columns">): number {
  return columns - 2;
}
