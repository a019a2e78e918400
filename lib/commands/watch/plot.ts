/** Plots with characters. Input: numbers. Output: braille patterns, two numbers a column. Pure. */

/** Bits of the dots in the left and in the right half of a braille pattern, from the lowest up. */
const [LEFT, RIGHT] = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]] as const;
const BRAILLE = 0x2800;
const DOTS = 4;

/** Draws bars of `values` scaled to `most`; anything above 0 shows. The newest is at the right. */
export function plot(
  values: readonly number[],
  { width, height, most }: { width: number; height: number; most: number },
): string[] {
  const shown = values.slice(-2 * width);
  const padded = [...Array.from({ length: 2 * width - shown.length }, () => 0), ...shown];
  const dots = (value: number) =>
    Math.max(1, Math.min(height * DOTS, Math.round(value / most * height * DOTS)));
  const bars = padded.map((value) => value > 0 && most > 0 ? dots(value) : 0);
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * DOTS;
    return Array.from({ length: width }, (_, x) => {
      const pattern = bits(LEFT, bars[2 * x]! - below) + bits(RIGHT, bars[2 * x + 1]! - below);
      // Some fonts draw circles for a pattern without dots.
      return pattern === 0 ? " " : String.fromCharCode(BRAILLE + pattern);
    }).join("");
  });
}

/** Draws a bar for a share of `width` columns, with two steps a column. */
export function bar(share: number, width: number): string {
  const steps = Math.max(1, Math.round(2 * share * Math.max(0, width)));
  return "⠶".repeat(steps >> 1) + (steps % 2 === 1 ? "⠆" : "");
}

function bits(half: readonly number[], dots: number): number {
  return half.slice(0, Math.max(0, dots)).reduce((all, bit) => all | bit, 0);
}

/** Rounds up to 1, 2 or 5 with zeros, so that scales seldom change. */
export function roundAbove(value: number): number {
  if (value <= 1) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].find((factor) => factor * unit >= value)! * unit;
}
