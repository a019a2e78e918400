/** Breaks lines between words for the width of a terminal. */

/** Columns if the terminal does not tell its width. */
export const WIDTH = 80;
/** Least width: narrower terminals get lines of this width. */
const NARROWEST = 40;
/** Indent of continuation lines if the line has no label. */
const INDENT = 2;
/** Greatest indent of continuation lines. */
const DEEPEST = 24;

/**
 * Breaks `line` between words into parts of at most `width` characters. Continuation lines align
 * behind the label, as in `source    journal: reading`. A word longer than `width` stays whole.
 */
export function wrap(line: string, width: number): string[] {
  return broken(line, { indent: indentOf(line), width: Math.max(width, NARROWEST) });
}

/** Breaks `text` behind `head` into lines of at most `width`, indented by `head`'s length. */
export function folded(text: string, head = "", width = WIDTH): string[] {
  return broken(head + text, { indent: head.length, width });
}

function broken(line: string, { indent, width }: { indent: number; width: number }): string[] {
  const parts: string[] = [];
  let rest = line;
  while (rest.length > width) {
    const from = parts.length === 0 ? indent : indent + 1;
    const before = rest.lastIndexOf(" ", width);
    const at = before >= from ? before : rest.indexOf(" ", Math.max(width, from));
    if (at < 0) break;
    parts.push(rest.slice(0, at).trimEnd());
    rest = " ".repeat(indent) + rest.slice(at).trimStart();
  }
  return [...parts, rest];
}

/**
 * Breaks a shell command between words into lines of at most `width` characters, each but the last
 * with a backslash at its end, so that a shell takes them as they stand. A longer word stays whole.
 */
export function wrapCommand(line: string, width: number): string[] {
  const indent = " ".repeat(line.length - line.trimStart().length);
  const lines: string[] = [];
  let part = indent;
  for (const word of line.match(/(?:'[^']*'|\\.|[^\s'\\])+/g) ?? []) {
    const isFirst = part.trim() === "";
    if (!isFirst && `${part} ${word} \\`.length > width) {
      lines.push(`${part} \\`);
      part = `${indent}  ${word}`;
    } else part += isFirst ? word : ` ${word}`;
  }
  return [...lines, part];
}

/** Returns the column of the text behind a label, or slightly more than the line's own indent. */
function indentOf(line: string): number {
  const label = /^ *\S+ {2,}/.exec(line)?.[0].length;
  const start = line.length - line.trimStart().length;
  return label !== undefined && label <= DEEPEST ? label : Math.min(start === 0 ? INDENT : start, DEEPEST);
}

/** Least width in which a table's last cells fold beside the other columns. */
const LEAST = 12;

/**
 * Aligns rows in columns under a heading. If they exceed `width`, the last cells fold within their
 * column. If that column is too narrow, as many of the last columns as necessary go below the row.
 */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  width = WIDTH,
): string[] {
  const lines = [heading, ...rows];
  // `Math.max(...rows)` overflows the stack at 100,000 rows.
  const widths = heading.map((_, column) =>
    lines.reduce((most, line) => Math.max(most, line[column]!.length), 0)
  );
  const aligned = (cells: readonly string[], from = 0) =>
    cells.map((cell, column) => cell.padEnd(widths[from + column]!)).join("  ").trimEnd();
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  if (total <= width) return lines.map((line) => aligned(line));
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
  let beside = widths.length - 1;
  for (let taken = indent - 2; beside > 1 && taken > width;) taken -= widths[--beside]! + 2;
  return lines.flatMap((line) => {
    const below = aligned(line.slice(beside), beside);
    return [aligned(line.slice(0, beside)), ...below === "" ? [] : [" ".repeat(2 * INDENT) + below]];
  });
}
