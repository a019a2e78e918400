/** Counts the bans of each row of a table of `top` or `report`. */
import type { Micros } from "../core/time.ts";
import type { BanCount, History, ProvenanceCount } from "../state/history.ts";
import type { TOP_TABLES } from "./output.ts";

/** Bans that began and ended for one name; null: nobody bans such names. */
export interface BansOfName {
  readonly made: number | null;
  readonly ended: number | null;
}

/** Input of `banCounter()`. */
export interface BanFacts {
  /** Names of the table's rows. */
  readonly names: readonly string[];
  /** Bans since `since`, by provenance. */
  readonly bans: readonly ProvenanceCount[];
  readonly history: History;
  readonly since: Micros;
}

/** Returns a function that counts the bans of one name in the table `by`. */
export function banCounter(
  by: typeof TOP_TABLES[number],
  { names, bans, history, since }: BanFacts,
): (name: string) => BansOfName {
  if (by === "user" || by === "path") return () => ({ made: null, ended: null });
  if (by === "network") return (name) => history.bansWithin(name, since);
  if (by === "address") {
    const found = history.bansOfEach(names, since);
    return (name) => found.get(name)!;
  }
  const ofRules = bans.filter(({ provenance }) => provenance.kind === "rule");
  return (name) => {
    const own = ofRules.filter(({ provenance }) =>
      by === "rule" ? provenance.name === name : provenance.name.startsWith(`${name} `)
    );
    return totalOf(own);
  };
}

/** Sums counts of bans. */
export function totalOf(bans: readonly BanCount[]): BanCount {
  return {
    made: bans.reduce((all, { made }) => all + made, 0),
    ended: bans.reduce((all, { ended }) => all + ended, 0),
  };
}
