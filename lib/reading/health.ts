import type { Micros } from "../core/time.ts";

/** How recently a rule was hit; instants in microseconds, null: never. */
export interface RuleFreshness {
  readonly name: string;
  readonly lastHit: Micros | null;
}

/** How recently a module saw something, and how much of it it understood. */
export interface ModuleFreshness {
  readonly name: string;
  readonly lastLine: Micros | null;
  readonly lastHit: Micros | null;
  /** Lines of the last hour, and how many of them it understood. */
  readonly lines: number;
  readonly understood: number;
  readonly rules: readonly RuleFreshness[];
}

/** Lines of a module that came together. */
export interface SeenLines {
  readonly lines: number;
  readonly understood: number;
  /** When the newest was written. */
  readonly latest: Micros;
}

const MINUTE: Micros = 60_000_000;
const MINUTES = 60;
/** Fewer lines than this in an hour prove nothing. */
const ENOUGH = 20;

/** Whether a module understands so little of what it sees that the format must have changed. */
export function isEstranged({ lines, understood }: Pick<ModuleFreshness, "lines" | "understood">): boolean {
  return lines >= ENOUGH && understood * 2 < lines;
}

/** A module with the names of its rules. */
export interface HealthSubject {
  readonly name: string;
  readonly rules: readonly string[];
}

/** Remembers when each module and each rule last saw something. */
export class Freshness {
  readonly #modules: ReadonlyMap<string, ModuleMemory>;

  /** @param before what was told earlier, to go on from */
  constructor(modules: readonly HealthSubject[], before: readonly ModuleFreshness[] = []) {
    this.#modules = new Map(
      modules.map(({ name, rules }) => [
        name,
        new ModuleMemory(rules, before.find((module) => module.name === name)),
      ]),
    );
  }

  /** Lines of `module` came at `now`, the newest written at `latest`. */
  lines(module: string, lines: SeenLines, now: Micros): void {
    this.#modules.get(module)?.see(lines, now);
  }

  /** A rule of `module` was hit by a line written at `time`. */
  hit(module: string, rule: string, time: Micros): void {
    this.#modules.get(module)?.hit(rule, time);
  }

  /** What there is to tell at `now`, in configured order. */
  report(now: Micros): ModuleFreshness[] {
    return [...this.#modules].map(([name, memory]) => ({ name, ...memory.report(now) }));
  }
}

class ModuleMemory {
  #lastLine: Micros | null;
  readonly #lastHits: Map<string, Micros | null>;
  /** Lines and understood ones of each minute, by its number since the epoch. */
  readonly #minutes = new Map<number, { lines: number; understood: number }>();

  constructor(rules: readonly string[], before?: ModuleFreshness) {
    this.#lastLine = before?.lastLine ?? null;
    const lastHit = (rule: string) => before?.rules.find(({ name }) => name === rule)?.lastHit ?? null;
    this.#lastHits = new Map(rules.map((rule) => [rule, lastHit(rule)]));
  }

  see({ lines, understood, latest }: SeenLines, now: Micros): void {
    this.#lastLine = later(this.#lastLine, latest);
    const key = Math.floor(now / MINUTE);
    const minute = this.#minutes.get(key) ?? { lines: 0, understood: 0 };
    minute.lines += lines;
    minute.understood += understood;
    this.#minutes.set(key, minute);
  }

  hit(rule: string, time: Micros): void {
    this.#lastHits.set(rule, later(this.#lastHits.get(rule) ?? null, time));
  }

  report(now: Micros): Omit<ModuleFreshness, "name"> {
    for (const key of this.#minutes.keys()) {
      if (key <= Math.floor(now / MINUTE) - MINUTES) this.#minutes.delete(key);
    }
    const minutes = [...this.#minutes.values()];
    return {
      lastLine: this.#lastLine,
      lastHit: [...this.#lastHits.values()].reduce(later, null),
      lines: minutes.reduce((sum, { lines }) => sum + lines, 0),
      understood: minutes.reduce((sum, { understood }) => sum + understood, 0),
      rules: [...this.#lastHits].map(([name, lastHit]) => ({ name, lastHit })),
    };
  }
}

function later(a: Micros | null, b: Micros | null): Micros | null {
  return a === null || (b !== null && b > a) ? b : a;
}
