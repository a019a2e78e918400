import type { Condition, LogEvent, Rule } from "../types.ts";

/** What of an event the rules look at. */
export type Subject = Pick<LogEvent, "message" | "fields">;

const NONE: readonly Rule[] = [];

/** Says which rules an event hits. Time is linear in the event's length, whatever the rules. */
export class Matcher {
  readonly #rules: readonly CompiledRule[];
  readonly #sieves: readonly Sieve[];
  /** Rules that no sieve holds back. */
  readonly #always: readonly CompiledRule[];

  constructor(rules: readonly Rule[]) {
    this.#rules = rules.map((rule) => new CompiledRule(rule));
    this.#always = this.#rules.filter(({ rule }) => !canBeSieved(rule));
    this.#sieves = buildSieves(this.#rules.filter(({ rule }) => canBeSieved(rule)));
  }

  /** The rules that an event hits, in configured order. */
  match(event: Subject): readonly Rule[] {
    const passed = this.#sieves.filter((sieve) => sieve.passes(event));
    if (passed.length === 0 && this.#always.length === 0) return NONE;
    const suspected = new Set([...this.#always, ...passed.flatMap(({ rules }) => rules)]);
    return this.#rules.filter((rule) => suspected.has(rule) && rule.isHitBy(event)).map(({ rule }) => rule);
  }
}

/** A rule with its texts made ready. */
class CompiledRule {
  readonly #condition: Test;
  readonly #except: readonly Test[];

  constructor(readonly rule: Rule) {
    this.#condition = rule.condition === null ? () => true : compile(rule.condition);
    this.#except = rule.except.map(compile);
  }

  isHitBy(event: Subject): boolean {
    return this.#hasStatus(event) && this.#condition(event) && !this.#except.some((test) => test(event));
  }

  #hasStatus({ fields }: Subject): boolean {
    return this.rule.status === null || this.rule.status.has(Number(fields.status));
  }
}

type Test = (event: Subject) => boolean;

function compile({ fields, mode, texts, ignoreCase }: Condition): Test {
  const finds = finder(mode, texts);
  return (event) =>
    fields.some((field) => {
      const text = textOf(event, { field, ignoreCase });
      return text !== null && finds(text);
    });
}

function finder(mode: Condition["mode"], texts: readonly string[]): (text: string) => boolean {
  if (mode === "start") return (text) => texts.some((sought) => text.startsWith(sought));
  if (mode === "anywhere") return (text) => texts.some((sought) => text.includes(sought));
  const expressions = texts.map((source) => new RegExp(source, "s"));
  return (text) => expressions.some((expression) => expression.test(text));
}

interface View {
  readonly field: string;
  readonly ignoreCase: boolean;
}

/** A field's text as conditions see it; null where the event has none. */
function textOf({ message, fields }: Subject, { field, ignoreCase }: View): string | null {
  const text: unknown = field === "message" ? message : fields[field];
  if (typeof text !== "string") return null;
  return ignoreCase ? text.toLowerCase() : text;
}

/**
 * One expression of all that is sought in one field: it turns most events away in a single pass, however many
 * rules there are.
 */
class Sieve {
  readonly #any: RegExp;

  constructor(readonly view: View, readonly rules: readonly CompiledRule[]) {
    const conditions = rules.map(({ rule }) => rule.condition!);
    const sought = (mode: Condition["mode"]) =>
      conditions.filter((condition) => condition.mode === mode).flatMap(({ texts }) => texts);
    const starts = sought("start");
    const parts = [
      ...(starts.length > 0 ? [`^(?:${starts.map(literal).join("|")})`] : []),
      ...sought("anywhere").map(literal),
      ...sought("regex").map((source) => `(?:${withoutNames(source)})`),
    ];
    this.#any = new RegExp(parts.join("|"), "s");
  }

  passes(event: Subject): boolean {
    const text = textOf(event, this.view);
    return text !== null && this.#any.test(text);
  }
}

function buildSieves(rules: readonly CompiledRule[]): Sieve[] {
  const views = new Map<string, { view: View; rules: CompiledRule[] }>();
  for (const compiled of rules) {
    const { fields, ignoreCase } = compiled.rule.condition!;
    for (const field of fields) {
      const key = `${ignoreCase} ${field}`;
      const entry = views.get(key) ?? { view: { field, ignoreCase }, rules: [] };
      entry.rules.push(compiled);
      views.set(key, entry);
    }
  }
  return [...views.values()].map(({ view, rules }) => new Sieve(view, rules));
}

/** Whether a rule seeks something that may be sought together with others: groups that are referred to may not. */
function canBeSieved({ condition }: Rule): boolean {
  return condition !== null &&
    !condition.texts.some((text) => condition.mode === "regex" && /\\(?:k<|[1-9])/.test(text));
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");
}

/** Groups of the same name may not meet in one expression. */
function withoutNames(source: string): string {
  return source.replace(/(\\.|\[(?:[^\]\\]|\\.)*\])|\(\?<(?![=!])[^>]*>/gs, (_, other) => other ?? "(");
}
