/** Hits by weekday and hour of local time. */
// @ts-types="npm:@types/d3-array@^3.2.1"
import { sum } from "d3-array";
import { HOUR, type Micros, MILLISECOND, WEEK } from "../../core/time.ts";
import type { RollupRow } from "../../state/rollup_table.ts";
import type { Period } from "./series.ts";

const [DAYS, HOURS] = [7, 24];

/** Counts hits of the last seven days by weekday and hour. */
export class HeatBuilder {
  readonly #from: Micros;
  readonly #cells: (number | null)[][];

  constructor({ from, to }: Period) {
    const last = to - to % HOUR;
    this.#from = Math.max(from, last - WEEK + HOUR);
    this.#cells = Array.from({ length: DAYS }, () => Array.from({ length: HOURS }, () => null));
    for (let hour = this.#from; hour <= last; hour += HOUR) this.#add(hour, 0);
  }

  /** Counts a row of an hour; rows of whole days lack hours. */
  add({ span, start, content }: RollupRow): void {
    if (span !== HOUR || start < this.#from) return;
    this.#add(start, sum(content.hits, ([, count]) => count));
  }

  /** By weekday from Monday and hour; null: the period has no such hour. */
  cells(): readonly (readonly (number | null)[])[] {
    return this.#cells;
  }

  #add(time: Micros, hits: number): void {
    const date = new Date(time / MILLISECOND);
    const day = this.#cells[(date.getDay() + 6) % DAYS]!;
    day[date.getHours()] = (day[date.getHours()] ?? 0) + hits;
  }
}
