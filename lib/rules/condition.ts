import { valueOf } from "../reading/field_text.ts";
import type { MessageReader } from "../reading/message_reader.ts";
import type { Condition } from "./rule.ts";
import { requiredLiterals } from "./literals.ts";

/** Fields of one event as text, each decoded once and on demand. */
export class FieldTexts {
  #reader: MessageReader | null = null;
  readonly #texts: (string | null)[] = [];

  /** Begins the event that `reader` has read. */
  begin(reader: MessageReader): void {
    this.#reader = reader;
    this.#texts.length = 0;
  }

  /** Returns the value of a field; null where the event has none. */
  of(field: number): string | null {
    const known = this.#texts[field];
    if (known !== undefined) return known;
    return this.#texts[field] = valueOf(this.#reader!, field);
  }
}

/** Reports whether the text of an event's fields meets a condition. */
export type Test = (texts: FieldTexts) => boolean;

/** A compiled condition: the automaton finds `texts`, and `test` decides on the fields as text. */
export interface CompiledCondition {
  /** Numbers of the condition's fields, without fields that its module lacks. */
  readonly fields: readonly number[];
  readonly place: "start" | "anywhere";
  readonly ignoreCase: boolean;
  /** One of these texts must stand in one of the fields; null: any event may meet the condition. */
  readonly texts: readonly string[] | null;
  /** Decides on an event with one of the texts; null: the text alone decides. */
  readonly test: Test | null;
}

/** Compiles `condition` for events with these fields. */
export function compileCondition(
  { fields: names, mode, texts, ignoreCase }: Condition,
  all: readonly string[],
): CompiledCondition {
  const fields = names.map((name) => all.indexOf(name)).filter((field) => field >= 0);
  const place = mode === "start" ? "start" : "anywhere";
  const meets = mode === "regex" ? expressionsOf(texts) : textsOf(mode, texts);
  const test: Test = (values) => {
    for (const field of fields) {
      const text = values.of(field);
      if (text !== null && meets(ignoreCase ? text.toLowerCase() : text)) return true;
    }
    return false;
  };
  const sought = mode === "regex" ? literalsOf(texts) : texts;
  if (sought === null || !sought.every(isPlain)) return { fields, place, ignoreCase, texts: null, test };
  return { fields, place, ignoreCase, texts: sought, test: mode === "regex" ? test : null };
}

/** Reports whether bytes can match a text: not an empty one or half a surrogate pair. */
function isPlain(text: string): boolean {
  return text !== "" && text.isWellFormed();
}

function literalsOf(sources: readonly string[]): readonly string[] | null {
  const needed = sources.map(requiredLiterals);
  return needed.includes(null) ? null : needed.flatMap((literals) => literals!);
}

function expressionsOf(sources: readonly string[]): (text: string) => boolean {
  const expressions = sources.map((source) => new RegExp(source, "s"));
  return (text) => {
    for (const expression of expressions) if (expression.test(text)) return true;
    return false;
  };
}

function textsOf(mode: "start" | "anywhere", texts: readonly string[]): (text: string) => boolean {
  return mode === "start"
    ? (text) => texts.some((sought) => text.startsWith(sought))
    : (text) => texts.some((sought) => text.includes(sought));
}
