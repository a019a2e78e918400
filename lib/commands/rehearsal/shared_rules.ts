/**
 * The rules of one configuration, or of two that read lines alike, for one engine. Rules of both
 * that count alike are one rule there, whatever their names and bans. Pure.
 */
import type { Config } from "../../config/types.ts";
import { reasonOf } from "../../rules/note_plan.ts";
import type { ModuleRules, Rule, Trip } from "../../rules/rule.ts";

/** The rules of each configuration that one rule of the engine counts for; null: it has none. */
export type SharedRule = readonly (Rule | null)[];

/** Reports whether one engine can read lines, and count addresses, for two configurations. */
export function readsAlike(before: Config, after: Config): boolean {
  return readingOf(before) === readingOf(after);
}

function readingOf({ modules, ipv6Prefix }: Config): string {
  const readings = modules.map(({ module: { form: _, zone, ...others } }) => ({
    ...others,
    zone: zone?.name,
  }));
  return JSON.stringify([ipv6Prefix, readings]);
}

/** Reports whether logins protect alike by two configurations. */
export function trustsAlike(
  { trust: one }: Pick<Config, "trust">,
  { trust: other }: Pick<Config, "trust">,
): boolean {
  const textOf = (trust: Config["trust"]) =>
    JSON.stringify(trust && { ...trust, methods: [...trust.methods] });
  return textOf(one) === textOf(other);
}

/** Rules for one engine, named by their numbers in their module. */
export class SharedRules {
  readonly modules: readonly ModuleRules[];
  /** By name of the module. */
  readonly #shared = new Map<string, readonly SharedRule[]>();

  /** @param configs one, or two that read alike */
  constructor(configs: readonly Pick<Config, "modules" | "trust">[]) {
    const [first, second] = configs;
    this.modules = first!.modules.map((one, i) => {
      const shared = second === undefined
        ? one.rules.map((rule) => [rule])
        // The engine asks how lenient it is to be with each rule.
        : mergeRules(one.rules, second.modules[i]!.rules, { mayShare: trustsAlike(first!, second) });
      this.#shared.set(one.module.name, shared);
      const rules = shared.map((rule, number) => ({
        ...rule.find((one) => one !== null)!,
        name: `${number}`,
      }));
      return { ...one, rules };
    });
  }

  /** Returns the rules that a rule of the engine counts for. */
  of(module: string, rule: string): SharedRule {
    return this.#shared.get(module)![Number(rule)]!;
  }

  /** Returns a trip of the engine as that of a configuration by its number; null: it has no such rule. */
  tripOf(trip: Trip, config: number): Trip | null {
    const rule = this.of(trip.module, trip.rule)[config]!;
    if (rule === null) return null;
    const { name, banTime, growth, scope } = rule;
    return { ...trip, rule: name, reason: reasonOf(trip.module, name), banTime, growth, scope };
  }
}

/**
 * Merges the rules of two configurations, each in its order. Two rules that count alike become one,
 * unless others that do stand the other way round.
 */
export function mergeRules(
  first: readonly Rule[],
  second: readonly Rule[],
  { mayShare = true } = {},
): SharedRule[] {
  const merged: SharedRule[] = [];
  let next = 0;
  for (const rule of first) {
    const counting = countingOf(rule);
    const alike = mayShare ? second.findIndex((other, i) => i >= next && countingOf(other) === counting) : -1;
    if (alike < 0) merged.push([rule, null]);
    else {
      for (; next < alike; next++) merged.push([null, second[next]!]);
      merged.push([rule, second[next++]!]);
    }
  }
  return [...merged, ...second.slice(next).map((rule) => [null, rule])];
}

/** Returns as text the parts of a rule that decide on its hits and trips. */
function countingOf({ condition, status, except, distinct, limit, window }: Rule): string {
  return JSON.stringify([condition, status && [...status], except, distinct, limit, window]);
}
