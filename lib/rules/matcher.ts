import type { Rule } from "../types.ts";

const NONE: readonly Rule[] = [];

/** Says which rules a message hits. Time is linear in the message, whatever the rules. */
export class Matcher {
  readonly #rules: readonly Rule[];
  readonly #any: RegExp;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    // One expression of plain alternatives turns most messages away in a single pass, however many rules there are.
    const starts = rules.filter((rule) => rule.mode === "start").flatMap((rule) => rule.str);
    const anywhere = rules.filter((rule) => rule.mode === "anywhere").flatMap((rule) => rule.str);
    const parts = [...anywhere.map(literal)];
    if (starts.length > 0) parts.unshift(`^(?:${starts.map(literal).join("|")})`);
    this.#any = new RegExp(parts.length > 0 ? parts.join("|") : "$.^");
  }

  /** The rules of which some `str` stands in `message` where the rule's mode wants it, in configured order. */
  match(message: string): readonly Rule[] {
    if (!this.#any.test(message)) return NONE;
    return this.#rules.filter(({ str, mode, except }) =>
      str.some((text) => mode === "start" ? message.startsWith(text) : message.includes(text)) &&
      !except.some((text) => message.startsWith(text))
    );
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");
}
