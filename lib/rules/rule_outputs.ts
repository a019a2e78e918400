import type { Dictionary, SoughtText } from "../reading/automaton.ts";
import { MESSAGE } from "../reading/message_reader.ts";
import type { CompiledCondition } from "./condition.ts";

/** The conditions of a rule. */
export interface RuleConditions {
  /** Null: any event meets it. */
  readonly condition: CompiledCondition | null;
  readonly except: readonly CompiledCondition[];
}

/** A dictionary of the automaton with its number and its field. */
export interface FieldDictionary extends Dictionary {
  readonly number: number;
  readonly field: number;
  readonly texts: SoughtText[];
}

/** Meaning of the automaton's outputs for one module's rules: each text meets conditions. */
export class RuleOutputs {
  /** The first dictionary is for the message itself; the last ones have only texts of exceptions. */
  readonly dictionaries: readonly FieldDictionary[];
  /** Number of the first dictionary that has only texts of exceptions. */
  readonly firstException: number;
  /** Conditions that each output meets, by output. */
  readonly #conditions: CompiledCondition[][] = [];
  /** Index of the rule that needs each condition. */
  readonly #ruleOf = new Map<CompiledCondition, number>();
  /** Indexes of rules that any event may hit. */
  readonly #always: readonly number[];

  constructor(rules: readonly RuleConditions[]) {
    const dictionaries: FieldDictionary[] = [{ number: 0, field: MESSAGE, ignoreCase: false, texts: [] }];
    const outputs = new Map<string, number>();
    const add = (condition: CompiledCondition) => {
      if (condition.texts === null) return;
      for (const field of condition.fields) {
        const dictionary = dictionaryOf(dictionaries, field, condition.ignoreCase);
        for (const text of condition.texts) {
          const key = `${dictionary.number} ${condition.place} ${text}`;
          let output = outputs.get(key);
          if (output === undefined) {
            outputs.set(key, output = this.#conditions.push([]) - 1);
            dictionary.texts.push({ bytes: new TextEncoder().encode(text), place: condition.place, output });
          }
          this.#conditions[output]!.push(condition);
        }
      }
    };
    rules.forEach(({ condition }, index) => {
      if (condition === null) return;
      add(condition);
      this.#ruleOf.set(condition, index);
    });
    this.firstException = dictionaries.length;
    rules.forEach(({ except }) => except.forEach(add));
    this.dictionaries = dictionaries;
    this.#always = rules.flatMap(({ condition }, index) =>
      condition === null || condition.texts === null ? [index] : []
    );
  }

  /** Returns the conditions that these outputs meet. */
  conditionsMet(outputs: readonly number[]): ReadonlySet<CompiledCondition> {
    return new Set(outputs.flatMap((output) => this.#conditions[output]!));
  }

  /** Returns the ascending indexes of rules that may be hit when these conditions are met. */
  candidates(met: ReadonlySet<CompiledCondition>): number[] {
    const wanted = [...met].flatMap((condition) => this.#ruleOf.get(condition) ?? []);
    return [...this.#always, ...wanted].sort((a, b) => a - b);
  }
}

function dictionaryOf(dictionaries: FieldDictionary[], field: number, ignoreCase: boolean): FieldDictionary {
  const known = dictionaries.find((dictionary) =>
    dictionary.field === field && dictionary.ignoreCase === ignoreCase
  );
  if (known) return known;
  const dictionary = { number: dictionaries.length, field, ignoreCase, texts: [] };
  dictionaries.push(dictionary);
  return dictionary;
}
