import { UserError } from "../core/error.ts";
import { bounded, counted } from "../core/text.ts";
import { isoTime, isoTimeOrNull, localTime, type Micros } from "../core/time.ts";
import { type BanCount, type Span, sumOfBans } from "../state/history.ts";
import { totalCount } from "../state/rollup.ts";
import { type CountFacts, type CountRow, countRows, rowJson } from "./common/count_rows.ts";
import { WIDTH, wrap } from "./common/layout.ts";
import { requireSince, requireTime } from "./common/values.ts";
import { withState } from "./common/open_state.ts";
import {
  type CommonOptions,
  print,
  printJson,
  printTable,
  type Subject,
  SUBJECTS,
  zoneText,
} from "./common/output.ts";
import { shareText, shownName } from "./common/words.ts";

/** Options of `top`. */
export interface TopOptions extends CommonOptions {
  readonly since?: string;
  readonly until?: string;
  readonly by?: Subject;
}

/** Rows of one table among several, and of a single table. */
const [FEW, MANY] = [5, 20];
/** Longest name in characters, so that a line keeps to 80. */
const NAME = 40;

interface Row extends CountRow {
  /** Lines that name an address; null: not counted. */
  readonly lines: number | null;
}

interface Top extends BanCount {
  /** Start of the counts; null: there are none. */
  readonly start: Micros | null;
  /** End of the counts if `--until` asks for one; null: now. */
  readonly end: Micros | null;
  readonly lines: number;
  readonly hits: number;
  readonly tables: readonly { readonly by: Subject; readonly rows: readonly Row[] }[];
}

/** `top`: prints top attackers of a time, what they tried, rules they hit, and bans. */
export function topCommand({ since = "24h", until, by, ...options }: TopOptions): number {
  const [from, to] = [requireSince(since), until === undefined ? undefined : requireTime(until)];
  if (to !== undefined && to <= from) {
    throw new UserError(`Cannot count from "${since}" until "${until}": the end must be later`, 64);
  }
  const top = withState(options, ({ rollups, history }): Top => {
    const { content, start, end: last } = rollups.since(from, to);
    // Lines count by hours: bans of the same time fit them.
    const end = to === undefined ? null : Math.max(to, last ?? 0);
    const time = { from: start ?? from, to: end ?? undefined };
    const bans = history.bansByProvenance(time);
    const most = by === undefined ? FEW : MANY;
    return {
      start,
      end,
      lines: totalCount(content.lines),
      hits: totalCount(content.hits),
      ...sumOfBans(bans),
      tables: (by === undefined ? SUBJECTS : [by]).map((by) => ({
        by,
        rows: rowsOf(by, { content, most, bans, history, time }),
      })),
    };
  });
  if (options.json) printJson(topJson(top, { from, to }));
  else printTop(top, from);
  return 0;
}

/** Of modules, those without hits have a row as well. */
function rowsOf(by: Subject, facts: CountFacts): Row[] {
  if (by !== "module") return countRows(by, facts).map((row) => ({ ...row, lines: null }));
  const [lines, hits] = [new Map(facts.content.lines), new Map(facts.content.hits)];
  const counts = Array.from(lines.keys(), (name) => [name, hits.get(name) ?? 0] as const);
  return countRows(by, facts, counts.toSorted(([, a], [, b]) => b - a))
    .map((row) => ({ ...row, lines: lines.get(row.name)! }));
}

function topJson({ start, end, lines, hits, made, ended, tables }: Top, { from, to }: Span): unknown {
  return {
    since: isoTime(from),
    until: isoTimeOrNull(to ?? null),
    start: isoTimeOrNull(start),
    end: isoTimeOrNull(end),
    lines,
    hits,
    bans_made: made,
    bans_ended: ended,
    tables: tables.map(({ by, rows }) => ({
      by,
      rows: rows.map((row) => ({ ...rowJson(row), lines: row.lines })),
    })),
  };
}

function printTop({ start, end, lines, hits, made, ended, tables }: Top, from: Micros): void {
  const until = end === null ? "" : ` until ${localTime(end)}`;
  if (start === null) print(`No line named an address since ${localTime(from)}${until}.`);
  else {
    const named = `${counted(lines, "line")} named an address, ${hits} of them hit a rule.`;
    wrap(`Since ${localTime(start)}${until}: ${named}`, WIDTH).forEach(print);
  }
  print(`${counted(made, "ban")} began, ${ended} ended. ${zoneText()}`);
  for (const { by, rows } of tables) {
    if (rows.length === 0) {
      if (tables.length === 1 && hits > 0) print(`None of the lines that hit a rule names a ${by}.`);
      continue;
    }
    print("");
    printTable(headingOf(by), rows.map((row) => cellsOf(by, row)));
  }
  const full = tables.length > 1 ? tables.find(({ rows }) => rows.length === FEW) : undefined;
  if (full === undefined) return;
  print("");
  print(`A table has ${FEW} rows at most here; \`--by ${full.by}\` shows that one with up to ${MANY}.`);
}

function headingOf(by: Subject): string[] {
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

function cellsOf(by: Subject, { name, lines, hits, share, made, ended }: Row): string[] {
  return [
    bounded(shownName(name), NAME),
    ...by === "module" ? [String(lines)] : [],
    String(hits),
    shareText(share),
    ...made === null ? [] : [String(made), String(ended)],
  ];
}
