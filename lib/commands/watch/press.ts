/** Handles a key. Input: the model, a key and the size. Output: a new model and an effect. Pure. */
import { readTarget } from "../../config/whitelist.ts";
import { canonicalNetwork } from "../../core/address.ts";
import { parseDuration } from "../../core/time.ts";
import { awaitedOf, awaitedText } from "../common/words.ts";
import type { Key } from "./keys.ts";
import {
  type Action,
  type ActionRequest,
  COUNT_TABLES,
  type Mode,
  type Model,
  type PanelName,
  placeOf,
  type Prompt,
  rowsOf,
  selectedTarget,
  TOP_ORDERS,
} from "./model.ts";
import { helpLines } from "./help.ts";
import { scrolled, type Size, type Text } from "./text.ts";
import { BAN_ORDERS, type PeriodName, PERIODS } from "./snapshot.ts";
import { verdict } from "./words.ts";

/** Effect beside the model: end, read the state, redraw, or run a command. */
export type Effect = "quit" | "read" | "redraw" | ActionRequest | null;

export interface Pressed {
  readonly model: Model;
  readonly effect: Effect;
}

/** Rows that a page key moves. */
const PAGE = 10;
/** Longest typed text: an IPv6 network is shorter. */
const MOST_TYPED = 60;
const ACTIONS: Readonly<Record<Key, Action>> = { enter: "why", b: "ban", u: "unban", w: "whitelist" };
/** Default span of a ban and a whitelist entry by hand. */
const SPANS: Readonly<Partial<Record<Action, string>>> = { ban: "1d", whitelist: "8h" };
const MOVES: Readonly<Record<Key, number>> = {
  up: -1,
  k: -1,
  down: 1,
  j: 1,
  pageup: -PAGE,
  pagedown: PAGE,
  " ": PAGE,
  home: -Infinity,
  g: -Infinity,
  end: Infinity,
  G: Infinity,
};

/** Returns the model after a key. */
export function press(model: Model, key: Key, size: Size): Pressed {
  if (key === "interrupt") return { model, effect: "quit" };
  if (key === "redraw") return { model, effect: "redraw" };
  const { mode } = model;
  switch (mode.kind) {
    case "tables":
      return pressInTables(model, key);
    case "text":
      return pressInText(model, { text: mode.text, key, size });
    case "filter":
      return same(pressInFilter(model, mode, key));
    case "prompt":
      return pressInPrompt(model, mode, key);
    case "confirm":
      return key === "y" || key === "Y" ? run(model, mode.request) : into(model, { kind: "tables" });
    case "busy":
      return same(model);
  }
}

function same(model: Model): Pressed {
  return { model, effect: null };
}

function into(model: Model, mode: Mode): Pressed {
  return same({ ...model, mode });
}

function read(model: Model, text: Text): Pressed {
  return into(model, { kind: "text", text });
}

const TEXT_END: readonly Key[] = ["escape", "q", "enter", "left", "backspace"];

function pressInTables(model: Model, key: Key): Pressed {
  if (key in MOVES) return same(move(model, MOVES[key]!));
  if (key in ACTIONS) return begin(model, ACTIONS[key]!);
  switch (key) {
    case "q":
      return { model, effect: "quit" };
    case "?":
    case "h":
      return read(model, { title: "Keys", lines: helpLines(), top: 0 });
    case "!":
      return read(model, { title: "Problems", lines: problems(model), top: 0 });
    case "/":
      return into(model, { kind: "filter", before: model.filter });
    case "escape":
      return same({ ...model, filter: "" });
    case "tab":
    case "backtab":
    case "left":
    case "right":
      return same({ ...model, focus: model.focus === "top" ? "bans" : "top" });
    case "v":
      return same({
        ...model,
        table: next(COUNT_TABLES, model.table),
        cursor: { ...model.cursor, top: FIRST },
      });
    case "t":
      return {
        model: { ...model, period: next(Object.keys(PERIODS) as PeriodName[], model.period) },
        effect: "read",
      };
    case "s":
      return sort(model);
    case "r":
      return { model, effect: "read" };
    default:
      return same(model);
  }
}

const FIRST = { key: null, at: 0 };

function problems({ snapshot, error }: Model): readonly string[] {
  const all = [...error === null ? [] : [error], ...snapshot?.problems ?? []];
  const report = snapshot?.report ?? null;
  const awaited = awaitedOf(report).map((source) => `Awaited: ${awaitedText(source)}`);
  return [...all.length === 0 ? [verdict(report)] : all, ...awaited];
}

function next<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length]!;
}

function sort(model: Model): Pressed {
  const cursor = { ...model.cursor, [model.focus]: FIRST };
  return model.focus === "top"
    ? same({ ...model, cursor, topOrder: next(TOP_ORDERS, model.topOrder) })
    : { model: { ...model, cursor, banOrder: next(BAN_ORDERS, model.banOrder) }, effect: "read" };
}

function move(model: Model, by: number): Model {
  const panel: PanelName = model.focus;
  const rows = rowsOf(model, panel);
  const at = Math.max(0, Math.min(rows.length - 1, placeOf(model.cursor[panel], rows) + by));
  return { ...model, cursor: { ...model.cursor, [panel]: { key: rows[at]?.key ?? null, at } } };
}

/** Begins a command: `why` of a selection at once, others with a question. */
function begin(model: Model, action: Action): Pressed {
  const target = selectedTarget(model);
  const request = { action, target: target ?? "", span: SPANS[action] ?? "" };
  if (action === "why" && target !== null) return run(model, request);
  return into(model, { kind: "prompt", ask: "target", request });
}

function run(model: Model, request: ActionRequest): Pressed {
  return { model: { ...model, mode: { kind: "busy", request } }, effect: request };
}

function pressInText(model: Model, { text, key, size }: { text: Text; key: Key; size: Size }): Pressed {
  if (TEXT_END.includes(key)) return into(model, { kind: "tables" });
  if (!(key in MOVES)) return same(model);
  return read(model, scrolled(text, MOVES[key]!, size));
}

/** Returns the text after an editing key; null: the key edits nothing. */
function edited(text: string, key: Key): string | null {
  if (key === "backspace") return [...text].slice(0, -1).join("");
  if (key === "clear") return "";
  return [...key].length === 1 ? (text + key).slice(0, MOST_TYPED) : null;
}

function pressInFilter(model: Model, { before }: Mode & { kind: "filter" }, key: Key): Model {
  if (key === "enter") return { ...model, mode: { kind: "tables" } };
  if (key === "escape") return { ...model, filter: before, mode: { kind: "tables" } };
  const filter = edited(model.filter, key) ?? model.filter;
  return { ...model, filter, cursor: { top: FIRST, bans: FIRST } };
}

function pressInPrompt(model: Model, { ask, request }: Prompt, key: Key): Pressed {
  if (key === "escape") return into(model, { kind: "tables" });
  const text = edited(request[ask], key);
  if (text !== null) return into(model, { kind: "prompt", ask, request: { ...request, [ask]: text } });
  if (key !== "enter" || request[ask].trim() === "") return same(model);
  const complaint = complaintAbout(ask, request);
  if (complaint !== null) return into(model, { kind: "prompt", ask, request, complaint });
  if (request.action === "why") return run(model, request);
  if (ask === "target" && request.span !== "") return into(model, { kind: "prompt", ask: "span", request });
  return into(model, { kind: "confirm", request });
}

/** Says in a sentence why a command would refuse an answer; null: it would not. */
function complaintAbout(ask: Prompt["ask"], request: ActionRequest): string | null {
  const text = request[ask].trim();
  if (ask === "span") {
    const isSpan = text === "forever" || parseDuration(text) !== null;
    return isSpan ? null : "Expected a time span such as 2h, 1d12h or forever.";
  }
  const words = request.action === "why" ? [text] : text.split(/\s+/);
  if (request.action === "whitelist") {
    const areTargets = words.every((word) => typeof readTarget(word) !== "string");
    return areTargets ? null : "Expected an address, a network or a DNS name.";
  }
  const areNetworks = words.every((word) => canonicalNetwork(word) !== null);
  return areNetworks ? null : "Expected an address or a network such as 192.0.2.0/24.";
}
