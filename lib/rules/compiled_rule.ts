import type { Condition, Rule } from "./rule.ts";
import { requiredLiterals } from "./literals.ts";
import { type Subject, textOf } from "./views.ts";

/** Texts, and where one of them is sought; those of an expression may stand anywhere. */
export type Sought = Condition;

/** A rule made ready: what signs tell is found by all together, what is left is asked of it alone. */
export class CompiledRule<R extends Rule> {
  /** Texts of which one must stand in one of the condition's fields; null: no text is needed. */
  readonly texts: Sought | null;
  /** Texts of which none may. */
  readonly without: readonly Sought[];
  /** Expressions that signs cannot tell: the condition's, and those of exceptions. */
  readonly #condition: Test | null;
  readonly #except: readonly Test[];

  constructor(readonly rule: R) {
    const { condition, except } = rule;
    const texts = condition && textsOf(condition);
    this.texts = texts && { ...condition!, texts };
    this.without = except.filter(({ mode }) => mode !== "regex");
    this.#condition = condition?.mode === "regex" ? compile(condition) : null;
    this.#except = except.filter(({ mode }) => mode === "regex").map(compile);
  }

  /** Whether an event that shows the right signs is a hit, whatever else it says. */
  get isSure(): boolean {
    return this.#condition === null && this.#except.length === 0;
  }

  /** Whether an event that shows the right signs hits the rule. */
  isHitBy(event: Subject): boolean {
    return (this.#condition === null || this.#condition(event)) && !this.#except.some((test) => test(event));
  }
}

function textsOf({ mode, texts }: Condition): readonly string[] | null {
  if (mode !== "regex") return texts;
  const needed = texts.map(requiredLiterals);
  return needed.includes(null) ? null : needed.flatMap((literals) => literals!);
}

type Test = (event: Subject) => boolean;

function compile({ fields, texts, ignoreCase }: Condition): Test {
  const expressions = texts.map((source) => new RegExp(source, "s"));
  return (event) =>
    fields.some((field) => {
      const text = textOf(event, field);
      const seen = text !== null && ignoreCase ? text.toLowerCase() : text;
      return seen !== null && expressions.some((expression) => expression.test(seen));
    });
}
