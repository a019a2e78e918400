/** Compares counts with the period before. */
import type { RollupContent } from "../../state/rollup.ts";
import { type Change, type Subject, SUBJECTS } from "./review.ts";

/** Most changes of one subject, and of all. */
const [FEW, MOST] = [3, 12];
/** Least change that is reported: number of hits, and factor. */
const [FEWEST_HITS, TIMES] = [10, 1.5];

/** Returns a rollup's counts of a subject. */
export function countedOf(content: RollupContent, subject: Subject): RollupContent["hits"] {
  return content[subject === "module" ? "hits" : subject];
}

/** Finds names whose counts changed much, greatest changes first. */
export function changesBetween(before: RollupContent, present: RollupContent): Change[] {
  return SUBJECTS.flatMap((subject) => {
    const [old, fresh] = [before, present].map((content) => new Map(countedOf(content, subject))) as [
      Map<string, number>,
      Map<string, number>,
    ];
    const names = new Set([...old.keys(), ...fresh.keys()]);
    return [...names].map((name): Change => ({
      ...{ subject, name },
      before: old.get(name) ?? 0,
      hits: fresh.get(name) ?? 0,
    })).filter(isGreat).sort(byDifference).slice(0, FEW);
  }).sort(byDifference).slice(0, MOST);
}

function isGreat({ before, hits }: Change): boolean {
  const [less, more] = [Math.min(before, hits), Math.max(before, hits)];
  return more - less >= FEWEST_HITS && more >= TIMES * less;
}

function byDifference(a: Change, b: Change): number {
  return Math.abs(b.hits - b.before) - Math.abs(a.hits - a.before) || (a.name < b.name ? -1 : 1);
}
