/** Counts hits over time. Input: rows of hours, and of days for older times. Output: bars. */
// @ts-types="npm:@types/d3-array@^3.2.1"
import { bisectRight, sum } from "d3-array";
// @ts-types="npm:@types/d3-time@^3.0.4"
import { timeDay, timeHour, timeMonday } from "d3-time";
import { DAY, HOUR, type Micros, MILLISECOND } from "../../core/time.ts";
import type { RollupRow } from "../../state/rollup_table.ts";

/** Half open: excludes `to`. */
export interface Period {
  readonly from: Micros;
  readonly to: Micros;
}

/** Hits and bans of one bar. */
export interface Bar {
  readonly start: Micros;
  /** By module, in the order of `Series.modules`. */
  readonly hits: readonly number[];
  /** Bans that began. */
  readonly bans: number;
}

/** Hits of a period over time. */
export interface Series {
  readonly unit: "hour" | "six hours" | "day" | "week";
  /** Most hits first. */
  readonly modules: readonly string[];
  readonly bars: readonly Bar[];
}

/** A length of bars: its longest period, and its steps in local time. */
const UNITS = [
  { unit: "hour", most: 2 * DAY, steps: timeHour },
  { unit: "six hours", most: 8 * DAY, steps: timeHour.every(6)! },
  { unit: "day", most: 100 * DAY, steps: timeDay },
  { unit: "week", most: Infinity, steps: timeMonday },
] as const;
/** Most modules with own colours. The last colour stands for all others. */
const MOST_MODULES = 6;
const OTHERS = "others";

/** Counts hits and bans into bars. */
export class SeriesBuilder {
  readonly #unit: Series["unit"];
  /** In milliseconds. */
  readonly #starts: readonly number[];
  readonly #hits: readonly Map<string, number>[];
  readonly #bans: number[];
  readonly #sums = new Map<string, number>();

  constructor({ from, to }: Period) {
    const { unit, steps } = UNITS.find(({ most }) => to - from <= most)!;
    this.#unit = unit;
    const first = steps.floor(new Date(from / MILLISECOND));
    this.#starts = steps.range(first, new Date(to / MILLISECOND)).map(Number);
    this.#hits = this.#starts.map(() => new Map());
    this.#bans = this.#starts.map(() => 0);
  }

  /** Counts a row of an hour or day at its middle. */
  add({ span, start, content }: RollupRow): void {
    const hits = this.#hits[this.#at(start + span / 2)];
    if (hits === undefined) return;
    for (const [module, count] of content.hits) {
      hits.set(module, (hits.get(module) ?? 0) + count);
      this.#sums.set(module, (this.#sums.get(module) ?? 0) + count);
    }
  }

  addBans({ hour, made }: { hour: Micros; made: number }): void {
    const at = this.#at(hour + HOUR / 2);
    if (at in this.#bans) this.#bans[at]! += made;
  }

  /** Returns all bars, including those without hits. */
  series(): Series {
    const all = [...this.#sums.keys()].toSorted((a, b) => this.#sums.get(b)! - this.#sums.get(a)!);
    const isMany = all.length > MOST_MODULES;
    const named = isMany ? all.slice(0, MOST_MODULES - 1) : all;
    const bars = this.#starts.map((start, i): Bar => {
      const of = (module: string) => this.#hits[i]!.get(module) ?? 0;
      const others = sum(all.slice(named.length), of);
      return {
        start: start * MILLISECOND,
        hits: [...named.map(of), ...isMany ? [others] : []],
        bans: this.#bans[i]!,
      };
    });
    return { unit: this.#unit, modules: [...named, ...isMany ? [OTHERS] : []], bars };
  }

  /** Returns the index of a time's bar; -1: before the first. */
  #at(time: Micros): number {
    return bisectRight(this.#starts, time / MILLISECOND) - 1;
  }
}
