/** Draws plots as SVG for light and dark backgrounds. */

/** A line of a plot. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Content of a plot. */
export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
}

const [WIDTH, HEIGHT] = [640, 360];
const MARGIN = { left: 70, right: 20, top: 40, bottom: 50 };
const COLOURS = ["#2a78c2", "#c2562a", "#2a9c5b", "#8a4fc2"];

/** Returns a plot with a logarithmic x axis and a y axis from 0. */
export function svg({ title, x, y, series }: Plot): string {
  const all = series.flatMap(({ points }) => points);
  const [least, most] = [Math.min(...all.map(([x]) => x)), Math.max(...all.map(([x]) => x))];
  const top = niceAbove(Math.max(...all.map(([, y]) => y)));
  const span = Math.log(most / least) || 1;
  const across = (value: number) =>
    MARGIN.left + Math.log(value / least) / span * (WIDTH - MARGIN.left - MARGIN.right);
  const up = (value: number) => HEIGHT - MARGIN.bottom - value / top * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const ticks = [...new Set(all.map(([x]) => x))];
  const steps = [0, 0.25, 0.5, 0.75, 1].map((part) => part * top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<style>text{fill:#333}.grid{stroke:#8884}@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>`,
    text(MARGIN.left, 22, title, `font-size="15"`),
    ...steps.map((value) =>
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at(up(value))}" y2="${
        at(up(value))
      }"/>` +
      text(MARGIN.left - 8, up(value) + 4, short(value), `text-anchor="end"`)
    ),
    ...ticks.map((value) =>
      text(across(value), HEIGHT - MARGIN.bottom + 18, short(value), `text-anchor="middle"`)
    ),
    text((WIDTH + MARGIN.left) / 2, HEIGHT - 10, x, `text-anchor="middle"`),
    text(0, 0, y, `text-anchor="middle" transform="translate(16 ${HEIGHT / 2}) rotate(-90)"`),
    ...series.flatMap(({ name, points }, i) => {
      const colour = COLOURS[i % COLOURS.length]!;
      const path = points.map(([x, y]) => `${at(across(x))},${at(up(y))}`).join(" ");
      return [
        `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path}"/>`,
        ...points.map(([x, y]) => `<circle cx="${at(across(x))}" cy="${at(up(y))}" r="3" fill="${colour}"/>`),
        `<rect x="${WIDTH - 200}" y="${MARGIN.top + 18 * i}" width="10" height="10" fill="${colour}"/>`,
        text(WIDTH - 184, MARGIN.top + 9 + 18 * i, name),
      ];
    }),
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, words: string, attributes = ""): string {
  const safe = words.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${at(x)}" y="${at(y)}" ${attributes}>${safe}</text>`;
}

function at(value: number): string {
  return value.toFixed(1);
}

/** Returns the least of 1, 2 or 5 times a power of ten that is not below `value`. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value)!;
}

function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))} k`;
  return String(Number(value.toPrecision(3)));
}
