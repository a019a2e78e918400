/**
 * Draws the view. Input: the model, and the terminal's size. Output: a line for each row, at most
 * as wide as the terminal. Pure.
 *
 *   status of the monitor, and number of bans in force
 *   problems
 *   rates of lines, hits and bans
 *   sources | modules
 *   counts  | bans
 *   the selected row in full, or why an answer was refused
 *   keys, or a question
 */
import { counted } from "../../core/text.ts";
import { localTime, type Micros } from "../../core/time.ts";
import { folded } from "../common/layout.ts";
import { cut, cutStart, fit, type Line, span, spread, type Style, widthOf } from "./cell.ts";
import type { ActionRequest, Model } from "./model.ts";
import { beside } from "./panel.ts";
import { bansPanel, modulesPanel, selectedLine, sourcesPanel, topPanel } from "./panels.ts";
import { type Size, textLines } from "./text.ts";
import { plot, roundAbove } from "./plot.ts";
import { type Rate, RATES } from "./rates.ts";
import { brief, figure, rateText, verdict } from "./words.ts";

/** Least size that the view needs. */
export const LEAST: Size = { columns: 60, rows: 16 };
/** Blanks between two panels. */
const GAP = 2;
/** Columns before and behind a plot. */
const [LABEL, SCALE] = [10, 9];
const NAMES: Readonly<Record<Rate, string>> = { lines: "lines/s", hits: "hits/s", bans: "bans/min" };
const STYLES: Readonly<Record<Rate, Style>> = { lines: "accent", hits: "warn", bans: "bad" };

/** Returns the lines of the view. */
export function frame(model: Model, size: Size): Line[] {
  const lines = size.columns < LEAST.columns || size.rows < LEAST.rows
    ? tooSmall(size)
    : [headLine(model, size), healthLine(model, size), ...body(model, size), footLine(model, size)];
  return Array.from({ length: size.rows }, (_, i) => lines[i] ?? []);
}

function tooSmall({ columns, rows }: Size): Line[] {
  const words =
    `This terminal has ${columns} columns and ${rows} rows. Make it at least ${LEAST.columns} by ` +
    `${LEAST.rows}, or press q to leave.`;
  return folded(words, "", columns).map((line) => [span(cut(line, columns))]);
}

function headLine({ snapshot, filter }: Model, { columns }: Size): Line {
  const name = span(" StrongMonitor ", "title");
  if (snapshot === null) return [name];
  const { report, isRunning, numbers, time } = snapshot;
  const since = report === null ? "" : ` ${brief(time - report.started)}`;
  const bans =
    `${counted(numbers.confirmed, "ban")} ${report?.firewall === "observe" ? "noted only" : "in force"}` +
    (numbers.waiting > 0 ? `, ${numbers.waiting} waiting` : "");
  const trialEnd = isRunning ? report?.trialEnd ?? null : null;
  const room = columns - 26;
  const words = (firewall: readonly string[]) =>
    [
      isRunning ? `running${since}` : "not running",
      ...trialEnd === null ? [] : [`trial until ${clockOf(trialEnd).slice(0, 5)}`],
      ...firewall,
      bans,
      ...filter === "" ? [] : [`showing "${filter}"`],
    ].join(" · ");
  const all = words(report === null ? [] : [report.firewall]);
  const shown = cut(widthOf(all) > room ? words([]) : all, room);
  return spread(
    [name, span(` ${shown}`, isRunning ? "plain" : "bad")],
    [span(`${clockOf(time)} `, "dim")],
    columns,
  );
}

function clockOf(time: Micros): string {
  return localTime(time).slice(-8);
}

function healthLine({ snapshot, error }: Model, { columns }: Size): Line {
  if (error !== null) return [span(fit(` ! ${error}`, columns), "bad")];
  if (snapshot === null) return [span(" Reading the state", "dim")];
  const [first, ...others] = snapshot.problems;
  if (first === undefined) return [span(` ${verdict(snapshot.report)}`, "good")];
  const more = others.length > 0 ? ` (and ${others.length} more: press !)` : "";
  return [span(` ! ${cut(first, columns - 3 - more.length)}${more}`, "bad")];
}

function body(model: Model, size: Size): Line[] {
  const rows = size.rows - 3;
  const { mode } = model;
  if (mode.kind === "text") return textLines(mode.text, { ...size, rows });
  const lines = tables(model, { ...size, rows });
  if (mode.kind !== "prompt" || mode.complaint === undefined) return lines;
  const complaint = cut(`${mode.complaint} Correct it or press Esc.`, size.columns - 1);
  return lines.with(-1, [span(` ${complaint}`, "bad")]);
}

function tables(model: Model, { columns, rows }: Size): Line[] {
  const { snapshot } = model;
  if (snapshot === null) return Array.from({ length: rows }, (): Line => []);
  const height = rows >= 47 ? 5 : rows >= 35 ? 4 : rows >= 28 ? 3 : rows >= 20 ? 2 : 1;
  const plots = plotLines(model, { columns, height });
  const width = { left: Math.floor((columns - GAP) / 2), right: Math.ceil((columns - GAP) / 2) };
  const sources = Math.max(snapshot.report?.sources.length ?? 0, snapshot.report?.modules.length ?? 0, 1);
  const upper = 1 + Math.min(sources, Math.max(2, Math.floor(rows / 6)));
  const lower = rows - plots.length - upper - 3;
  const half = (panels: readonly [typeof topPanel, typeof topPanel], height: number) =>
    beside(
      panels[0](model, { width: width.left, height }),
      panels[1](model, { width: width.right, height }),
      GAP,
    );
  return [
    ...plots,
    [],
    ...half([sourcesPanel, modulesPanel], upper),
    [],
    ...half([topPanel, bansPanel], lower),
    selectedLine(model, columns),
  ];
}

function plotLines(
  { rates, snapshot }: Model,
  { columns, height }: { columns: number; height: number },
): Line[] {
  const width = columns - LABEL - SCALE - 2;
  return RATES.flatMap((rate) => {
    const values = rates.series(rate, { count: 2 * width, now: snapshot!.time });
    const most = roundAbove(Math.max(...values));
    const bars = plot(values, { width, height, most });
    const value = rateText(values.at(-1)!);
    return bars.map((bar, row): Line => [
      span(` ${fit(labelOf(rate, value, { row, height }), LABEL)}`, row === 0 && height > 1 ? "dim" : "bold"),
      span(bar, STYLES[rate]),
      span(fit(row === 0 ? figure(most) : row === height - 1 ? "0" : "", SCALE, "right"), "dim"),
    ]);
  });
}

function labelOf(rate: Rate, value: string, { row, height }: { row: number; height: number }): string {
  if (height === 1) return `${NAMES[rate].padEnd(9)}`;
  return row === 0 ? NAMES[rate] : row === 1 ? value : "";
}

const KEYS = [
  ["Enter", "why"],
  ["b", "ban"],
  ["u", "unban"],
  ["w", "whitelist"],
  ["/", "filter"],
  ["s", "sort"],
  ["?", "help"],
  ["q", "quit"],
  ["Tab", "other table"],
  ["v", "count by"],
  ["t", "time"],
] as const;

function footLine(model: Model, { columns }: Size): Line {
  const { mode } = model;
  switch (mode.kind) {
    case "tables":
      return keysLine(KEYS, columns);
    case "text":
      return keysLine([["Up/Down", "scroll"], ["Esc", "back"]], columns);
    case "filter":
      return asking(`Show only: ${model.filter}`, columns);
    case "prompt":
      return asking(questionOf(mode.ask, mode.request), columns);
    case "confirm":
      return [span(` ${cut(`${wordsOf(mode.request)}? y: yes, any other key: no`, columns - 1)}`, "warn")];
    case "busy":
      return [span(` ${cut(`${wordsOf(mode.request)} …`, columns - 1)}`, "dim")];
  }
}

function keysLine(keys: readonly (readonly [key: string, what: string])[], columns: number): Line {
  const line: Line[] = [];
  let room = columns;
  for (const [key, what] of keys) {
    const width = widthOf(key) + what.length + 3;
    if (width > room) break;
    room -= width;
    line.push([span(` ${key}`, "accent"), span(` ${what} `, "dim")]);
  }
  return line.flat();
}

/** Shows a question with the end of its typed answer. */
function asking(text: string, columns: number): Line {
  return [span(` ${cutStart(text, columns - 3)}`, "warn"), span(" ", "selected")];
}

function questionOf(ask: "target" | "span", { action, target, span }: ActionRequest): string {
  if (ask === "span") return `${verbOf(action)} ${target} for (90s, 2h, 1d12h or forever): ${span}`;
  return action === "why"
    ? `Why: address or network: ${target}`
    : `${verbOf(action)} address or network: ${target}`;
}

function verbOf(action: ActionRequest["action"]): string {
  return { why: "Look up", ban: "Ban", unban: "Unban", whitelist: "Whitelist" }[action];
}

function wordsOf({ action, target, span }: ActionRequest): string {
  const time = span === "" ? "" : span === "forever" ? " for good" : ` for ${span}`;
  return `${verbOf(action)} ${target}${time}`;
}
