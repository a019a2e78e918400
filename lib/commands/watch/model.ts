/** The state of the view: data read and the user's place in it. Pure: time is part of the data. */
import { type BanStatus, nameOf } from "../../deciding/ban.ts";
import { totalCount } from "../../state/rollup.ts";
import { SUBJECTS } from "../common/output.ts";
import { shownName } from "../common/words.ts";
import type { Text } from "./text.ts";
import type { Rates } from "./rates.ts";
import type { BanOrder, PeriodName, Snapshot } from "./snapshot.ts";

/** Subjects of the table of counts: modules have one of their own. */
export const COUNT_TABLES = SUBJECTS.filter((subject) => subject !== "module");
/** Orders of a table of counts. */
export const TOP_ORDERS = ["hits", "name"] as const;

/** Commands for an address. */
export type Action = "why" | "ban" | "unban" | "whitelist";

/** A command with its arguments. */
export interface ActionRequest {
  readonly action: Action;
  readonly target: string;
  /** Span of the command; empty: none. */
  readonly span: string;
}

/** A question for a part of a command. */
export interface Prompt {
  readonly kind: "prompt";
  readonly ask: "target" | "span";
  readonly request: ActionRequest;
  /** Why the answer given was refused; absent: none was. */
  readonly complaint?: string;
}

/** Meaning of the keys, and the text shown in place of the tables. */
export type Mode =
  | { readonly kind: "tables" }
  | { readonly kind: "text"; readonly text: Text }
  | { readonly kind: "filter"; readonly before: string }
  | Prompt
  | { readonly kind: "confirm"; readonly request: ActionRequest }
  | { readonly kind: "busy"; readonly request: ActionRequest };

/** A panel in which a row can be selected. */
export type PanelName = "top" | "bans";

/** The view: what is read, shown and selected. */
export interface Model {
  /** Null: not read yet. */
  readonly snapshot: Snapshot | null;
  /** Why the last read failed. */
  readonly error: string | null;
  readonly rates: Rates;
  readonly period: PeriodName;
  readonly table: typeof COUNT_TABLES[number];
  readonly topOrder: typeof TOP_ORDERS[number];
  readonly banOrder: BanOrder;
  readonly filter: string;
  readonly focus: PanelName;
  /** Selected row of each panel: its key, and its place in case the key is gone. */
  readonly cursor: Readonly<Record<PanelName, Cursor>>;
  readonly mode: Mode;
}

export interface Cursor {
  readonly key: string | null;
  readonly at: number;
}

/** Returns the view at its start. */
export function initialModel(rates: Rates): Model {
  const cursor = { key: null, at: 0 };
  return {
    snapshot: null,
    error: null,
    rates,
    period: "1h",
    table: "address",
    topOrder: "hits",
    banOrder: "newest",
    filter: "",
    focus: "top",
    cursor: { top: cursor, bans: cursor },
    mode: { kind: "tables" },
  };
}

/** A row of a table of counts. */
export interface TopRow {
  readonly key: string;
  readonly name: string;
  readonly hits: number;
  /** Share of all hits, from 0 to 1. */
  readonly share: number;
  readonly ban: BanStatus | null;
}

/** A row of the table of bans. */
export interface BanRow {
  readonly key: string;
  readonly name: string;
  readonly ban: BanStatus;
}

/** Returns the rows of the table of counts, in order. */
export function topRows({ snapshot, table, topOrder, filter }: Model): TopRow[] {
  if (snapshot === null) return [];
  const { counted } = snapshot;
  const all = counted[table];
  const total = totalCount(table === "rule" ? all : counted.hits);
  const rows = all.filter(([name]) => matches(filter, name)).map(([name, hits]) => ({
    key: name,
    name: shownName(name),
    hits,
    share: total === 0 ? 0 : Math.min(1, hits / total),
    ban: snapshot.inForce.get(name) ?? null,
  }));
  const byHits = topOrder === "hits";
  return rows.sort((a, b) => byHits && b.hits - a.hits || (a.name < b.name ? -1 : 1));
}

/** Returns the rows of the table of bans, in the order of the snapshot. */
export function banRows({ snapshot, filter }: Model): BanRow[] {
  return (snapshot?.bans ?? [])
    .filter((ban) => matches(filter, ban.address, ban.provenance.name, ban.provenance.kind, ban.reason))
    .map((ban) => ({ key: String(ban.id), name: nameOf(ban), ban }));
}

/** Returns the rows of a panel. */
export function rowsOf(model: Model, panel: PanelName): readonly (TopRow | BanRow)[] {
  return panel === "top" ? topRows(model) : banRows(model);
}

function matches(filter: string, ...texts: readonly string[]): boolean {
  const wanted = filter.toLowerCase();
  return wanted === "" || texts.some((text) => text.toLowerCase().includes(wanted));
}

/** Returns the index of the selected row, or the nearest one if that is gone. */
export function placeOf(cursor: Cursor, rows: readonly { readonly key: string }[]): number {
  const found = cursor.key === null ? -1 : rows.findIndex(({ key }) => key === cursor.key);
  return found >= 0 ? found : Math.max(0, Math.min(cursor.at, rows.length - 1));
}

/** Returns the selected row; null: none. */
export function selected(model: Model): TopRow | BanRow | null {
  const rows = rowsOf(model, model.focus);
  return rows[placeOf(model.cursor[model.focus], rows)] ?? null;
}

/** Returns the selected address or network; null: none. */
export function selectedTarget(model: Model): string | null {
  const row = selected(model);
  if (row === null) return null;
  if ("hits" in row) return model.table === "address" || model.table === "network" ? row.key : null;
  return row.ban.address;
}
