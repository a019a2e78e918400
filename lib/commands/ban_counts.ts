/** Counts bans by what else is counted by name. Comes in: bans by who banned. Goes out: how many are of a name. */
import type { Micros } from "../core/time.ts";
import type { BanCount, History, ProvenanceCount } from "../state/history.ts";
import type { TOP_TABLES } from "./output.ts";

/** Bans of a name that began and ended; null: bans are not of such a thing. */
export interface BansOfName {
  readonly made: number | null;
  readonly ended: number | null;
}

/** What `bansTold()` goes by. */
export interface BanFacts {
  /** The names that will be asked for. */
  readonly names: readonly string[];
  /** Bans since `since`, by who banned. */
  readonly bans: readonly ProvenanceCount[];
  readonly history: History;
  readonly since: Micros;
}

/** Tells how many bans are of a name in the table `by`. */
export function bansTold(
  by: typeof TOP_TABLES[number],
  { names, bans, history, since }: BanFacts,
): (name: string) => BansOfName {
  if (by === "user" || by === "path") return () => ({ made: null, ended: null });
  if (by === "network") return (name) => history.bansWithin(name, since);
  if (by === "address") {
    const found = history.bansOfEach(names, since);
    return (name) => found.get(name) ?? { made: 0, ended: 0 };
  }
  const ofRules = bans.filter(({ provenance }) => provenance.kind === "rule");
  return (name) => {
    const own = ofRules.filter(({ provenance }) =>
      by === "rule" ? provenance.name === name : provenance.name.startsWith(`${name} `)
    );
    return totalOf(own);
  };
}

/** All bans of several who banned. */
export function totalOf(bans: readonly BanCount[]): BanCount {
  return {
    made: bans.reduce((all, { made }) => all + made, 0),
    ended: bans.reduce((all, { ended }) => all + ended, 0),
  };
}
