import { bounded, counted } from "../core/text.ts";
import { isoTime, isoTimeOrNull, localTime, type Micros } from "../core/time.ts";
import type { History, ProvenanceCount } from "../state/history.ts";
import { type RollupContent, totalCount } from "../state/rollup.ts";
import { banCounter, type BansOfName, totalOf } from "./ban_counts.ts";
import { requireSince } from "./instant.ts";
import { withState } from "./open.ts";
import { type CommonOptions, print, printJson, printTable, TOP_TABLES } from "./output.ts";
import { shareText, shownName } from "./words.ts";

type Table = typeof TOP_TABLES[number];

/** Options of `top`. */
export interface TopOptions extends CommonOptions {
  readonly since?: string;
  readonly by?: Table;
}

/** Rows of one table among several, and of a single table. */
const [FEW, MANY] = [5, 20];
/** Longest name in characters, so that a line keeps to 80. */
const NAME = 40;

interface Row extends BansOfName {
  readonly name: string;
  /** Lines that name an address; null: not counted. */
  readonly lines: number | null;
  readonly hits: number;
  /** Share of all hits, from 0 to 1. */
  readonly share: number;
}

interface Top {
  /** Start of the counts; null: there are none. */
  readonly start: Micros | null;
  readonly lines: number;
  readonly hits: number;
  readonly made: number;
  readonly ended: number;
  readonly tables: readonly { readonly by: Table; readonly rows: readonly Row[] }[];
}

/** `top`: prints top attackers since a time, what they tried, rules they hit, and bans. */
export function topCommand({ since = "24h", by, ...options }: TopOptions): number {
  const time = requireSince(since);
  const top = withState(options, ({ rollups, history }): Top => {
    const { content, start } = rollups.since(time);
    const bans = history.bansByProvenance(start ?? time);
    const most = by === undefined ? FEW : MANY;
    return {
      start,
      lines: totalCount(content.lines),
      hits: totalCount(content.hits),
      ...totalOf(bans),
      tables: (by === undefined ? TOP_TABLES : [by]).map((by) => ({
        by,
        rows: rowsOf(by, { content, most, bans, history, since: start ?? time }),
      })),
    };
  });
  if (options.json) printJson(topJson(top, time));
  else printTop(top, time);
  return 0;
}

interface Facts {
  readonly content: RollupContent;
  readonly most: number;
  readonly bans: readonly ProvenanceCount[];
  readonly history: History;
  readonly since: Micros;
}

function rowsOf(by: Table, { content, most, bans, history, since }: Facts): Row[] {
  const all = by === "module" ? content.hits : content[by];
  const total = totalCount(by === "rule" ? content.rule : content.hits);
  const names = by === "module" ? content.lines.map(([name]) => name) : all.map(([name]) => name);
  const hits = new Map(all);
  const shown = names.toSorted((a, b) => (hits.get(b) ?? 0) - (hits.get(a) ?? 0)).slice(0, most);
  const bansOf = banCounter(by, { names: shown, bans, history, since });
  const lines = new Map(by === "module" ? content.lines : []);
  return shown.map((name) => {
    const count = hits.get(name) ?? 0;
    const share = total === 0 ? 0 : count / total;
    return { name, lines: lines.get(name) ?? null, hits: count, share, ...bansOf(name) };
  });
}

function topJson({ start, lines, hits, made, ended, tables }: Top, since: Micros): unknown {
  return {
    since: isoTime(since),
    start: isoTimeOrNull(start),
    lines,
    hits,
    bans_made: made,
    bans_ended: ended,
    tables: tables.map(({ by, rows }) => ({
      by,
      rows: rows.map(({ name, lines, hits, share, made, ended }) => ({
        name,
        lines,
        hits,
        share: Math.round(share * 10_000) / 10_000,
        bans_made: made,
        bans_ended: ended,
      })),
    })),
  };
}

function printTop({ start, lines, hits, made, ended, tables }: Top, since: Micros): void {
  if (start === null) print(`No line named an address since ${localTime(since)}.`);
  else {
    print(
      `Since ${localTime(start)}: ${counted(lines, "line")} named an address, ${hits} of them hit a rule.`,
    );
  }
  print(`${counted(made, "ban")} began, ${ended} ended.`);
  for (const { by, rows } of tables) {
    if (rows.length === 0) {
      if (tables.length === 1 && hits > 0) print(`None of the lines that hit a rule names a ${by}.`);
      continue;
    }
    print("");
    printTable(headingOf(by), rows.map((row) => cellsOf(by, row)));
  }
}

function headingOf(by: Table): string[] {
  const hasBans = by !== "user" && by !== "path";
  return [
    by.toUpperCase(),
    ...by === "module" ? ["LINES"] : [],
    // A line that hits three rules counts once for its address and once for each rule.
    by === "rule" ? "HITS" : "HIT LINES",
    "SHARE",
    ...hasBans ? ["BANS", "ENDED"] : [],
  ];
}

function cellsOf(by: Table, { name, lines, hits, share, made, ended }: Row): string[] {
  return [
    bounded(shownName(name), NAME),
    ...by === "module" ? [String(lines)] : [],
    String(hits),
    shareText(share),
    ...made === null ? [] : [String(made), String(ended)],
  ];
}
