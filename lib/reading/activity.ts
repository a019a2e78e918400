/**
 * Activity of modules and rules: when each last saw a line or a hit, and how many lines each module
 * understood. In: records, hits, commits. Out: `ModuleActivity` for `status`, which shows a changed
 * log format.
 */
import { type Micros, MINUTE } from "../core/time.ts";

/** A rule's last hit, in microseconds since the epoch; null: never hit. Its hits since the start. */
export interface RuleActivity {
  readonly name: string;
  readonly lastHit: Micros | null;
  readonly hits: number;
}

/** A module's last line and hit, and how many lines it understood. */
export interface ModuleActivity {
  readonly name: string;
  readonly lastLine: Micros | null;
  readonly lastHit: Micros | null;
  /** Lines of the last hour. `understood` is the part of them that the module understood. */
  readonly lines: number;
  readonly understood: number;
  readonly rules: readonly RuleActivity[];
}

/** Lines that a module read since the start, and hits that its rules counted. */
export interface ModuleTotals {
  readonly name: string;
  readonly lines: number;
  /** Lines that the module understood. */
  readonly understood: number;
  readonly hits: readonly { readonly rule: string; readonly count: number }[];
}

/** Lines and hits since the start by module, in which one `Activity` after the other counts on. */
export type CountsByModule = Map<string, ModuleCounts>;

interface ModuleCounts {
  lines: number;
  understood: number;
  readonly hits: Map<string, number>;
}

/** A module with the names of its rules. */
export interface ActiveModule {
  readonly name: string;
  readonly rules: readonly string[];
}

const MINUTES = 60;
/** Fewest lines in an hour that prove anything. */
const ENOUGH = 20;

/**
 * Reports whether a module understood less than half of its lines: the log's format must have
 * changed.
 */
export function hasUnknownFormat(
  { lines, understood }: Pick<ModuleActivity, "lines" | "understood">,
): boolean {
  return lines >= ENOUGH && understood * 2 < lines;
}

/** Remembers the last line and hit of each module and rule. Modules are known by their index. */
export class Activity {
  readonly #modules: readonly ModuleMemory[];

  /**
   * @param before result of an earlier `report()`, to go on from
   * @param counts of earlier ones, to go on from
   */
  constructor(
    modules: readonly ActiveModule[],
    { before = [], counts = new Map() }: {
      before?: readonly ModuleActivity[];
      counts?: CountsByModule;
    } = {},
  ) {
    this.#modules = modules.map((module) => {
      const { name } = module;
      const all = counts.get(name) ?? { lines: 0, understood: 0, hits: new Map() };
      counts.set(name, all);
      return new ModuleMemory(module, { all, before: before.find((other) => other.name === name) });
    });
  }

  /** Counts a record that was written at `time`. `report()` shows it after the next commit. */
  addLine(module: number, isUnderstood: boolean, time: Micros): void {
    this.#modules[module]!.addLine(isUnderstood, time);
  }

  /** Counts records since the last commit as of `now`. Returns how many no module understood. */
  commit(now: Micros): number {
    let unknown = 0;
    for (const module of this.#modules) unknown += module.commit(now);
    return unknown;
  }

  /** Forgets the records since the last commit: they are read again. */
  reset(): void {
    for (const module of this.#modules) module.reset();
  }

  /** Counts hits of a rule; `time` is that of the newest line. */
  addHits(module: string, rule: string, { time, count }: { time: Micros; count: number }): void {
    this.#modules.find(({ name }) => name === module)?.addHits(rule, { time, count });
  }

  /** Returns the activity at `now`, in configured order. */
  report(now: Micros): ModuleActivity[] {
    return this.#modules.map((module) => module.report(now));
  }

  /** Returns all lines and hits since the start, in configured order. */
  totals(): ModuleTotals[] {
    return this.#modules.map((module) => module.totals());
  }
}

class ModuleMemory {
  readonly name: string;
  /** Time of the newest line; 0 before the first. */
  #lastLine: Micros;
  readonly #lastHits: Map<string, Micros | null>;
  /** Lines of each minute, and understood ones, by the minute's number since the epoch. */
  readonly #minutes = new Map<number, { lines: number; understood: number }>();
  /** Lines since the last commit, and the time of the newest. */
  #lines = 0;
  #understood = 0;
  #newest: Micros = 0;
  /** Counts since the start. */
  readonly #all: ModuleCounts;

  constructor(
    { name, rules }: ActiveModule,
    { all, before }: { all: ModuleCounts; before: ModuleActivity | undefined },
  ) {
    this.name = name;
    this.#all = all;
    this.#lastLine = before?.lastLine ?? 0;
    const lastHit = (rule: string) => before?.rules.find(({ name }) => name === rule)?.lastHit ?? null;
    this.#lastHits = new Map(rules.map((rule) => [rule, lastHit(rule)]));
  }

  addLine(isUnderstood: boolean, time: Micros): void {
    this.#lines++;
    if (isUnderstood) this.#understood++;
    if (time > this.#newest) this.#newest = time;
  }

  commit(now: Micros): number {
    if (this.#lines === 0) return 0;
    this.#lastLine = Math.max(this.#lastLine, this.#newest);
    const unknown = this.#lines - this.#understood;
    const key = Math.floor(now / MINUTE);
    const minute = this.#minutes.get(key) ?? { lines: 0, understood: 0 };
    minute.lines += this.#lines;
    minute.understood += this.#understood;
    this.#all.lines += this.#lines;
    this.#all.understood += this.#understood;
    this.#minutes.set(key, minute);
    this.reset();
    return unknown;
  }

  reset(): void {
    this.#lines = this.#understood = this.#newest = 0;
  }

  addHits(rule: string, { time, count }: { time: Micros; count: number }): void {
    this.#lastHits.set(rule, Math.max(this.#lastHits.get(rule) ?? 0, time));
    this.#all.hits.set(rule, (this.#all.hits.get(rule) ?? 0) + count);
  }

  totals(): ModuleTotals {
    const { lines, understood, hits } = this.#all;
    const byRule = [...this.#lastHits.keys()].map((rule) => ({ rule, count: hits.get(rule) ?? 0 }));
    return { name: this.name, lines, understood, hits: byRule };
  }

  report(now: Micros): ModuleActivity {
    for (const key of this.#minutes.keys()) {
      if (key <= Math.floor(now / MINUTE) - MINUTES) this.#minutes.delete(key);
    }
    const minutes = [...this.#minutes.values()];
    const hits = [...this.#lastHits.values()].filter((time) => time !== null);
    return {
      name: this.name,
      lastLine: this.#lastLine || null,
      lastHit: hits.length > 0 ? Math.max(...hits) : null,
      lines: minutes.reduce((sum, { lines }) => sum + lines, 0),
      understood: minutes.reduce((sum, { understood }) => sum + understood, 0),
      rules: [...this.#lastHits].map(([name, lastHit]) => ({
        name,
        lastHit,
        hits: this.#all.hits.get(name) ?? 0,
      })),
    };
  }
}
