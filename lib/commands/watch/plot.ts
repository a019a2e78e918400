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
  const bars = padded.map((value) => barOf(value, most, height * DOTS));
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * DOTS;
    return Array.from(
      { length: width },
      (_, x) => patternOf(bits(LEFT, bars[2 * x]! - below) + bits(RIGHT, bars[2 * x + 1]! - below)),
    ).join("");
  });
}

/** Returns a pattern, or a blank without dots: some fonts draw circles for it. */
function patternOf(dots: number): string {
  return dots === 0 ? " " : String.fromCharCode(BRAILLE + dots);
}

/** Draws a bar for a share of `width` columns, with two steps a column. */
export function bar(share: number, width: number): string {
  const steps = Math.max(1, Math.round(2 * share * Math.max(0, width)));
  return "⠶".repeat(steps >> 1) + (steps % 2 === 1 ? "⠆" : "");
}

function barOf(value: number, most: number, dots: number): number {
  return value <= 0 || most <= 0 ? 0 : Math.max(1, Math.min(dots, Math.round(value / most * dots)));
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
