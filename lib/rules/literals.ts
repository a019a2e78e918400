import type { AST } from "@eslint-community/regexpp";
import { parseExpression } from "../reading/regex_safety.ts";

/** Most literals of one expression. */
const MOST = 32;
/** Length from which on a longer literal is no easier to find. */
const LONG = 6;
/** Matches texts that nearly every line contains. */
const COMMON = /^[\w\s./:-]$/;

/**
 * Returns literals of which every match of the expression `source` (flags "s") contains one. Skip
 * the expression on lines without any. Null: no literals would save much.
 */
export function requiredLiterals(source: string): readonly string[] | null {
  const pattern = parseExpression(source);
  return typeof pattern === "string" ? null : ofAny(pattern.alternatives);
}

function ofAny(alternatives: readonly AST.Alternative[]): readonly string[] | null {
  const found = alternatives.map(({ elements }) => ofSequence(elements));
  if (found.includes(null)) return null;
  const texts = [...new Set(found.flatMap((texts) => texts!))];
  return texts.length <= alternatives.length * MOST ? texts : null;
}

/** Returns the best literals of a sequence's parts; neighbouring texts are joined. */
function ofSequence(elements: readonly AST.Element[]): readonly string[] | null {
  const candidates: (readonly string[])[] = [];
  let run: readonly string[] = [""];
  for (const element of elements) {
    const texts = textsOf(element);
    const joined = texts && joinAll(run, texts);
    if (joined) {
      run = joined;
      continue;
    }
    candidates.push(run, neededBy(element) ?? []);
    run = [""];
  }
  candidates.push(run);
  return candidates.filter(isUseful).toSorted((a, b) => worth(b) - worth(a) || a.length - b.length)[0] ??
    null;
}

function isUseful(texts: readonly string[]): boolean {
  return texts.length > 0 && texts.every((text) => text !== "" && !COMMON.test(text));
}

function worth(texts: readonly string[]): number {
  return Math.min(LONG, ...texts.map(({ length }) => length));
}

/** Returns the literals of an element that is no plain text. */
function neededBy(element: AST.Element): readonly string[] | null {
  if (hasModifiers(element)) return null;
  if (element.type === "Group" || element.type === "CapturingGroup") return ofAny(element.alternatives);
  if (element.type !== "Quantifier" || element.min === 0) return null;
  return textsOf(element.element) ?? neededBy(element.element);
}

/** Reports whether other flags hold inside, as in `(?i:…)`: letters may match others. */
function hasModifiers(element: AST.Element): boolean {
  return element.type === "Group" && element.modifiers !== null;
}

/** Returns all texts that an element can match; null: too many. */
function textsOf(element: AST.Element): readonly string[] | null {
  if (hasModifiers(element)) return null;
  switch (element.type) {
    case "Character":
      return [String.fromCodePoint(element.value)];
    case "Assertion":
      return [""];
    case "CharacterClass":
      return ofClass(element);
    case "Group":
    case "CapturingGroup":
      return ofGroup(element.alternatives);
    case "Quantifier": {
      const texts = element.max === 1 ? textsOf(element.element) : null;
      return texts && element.min === 0 ? ["", ...texts] : texts;
    }
    default:
      return null;
  }
}

function ofClass({ negate, elements }: AST.CharacterClass): readonly string[] | null {
  const texts = elements.flatMap((element) =>
    element.type === "Character" ? [String.fromCodePoint(element.value)] : []
  );
  return negate || texts.length < elements.length ? null : texts;
}

function ofGroup(alternatives: readonly AST.Alternative[]): readonly string[] | null {
  const all: string[] = [];
  for (const { elements } of alternatives) {
    let texts: readonly string[] | null = [""];
    for (const element of elements) texts = texts && joinAll(texts, textsOf(element));
    if (texts === null || all.length + texts.length > MOST) return null;
    all.push(...texts);
  }
  return all;
}

function joinAll(heads: readonly string[], tails: readonly string[] | null): readonly string[] | null {
  if (tails === null || heads.length * tails.length > MOST) return null;
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}
