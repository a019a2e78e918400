/** What changed against the period before. */
import type { RollupContent } from "../../state/rollup.ts";
import { type Change, type Subject, SUBJECTS } from "./review.ts";

/** Changes of one subject, and of all, that are told. */
const [FEW, MOST] = [3, 12];
/** A change that is told: so many hits, and so many times as many or as few. */
const [FEWEST_HITS, TIMES] = [10, 1.5];

/** The kind of a rollup's counts that is of a subject. */
export function countedOf(content: RollupContent, subject: Subject): RollupContent["hits"] {
  return content[subject === "module" ? "hits" : subject];
}

/** Finds what came much more or much less than before, the greatest changes first. */
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
