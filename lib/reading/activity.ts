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

/** Lines, and how many of them their module understood. */
interface LineCounts {
  lines: number;
  understood: number;
}

interface ModuleCounts extends LineCounts {
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

/** What is remembered of a module. */
interface ModuleMemory {
  readonly name: string;
  /** Time of the newest line; 0 before the first. */
  lastLine: Micros;
  /** By rule; null: never. */
  readonly lastHits: Map<string, Micros | null>;
  /** Lines of each minute, and understood ones, by the minute's number since the epoch. */
  readonly minutes: Map<number, LineCounts>;
  /** Lines since the last commit, and the time of the newest. */
  readonly fresh: LineCounts & { newest: Micros };
  readonly all: ModuleCounts;
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
    this.#modules = modules.map(({ name, rules }) => {
      const all = counts.get(name) ?? { lines: 0, understood: 0, hits: new Map() };
      counts.set(name, all);
      const known = before.find((other) => other.name === name);
      const lastHit = (rule: string) => known?.rules.find(({ name }) => name === rule)?.lastHit ?? null;
      return {
        name,
        lastLine: known?.lastLine ?? 0,
        lastHits: new Map(rules.map((rule) => [rule, lastHit(rule)])),
        minutes: new Map(),
        fresh: { lines: 0, understood: 0, newest: 0 },
        all,
      };
    });
  }

  /** Counts a record that was written at `time`. `report()` shows it after the next commit. */
  addLine(module: number, isUnderstood: boolean, time: Micros): void {
    const { fresh } = this.#modules[module]!;
    fresh.lines++;
    if (isUnderstood) fresh.understood++;
    if (time > fresh.newest) fresh.newest = time;
  }

  /** Counts records since the last commit as of `now`. Returns how many no module understood. */
  commit(now: Micros): number {
    let unknown = 0;
    const key = Math.floor(now / MINUTE);
    for (const module of this.#modules) {
      const { fresh, minutes, all } = module;
      if (fresh.lines === 0) continue;
      unknown += fresh.lines - fresh.understood;
      module.lastLine = Math.max(module.lastLine, fresh.newest);
      const minute = minutes.get(key) ?? { lines: 0, understood: 0 };
      minutes.set(key, minute);
      for (const counts of [minute, all]) {
        counts.lines += fresh.lines;
        counts.understood += fresh.understood;
      }
    }
    this.reset();
    return unknown;
  }

  /** Forgets the records since the last commit: they are read again. */
  reset(): void {
    for (const { fresh } of this.#modules) fresh.lines = fresh.understood = fresh.newest = 0;
  }

  /** Counts hits of a rule; `time` is that of the newest line. */
  addHits(module: string, rule: string, { time, count }: { time: Micros; count: number }): void {
    const found = this.#modules.find(({ name }) => name === module);
    if (found === undefined) return;
    const { lastHits, all } = found;
    lastHits.set(rule, Math.max(lastHits.get(rule) ?? 0, time));
    all.hits.set(rule, (all.hits.get(rule) ?? 0) + count);
  }

  /** Returns the activity at `now`, in configured order. */
  report(now: Micros): ModuleActivity[] {
    const first = Math.floor(now / MINUTE) - MINUTES + 1;
    return this.#modules.map(({ name, lastLine, lastHits, minutes, all }) => {
      const hour = { lines: 0, understood: 0 };
      for (const [minute, { lines, understood }] of minutes) {
        if (minute < first) minutes.delete(minute);
        else {
          hour.lines += lines;
          hour.understood += understood;
        }
      }
      const rules = [...lastHits].map(([name, lastHit]) => ({
        name,
        lastHit,
        hits: all.hits.get(name) ?? 0,
      }));
      const lastHit = Math.max(0, ...rules.map(({ lastHit }) => lastHit ?? 0)) || null;
      return { name, lastLine: lastLine || null, lastHit, ...hour, rules };
    });
  }

  /** Returns all lines and hits since the start, in configured order. */
  totals(): ModuleTotals[] {
    return this.#modules.map(({ name, lastHits, all: { lines, understood, hits } }) => ({
      name,
      lines,
      understood,
      hits: [...lastHits.keys()].map((rule) => ({ rule, count: hits.get(rule) ?? 0 })),
    }));
  }
}
