/** Draws plots as inline SVG, each for wide, middle and narrow pages. Input: counts. Output: markup. */
// @ts-types="npm:@types/d3-array@^3.2.1"
import { max, sum } from "d3-array";
// @ts-types="npm:@types/d3-scale@^4.0.9"
import { type ScaleBand, scaleBand, scaleLinear, scalePow } from "d3-scale";
// @ts-types="npm:@types/d3-shape@^3.1.7"
import { stack } from "d3-shape";
import { MILLISECOND } from "../../core/time.ts";
import { counted } from "../../core/text.ts";
import { type Markup, markup } from "./markup.ts";
import type { Review } from "./review.ts";
import type { Bar, Series } from "./series.ts";
import { barText, countText, WEEKDAYS } from "./words.ts";

/** Widths of drawn plots; style.css shows the fitting one. */
const SIZES = [
  { name: "wide", width: 1_000 },
  { name: "middle", width: 660 },
  { name: "narrow", width: 340 },
] as const;
type Size = typeof SIZES[number];
/** Heights of the plots of hits and of bans, and of a line of text. */
const [HITS, BANS, LINE] = [200, 40, 22];
/** Room left of and above a plot, and width of a time label. */
const [LEFT, TOP, LABEL] = [44, 10, 64];

/** Draws hits by module over time, and below them the bans that began. */
export function timePlot(series: Series): Markup {
  return markup`${SIZES.map((size) => timePlotOf(series, size))}`;
}

function timePlotOf(series: Series, { name, width }: Size): Markup {
  const { bars, modules } = series;
  const x = scaleBand<Bar>(bars, [LEFT, width]).paddingInner(0.18).paddingOuter(0.1);
  const hits = scaleLinear([0, Math.max(1, max(bars, ({ hits }) => sum(hits))!)], [TOP + HITS, TOP]).nice(4);
  const base = TOP + HITS + LINE + BANS;
  const bans = scaleLinear([0, Math.max(1, max(bars, ({ bans }) => bans)!)], [base, base - BANS]);
  const layers = stack<Bar, number>().keys(modules.keys()).value(({ hits }, i) => hits[i]!)([...bars]);
  const label = `Hits by module over time, one bar for each ${series.unit}, and bans that began`;
  return markup`
    <svg class="plot ${name}" viewBox="0 0 ${width} ${base + LINE}" role="img" aria-label="${label}">
      ${
    hits.ticks(4).filter(Number.isInteger).map((tick) => {
      const y = hits(tick);
      const text = tick.toLocaleString("en-US", { notation: "compact" });
      return markup`
          <line class="grid" x1="${LEFT}" x2="${width}" y1="${round(y)}" y2="${round(y)}" />
          <text class="tick end" x="${LEFT - 8}" y="${round(y + 4)}">${text}</text>
        `;
    })
  } ${
    layers.map((layer) =>
      markup`
          <path class="m${layer.key}" d="${
        layer.map((part) => box(x(part.data)!, x.bandwidth(), { top: hits(part[1]), bottom: hits(part[0]) }))
          .join("")
      }" />
        `
    )
  }
      <line class="axis" x1="${LEFT}" x2="${width}" y1="${TOP + HITS}" y2="${TOP + HITS}" />
      ${timeLabels(series, x, TOP + HITS + 16)}
      <text class="tick end" x="${LEFT - 8}" y="${base - BANS / 2 + 4}">bans</text>
      <path class="bans" d="${
    bars.map((bar) => box(x(bar)!, x.bandwidth(), { top: bans(bar.bans), bottom: base })).join("")
  }" />
      <line class="axis" x1="${LEFT}" x2="${width}" y1="${base}" y2="${base}" />
      ${
    bars.map((bar) => {
      const [left, step] = [round(x(bar)! - x.step() * 0.09), round(x.step())];
      return markup`
          <rect class="hover" x="${left}" y="${TOP}" width="${step}" height="${base - TOP}">
            <title>${tipOf(bar, series)}</title>
          </rect>
        `;
    })
  }
    </svg>
  `;
}

/** Draws time labels at the first bars of days, or at regular distances. */
function timeLabels({ bars, unit }: Series, x: ScaleBand<Bar>, y: number): Markup[] {
  const right = x.range()[1] - LABEL / 2 - 10;
  const isOfDays = unit === "day" || unit === "week";
  const starts = isOfDays ? bars : bars.filter(({ start }) => new Date(start / MILLISECOND).getHours() === 0);
  const marked = starts.length > 0 ? starts : bars;
  const first = x(marked[0]!)!;
  const step = marked.length > 1 ? x(marked[1]!)! - first : LABEL;
  const every = Math.max(1, Math.ceil(LABEL / step));
  return marked.filter((bar, i) => i % every === 0 && x(bar)! < right).map((bar) => {
    const day = new Date(bar.start / MILLISECOND);
    const text = day.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return markup`<text class="tick" x="${round(x(bar)!)}" y="${y}">${text}</text>`;
  });
}

function tipOf(bar: Bar, series: Series): string {
  const parts = series.modules.flatMap((module, i) =>
    bar.hits[i]! > 0 ? [`${module} ${countText(bar.hits[i]!)}`] : []
  );
  return `${barText(bar.start, series)}: ${parts.join(", ") || "no hits"}; ${counted(bar.bans, "ban")}`;
}

/** Draws hits by weekday and hour. */
export function heatPlot(heat: Review["heat"]): Markup {
  return markup`${SIZES.map((size) => heatPlotOf(heat, size))}`;
}

function heatPlotOf(heat: Review["heat"], { name, width }: Size): Markup {
  const height = name === "narrow" ? 20 : 26;
  const x = scaleBand<number>([...Array(24).keys()], [LEFT - 8, width]).paddingInner(0.1);
  const most = Math.max(1, max(heat.flat(), (hits) => hits ?? 0)!);
  const depth = scalePow([0, most], [0.07, 1]).exponent(0.7);
  const bottom = heat.length * height;
  return markup`
    <svg
      class="plot ${name}"
      viewBox="0 0 ${width} ${bottom + LINE}"
      role="img"
      aria-label="Hits by weekday and hour of at most the last seven days"
    >
      ${
    heat.map((day, i) =>
      markup`
          <text class="tick" x="0" y="${i * height + height / 2 + 3}">${WEEKDAYS[i]!}</text>${
        day.map((hits, hour) => {
          if (hits === null) return null;
          const title = `${WEEKDAYS[i]} ${twoDigits(hour)}:00: ${counted(hits, "hit")}`;
          return markup`
              <rect
                class="heat"
                rx="2"
                x="${round(x(hour)!)}"
                y="${i * height}"
                width="${round(x.bandwidth())}"
                height="${height - 2}"
                fill-opacity="${round(depth(hits) * 100) / 100}"
              >
                <title>${title}</title>
              </rect>
            `;
        })
      }
        `
    )
  } ${
    [0, 3, 6, 9, 12, 15, 18, 21].map((hour) =>
      markup`
          <text class="tick" x="${round(x(hour)!)}" y="${bottom + 14}">${twoDigits(hour)}</text>
        `
    )
  }
    </svg>
  `;
}

/** Returns a box as part of a path; empty without height. */
function box(x: number, width: number, { top, bottom }: { top: number; bottom: number }): string {
  if (bottom - top < 0.05) return "";
  return `M${round(x)} ${round(top)}h${round(width)}V${round(bottom)}h${round(-width)}z`;
}

function twoDigits(hour: number): string {
  return String(hour).padStart(2, "0");
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
