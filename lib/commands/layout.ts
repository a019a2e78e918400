/** Lays lines out for a terminal of some width. Comes in: lines for people. Goes out: lines that are broken between words. */

/** Columns of a terminal that does not tell, and of lines that are folded for one. */
export const WIDTH = 80;
/** Narrower terminals are treated as one of this width. */
const NARROWEST = 40;
/** Columns of blanks before the rest of a broken line, where the line has no columns of its own. */
const INDENT = 2;
/** A rest of a line begins no further to the right than this. */
const DEEPEST = 24;

/**
 * Breaks `line` between words so that each part has at most `width` characters. The rest of a line stands below the text
 * behind its label, as in `source    journal: reading`. A word that is longer than the width stays whole.
 */
export function wrap(line: string, width: number): string[] {
  const most = Math.max(width, NARROWEST);
  if (line.length <= most) return [line];
  const indent = " ".repeat(indentOf(line));
  const parts: string[] = [];
  let rest = line;
  while (rest.length > most) {
    const from = parts.length === 0 ? indent.length : indent.length + 1;
    const before = rest.lastIndexOf(" ", most);
    const at = before >= from ? before : rest.indexOf(" ", most);
    if (at < 0) break;
    parts.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...parts, rest];
}

/** Where the text behind a label begins, or a little right of where the line does. */
function indentOf(line: string): number {
  const label = /^ *\S+ {2,}/.exec(line)?.[0].length;
  const start = line.length - line.trimStart().length;
  return label !== undefined && label <= DEEPEST ? label : Math.min(start === 0 ? INDENT : start, DEEPEST);
}

/** Breaks `text` between words behind `head`, which the other lines are indented by, so that each line has at most `width` characters. */
export function folded(text: string, head = "", width = WIDTH): string[] {
  const lines = [head];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    const isFirst = line.length === head.length;
    if (!isFirst && line.length + 1 + word.length > width) lines.push(" ".repeat(head.length) + word);
    else lines[lines.length - 1] = isFirst ? line + word : `${line} ${word}`;
  }
  return lines;
}

/** Columns that the last cells of a table need at least to be folded beside the others. */
const LEAST = 12;

/**
 * Aligns rows in columns under a heading. Where these are wider than `width`, the last cells are folded between words in their
 * column, or stand below the others where that is too narrow.
 */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string[] {
  const lines = [heading, ...rows];
  // `Math.max(...rows)` overflows the stack at 100,000 rows.
  const widths = heading.map((_, column) =>
    lines.reduce((most, line) => Math.max(most, line[column]!.length), 0)
  );
  const aligned = (cells: readonly string[]) =>
    cells.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd();
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  if (total <= width) return lines.map(aligned);
  const indent = total - widths.at(-1)!;
  const longest = rows.flatMap((row) => row.at(-1)!.split(" ")).reduce(
    (most, { length }) => Math.max(most, length),
    LEAST,
  );
  if (longest <= width - indent) {
    return lines.flatMap((line) => {
      const [first, ...more] = folded(line.at(-1)!, "", width - indent);
      return [aligned([...line.slice(0, -1), first!]), ...more.map((text) => " ".repeat(indent) + text)];
    });
  }
  return lines.flatMap((line) => {
    const last = line.at(-1)!;
    return [aligned(line.slice(0, -1)), ...last === "" ? [] : [" ".repeat(2 * INDENT) + last]];
  });
}
