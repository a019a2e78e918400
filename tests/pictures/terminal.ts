/** Draws a terminal for the documents, in the colours of `watch`. */
import { markup } from "../../lib/commands/report/markup.ts";
import { type Line, lineWidth, type Style, widthOf } from "../../lib/commands/watch/cell.ts";

/** Width and height of a character, and the frame around the terminal. */
const [ACROSS, DOWN, MARGIN] = [8, 17, 14];
const INK = "#d4dbe4";
const GROUND = "#12171d";
const INKS: Readonly<Record<Style, string>> = {
  plain: INK,
  dim: "#8b98a8",
  bold: "#ffffff",
  title: GROUND,
  accent: "#5ac8dc",
  good: "#6ccf8e",
  warn: "#e5c062",
  bad: "#f0837a",
  selected: GROUND,
};
const BRAILLE = /([\u2800-\u28ff]+)/;
/** Places of the dots of a braille pattern, by its bits: columns and rows. */
const DOTS = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [0, 3], [1, 3]] as const;

/** Contents of a picture. */
export interface TerminalPicture {
  readonly lines: readonly Line[];
  /** Columns of the terminal; it has a row for each line. */
  readonly columns: number;
  /** Description for screen readers. */
  readonly label: string;
}

/** Draws a terminal as SVG. */
export function terminalPicture({ lines, columns, label }: TerminalPicture): string {
  const [width, height] = [columns * ACROSS + 2 * MARGIN, lines.length * DOWN + 2 * MARGIN];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${
      escaped(label)
    }" ` +
    `font-family="ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace" font-size="13.2">`,
    `<rect width="${width}" height="${height}" rx="10" fill="${GROUND}"/>`,
    ...lines.flatMap((line, row) => lineShapes(line, MARGIN + row * DOWN)),
    "</svg>",
    "",
  ].join("\n");
}

function lineShapes(line: Line, y: number): string[] {
  return line.flatMap(({ text, style }, i) => {
    const x = MARGIN + lineWidth(line.slice(0, i)) * ACROSS;
    const isReversed = style === "title" || style === "selected";
    const ground = isReversed
      ? [`<rect x="${x}" y="${y}" width="${widthOf(text) * ACROSS}" height="${DOWN}" fill="${INK}"/>`]
      : [];
    return [...ground, ...textShapes(text, { x, y, style })];
  });
}

/** Draws words as text at fixed places, and braille as dots: fonts differ in both. */
function textShapes(text: string, { x, y, style }: { x: number; y: number; style: Style }): string[] {
  let at = x;
  return text.split(BRAILLE).flatMap((piece) => piece.split(/( {2,})/)).flatMap((piece) => {
    const [from, columns] = [at, widthOf(piece)];
    at += columns * ACROSS;
    if (piece.trim() === "") return [];
    if (BRAILLE.test(piece)) return [`<path fill="${INKS[style]}" d="${dots(piece, from, y)}"/>`];
    const weight = ["bold", "title", "accent"].includes(style) ? ' font-weight="bold"' : "";
    return [
      `<text x="${from}" y="${y + 13}" textLength="${columns * ACROSS}" xml:space="preserve" fill="${
        INKS[style]
      }"${weight}>` +
      `${escaped(piece)}</text>`,
    ];
  });
}

function dots(patterns: string, x: number, y: number): string {
  return [...patterns].map((pattern, i) => {
    const bits = pattern.codePointAt(0)! - 0x2800;
    const shown = DOTS.filter((_, bit) => bits & (1 << bit));
    return shown.map(([column, row]) => {
      const [left, top] = [x + i * ACROSS + 1 + column * 4, y + 1 + row * 4.25];
      return `M${left} ${top}h2.4v2.6h-2.4z`;
    }).join("");
  }).join("");
}

function escaped(text: string): string {
  return markup`${text}`.text;
}

/** Writes a picture to docs/, or prints it with `--stdout`. */
export async function publish(name: string, picture: string): Promise<void> {
  if (Deno.args[0] === "--stdout") await Deno.stdout.write(new TextEncoder().encode(picture));
  else await Deno.writeTextFile(new URL(`../../docs/${name}`, import.meta.url), picture);
}
