/** The rows of the tables of `top` and `report`. */
import {
  type BanCount,
  type History,
  type ProvenanceCount,
  type Span,
  sumOfBans,
} from "../../state/history.ts";
import { type Counted, type RollupContent, totalCount } from "../../state/rollup.ts";
import type { Subject } from "./output.ts";

/** A counted name. */
export interface CountRow {
  readonly name: string;
  /** Lines that hit any rule; for a rule its hits. */
  readonly hits: number;
  /** Share of all hits, from 0 to 1. */
  readonly share: number;
  /** Bans that began and ended; null: nobody bans such names. */
  readonly made: number | null;
  readonly ended: number | null;
}

/** Input of `countRows()`. */
export interface CountFacts {
  readonly content: RollupContent;
  readonly most: number;
  /** Bans of the time, by provenance. */
  readonly bans: readonly ProvenanceCount[];
  readonly history: History;
  readonly time: Span;
}

/** Returns a rollup's counts of the table `by`. */
export function countsOf(content: RollupContent, by: Subject): Counted {
  return content[by === "module" ? "hits" : by];
}

/** Returns the first rows of the table `by`. `counts` replaces those of the rollup. */
export function countRows(by: Subject, facts: CountFacts, counts = countsOf(facts.content, by)): CountRow[] {
  const { content, most, bans, history, time } = facts;
  const total = totalCount(by === "rule" ? content.rule : content.hits);
  const shown = counts.slice(0, most);
  const bansOf = banCounter(by, { names: shown.map(([name]) => name), bans, history, time });
  return shown.map(([name, hits]) => ({
    name,
    hits,
    share: total === 0 ? 0 : hits / total,
    ...bansOf(name),
  }));
}

/** Returns a row as JSON. */
export function rowJson({ name, hits, share, made, ended }: CountRow) {
  return { name, hits, share: Math.round(share * 10_000) / 10_000, bans_made: made, bans_ended: ended };
}

/** Returns a function that counts the bans of one name in the table `by`. */
function banCounter(
  by: Subject,
  { names, bans, history, time }: Omit<CountFacts, "content" | "most"> & { names: readonly string[] },
): (name: string) => BanCount | Record<keyof BanCount, null> {
  if (by === "user" || by === "path") return () => ({ made: null, ended: null });
  if (by === "network") return (name) => history.bansWithin(name, time);
  if (by === "address") {
    const found = history.bansOfEach(names, time);
    return (name) => found.get(name)!;
  }
  const ofRules = bans.filter(({ provenance }) => provenance.kind === "rule");
  return (name) =>
    sumOfBans(
      ofRules.filter(({ provenance }) =>
        by === "rule" ? provenance.name === name : provenance.name.startsWith(`${name} `)
      ),
    );
}
