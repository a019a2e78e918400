/** Draws the four tables of the view, and the row below. Input: the model. Output: lines. Pure. */
import { localTime } from "../../core/time.ts";
import { hasUnknownFormat } from "../../reading/activity.ts";
import type { BanStatus } from "../../deciding/ban.ts";
import { BY_HAND } from "../bans/ban.ts";
import { countText, provenanceText, TITLES } from "../report/words.ts";
import { sourceText } from "../common/words.ts";
import { cut, cutAddress, cutStart, type Line, span, widthOf } from "./cell.ts";
import { banRows, type Model, placeOf, selected, topRows } from "./model.ts";
import { type Column, panelLines } from "./panel.ts";
import { bar } from "./plot.ts";
import { ago, delay, figure, left, percent } from "./words.ts";

/** Columns and rows of a panel. */
interface PanelSize {
  readonly width: number;
  readonly height: number;
}

/** Least widths at which lower panels gain a column, and names a fixed width. */
const [WIDE, WIDER] = [46, 60];
/** Columns of a name in a wide panel: the longest address. */
const NAME = 40;
/** Columns of numbers and blanks beside the bars of the table of counts. */
const BESIDE_BAR = 7 + 6 + 8 + 4;

/** Draws the sources: activity, delay of lines, and time of the last ones. */
export function sourcesPanel({ snapshot }: Model, room: PanelSize): Line[] {
  const { report, isRunning, time } = snapshot!;
  const columns: Column[] = [
    { heading: " SOURCES", width: null, cut: (name, width) => ` ${cutStart(name, width - 1)}` },
    { heading: "state", width: 8, style: "dim", from: 34 },
    { heading: "lag", width: 6, side: "right" },
    { heading: "last", width: 6, side: "right", style: "dim" },
  ];
  const rows = (report?.sources ?? []).map((source) => {
    const { name, lag, lastBatch } = source;
    const isFailing = !source.running || source.problems.length > 0;
    const state = sourceText({ ...source, running: isRunning && source.running });
    return {
      cells: [name.replace(/^file:(?:\/var\/log\/)?/, ""), state, delay(lag), ago(lastBatch, time)],
      style: isRunning && isFailing ? "bad" as const : undefined,
    };
  });
  return panelLines({ columns, rows, none: " none is reported" }, room);
}

/** Draws the modules: lines of the last hour, share understood, hits in the period, last hit. */
export function modulesPanel({ snapshot, period }: Model, room: PanelSize): Line[] {
  const { report, counted, time } = snapshot!;
  const hits = new Map(counted.hits);
  const columns: Column[] = [
    { heading: "MODULES", width: null },
    { heading: "lines/h", width: 7, side: "right", from: 32 },
    { heading: "read", width: 5, side: "right", style: "dim", from: 38 },
    { heading: `hits ${period}`, width: 8, side: "right" },
    { heading: "last", width: 6, side: "right", style: "dim" },
  ];
  const rows = (report?.modules ?? []).map((module) => ({
    cells: [
      module.name,
      figure(module.lines),
      module.lines === 0 ? "-" : percent(module.understood / module.lines).replace(" ", ""),
      figure(hits.get(module.name) ?? 0),
      ago(module.lastHit, time),
    ],
    style: hasUnknownFormat(module) ? "bad" as const : undefined,
  }));
  return panelLines({ columns, rows, none: "none is reported" }, room);
}

/** Draws the counts: hits, and whether a ban is in force. */
export function topPanel(model: Model, room: PanelSize): Line[] {
  const { snapshot, period, table, focus, cursor } = model;
  const isOfAddresses = table === "address" || table === "network";
  const shorten = isOfAddresses ? cutAddress : cut;
  const columns: Column[] = [
    {
      heading: ` ${TITLES[table].toUpperCase()} ${period}`,
      width: nameWidth(room),
      cut: (name, width) => ` ${shorten(name, width - 1)}`,
    },
    { heading: "", width: null, style: "warn", from: WIDER },
    { heading: "hits", width: 7, side: "right" },
    { heading: "share", width: 6, side: "right", style: "dim", from: isOfAddresses ? WIDE : 0 },
    { heading: "ban", width: 8, side: "right", from: isOfAddresses ? 34 : Infinity },
  ];
  const all = topRows(model);
  const most = Math.max(...all.map(({ hits }) => hits));
  const rows = all.map(({ name, hits, share, ban }) => ({
    cells: [
      name,
      bar(hits / most, room.width - NAME - BESIDE_BAR),
      figure(hits),
      percent(share),
      ban === null ? "-" : left(ban.until, snapshot!.time),
    ],
  }));
  const place = focus === "top" ? placeOf(cursor.top, all) : null;
  return panelLines({ columns, rows, none: ` ${noneOf(model, "nothing counted")}`, cursor: place }, room);
}

/** Returns the words of a table without rows: `words`, or that the filter has left none. */
function noneOf({ filter }: Model, words: string): string {
  return filter === "" ? words : "no row holds that text";
}

/** Draws the bans: remaining time, and provenance. */
export function bansPanel(model: Model, room: PanelSize): Line[] {
  const { snapshot, banOrder, focus, cursor } = model;
  const columns: Column[] = [
    {
      heading: banOrder === "newest" ? "NEWEST BANS" : "BANS ENDING NEXT",
      width: nameWidth(room),
      cut: cutAddress,
    },
    { heading: "ago", width: 6, side: "right", style: "dim", from: WIDER },
    { heading: "left", width: 8, side: "right" },
    {
      heading: "by",
      width: room.width < WIDER ? Math.max(12, Math.floor(room.width * 0.36)) : null,
      style: "dim",
      from: 36,
    },
  ];
  const all = banRows(model);
  const rows = all.map(({ name, ban }) => ({
    cells: [name, ago(ban.start, snapshot!.time), left(ban.until, snapshot!.time), byOf(ban)],
    style: ban.error !== null ? "bad" as const : undefined,
  }));
  const place = focus === "bans" ? placeOf(cursor.bans, all) : null;
  return panelLines({ columns, rows, none: noneOf(model, "nobody is banned"), cursor: place }, room);
}

function byOf({ provenance, reason, error }: BanStatus): string {
  if (error !== null) return `failing: ${error}`;
  if (provenance.kind === "manual") return reason === BY_HAND ? "by hand" : `by hand: ${reason}`;
  return provenanceText(provenance);
}

/** Returns the width of names; null: the rest of a narrow panel. */
function nameWidth({ width }: PanelSize): number | null {
  return width < WIDER ? null : NAME;
}

/** Draws the selected row in full. */
export function selectedLine(model: Model, columns: number): Line {
  const row = selected(model);
  const { time } = model.snapshot!;
  if (row === null) return [];
  const { ban } = row;
  const endOf = ({ until }: BanStatus) => until === null ? "for good" : `for ${left(until, time)} more`;
  const words = [
    row.name,
    ..."hits" in row
      ? [`${countText(row.hits)} ${row.hits === 1 ? "hit" : "hits"}, ${percent(row.share)} of all`]
      : [],
    ...ban === null ? [] : [`banned ${endOf(ban)}: ${ban.reason}`],
  ];
  const text = cut(words.join(" · "), columns - 2);
  const since = ban === null ? "" : ` · since ${localTime(ban.start)}`;
  const hasRoom = widthOf(text + since) <= columns - 2;
  return [span(` ${text}${hasRoom ? since : ""}`, "dim")];
}
