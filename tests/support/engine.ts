/** Engines for tests, of a module with three fields, and a state in memory for their notes. */
import { SECOND } from "../../lib/core/time.ts";
import type { RuledModule } from "../../lib/rules/counted_module.ts";
import { Engine, type EngineOptions } from "../../lib/rules/engine.ts";
import type { BatchNotes, NoteRow, StoredNotes } from "../../lib/rules/note_batch.ts";
import type { Rule, Trip } from "../../lib/rules/rule.ts";
import type { StoredGroup } from "../../lib/rules/rule_groups.ts";
import { eventOf, type Said } from "./events.ts";
import { condition, rule as anyRule } from "./helpers.ts";

export const FIELDS = ["message", "user", "path"];
/** Room for a few addresses, which is allocated faster than for a million. */
export const ROOM = { addresses: 100, bytes: 96 };
export const NOW = 2_000 * SECOND;

export const rule = (over: Partial<Rule> = {}) =>
  anyRule({ name: "invalid", condition: condition({ texts: ["Invalid user"] }), limit: 2, ...over });

export const moduleOf = (rules: readonly Rule[], name = "SSHD"): RuledModule => ({
  name,
  rules,
  form: { fields: FIELDS, literals: [] },
});

export const engineOf = (rules: readonly Rule[], options: EngineOptions = {}) =>
  new Engine([moduleOf(rules)], { room: ROOM, ...options });

export function add(engine: Engine, said: Said = {}): Trip[] {
  engine.add(eventOf({ message: "Invalid user x", time: 1_000 * SECOND, ...said }, FIELDS));
  return engine.takeTrips();
}

/** Returns the number of hits since the last call. */
export function takeHits(engine: Engine): number {
  return engine.takeRuleHits().reduce((sum, { count }) => sum + count, 0);
}

/** A state in memory. */
export class Store implements StoredNotes {
  readonly seed = 7;
  readonly #groups = new Map<number, string>();
  rows: NoteRow[] = [];

  add({ groups, forgotten, rows }: BatchNotes): void {
    for (const { number, rules } of groups) this.#groups.set(number, rules);
    if (forgotten) this.rows.push({ until: null, content: forgotten });
    this.rows.push(...rows);
  }

  groups(): StoredGroup[] {
    return [...this.#groups].map(([number, rules]) => ({ number, rules }));
  }

  loseGroups(): void {
    this.#groups.clear();
  }

  contents(): Uint8Array[] {
    return this.rows.map(({ content }) => content);
  }
}
