/** Compares counts with the period before. */
import type { RollupContent } from "../../state/rollup.ts";
import { countsOf } from "../common/count_rows.ts";
import type { Change } from "./review.ts";
import { ORDER } from "./words.ts";

/** Most changes of one subject, and of all. */
const [FEW, MOST] = [3, 12];
/** Least change that is reported: number of hits, and factor. */
const [FEWEST_HITS, TIMES] = [10, 1.5];

/** Finds names whose counts changed much, greatest changes first. */
export function changesBetween(before: RollupContent, present: RollupContent): Change[] {
  return ORDER.flatMap((subject) => {
    const [old, fresh] = [new Map(countsOf(before, subject)), new Map(countsOf(present, subject))];
    const names = new Set([...old.keys(), ...fresh.keys()]);
    return [...names].map((name): Change => ({
      subject,
      name,
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
