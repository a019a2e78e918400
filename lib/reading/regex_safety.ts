import { type AST, RegExpParser, visitRegExpAST } from "@eslint-community/regexpp";
import { tried } from "../core/error.ts";

/** Most repetitions that V8's linear engine writes out; nested ones multiply. */
const MAX_REPETITION = 16;

const [CAPITAL_A, CAPITAL_Z] = [0x41, 0x5a];

/** Elements that V8 cannot match in linear time, and the complaint about each. */
const OBSTACLES: Readonly<Record<string, string>> = {
  lookahead: "holds a look-ahead",
  lookbehind: "holds a look-behind",
};

/** What obstacles other than repetitions begin with: `(?` without a colon, a reference. */
const SUSPECT = /\(\?(?!:)|\\[1-9k]/;
/** An escape that means neither a capital nor a character by its code. */
const PLAIN_ESCAPE = /\\(?:[^A-Zcux\d]|[BDSW])/g;
/**
 * What may mean a capital, with `^` for such escapes; a class may have a range with capitals inside.
 * An escape may stand at either end of it, as in `[\--z]` and `[0-\]]`.
 */
const CAPITAL = /[A-Z\\]|[^\0-\x7f]|\[[^\]]*[\0-@^]-[[^-~]/;
/** A repetition that V8 writes out; after `)` it may be that of a group. */
const REPEATED = /(\)?)(?:\+|\{(\d+)(,?)(\d*)\})/g;

/**
 * Returns why V8 cannot match the expression `source`, flags "s", in linear time, or why `source`
 * is no expression; null: it can. Without linear time, one line of an attacker can take hours.
 */
export function whyNotLinear(source: string): string | null {
  if (!SUSPECT.test(source) && mostTimes(source) <= MAX_REPETITION && isExpression(source)) return null;
  const pattern = parseExpression(source);
  return typeof pattern === "string" ? pattern : obstacleIn(pattern);
}

/** Reports whether `source` is an expression, by V8 itself. */
export function isExpression(source: string): boolean {
  return tried(() => new RegExp(source, "s")) !== null;
}

/** Returns an expression that matches only `text`. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/**
 * Returns the expression `source` with its capitals in lower case, for text in lower case. Classes
 * such as `\\S` stay. Ranges keep what they have, and gain the small letters of their capitals.
 * Does not parse an expression without capitals.
 */
export function inLowerCase(source: string): string {
  if (!CAPITAL.test(source.replaceAll(PLAIN_ESCAPE, "^"))) return source;
  const pattern = parseExpression(source);
  if (typeof pattern === "string") return source;
  const edits: { at: number; to: number; text: string }[] = [];
  visitRegExpAST(pattern, {
    onCharacterEnter({ parent, start, end, value }) {
      const character = String.fromCodePoint(value);
      const lower = character.toLowerCase();
      if (lower === character || parent.type === "CharacterClassRange") return;
      edits.push({ at: start, to: end, text: lower });
    },
    onCharacterClassRangeEnter({ min, max, end }) {
      const [first, last] = [Math.max(min.value, CAPITAL_A), Math.min(max.value, CAPITAL_Z)];
      if (first > last) return;
      edits.push({ at: end, to: end, text: String.fromCodePoint(first, 0x2d, last).toLowerCase() });
    },
  });
  return edits.reduceRight((text, { at, to, text: by }) => text.slice(0, at) + by + text.slice(to), source);
}

/** Returns the syntax tree of the expression `source`, flags "s", or the fault in it. */
export function parseExpression(source: string): AST.Pattern | string {
  try {
    // V8 itself decides which expressions it compiles.
    new RegExp(source, "s");
    return new RegExpParser().parsePattern(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `is no regular expression: ${
      message.replace(/^Invalid regular expression: (?:\/.*\/\w*: )?/s, "")
    }`;
  }
}

/**
 * Returns how often V8 writes out a part of the expression at most: as if all groups were inside
 * each other. Passes the shipped expressions without parsing them.
 */
function mostTimes(source: string): number {
  let [ofGroups, ofOne] = [1, 1];
  for (const [, close, min, comma, max] of source.matchAll(REPEATED)) {
    const times = min === undefined ? 2 : Math.max(1, max ? Number(max) : Number(min) + comma!.length);
    if (close) ofGroups *= times;
    else ofOne = Math.max(ofOne, times);
  }
  return ofGroups * ofOne;
}

function obstacleIn(pattern: AST.Pattern): string | null {
  let obstacle: string | null = null;
  const factors = [1];
  const say = (found: string | undefined) => obstacle ??= found ?? null;
  visitRegExpAST(pattern, {
    onAssertionEnter: ({ kind }) => void say(OBSTACLES[kind]),
    onModifiersEnter: () => void say("holds modifiers"),
    onBackreferenceEnter: () => void say("holds a back-reference"),
    onQuantifierEnter: ({ min, max, raw }) => {
      // V8 writes an endless repetition out to its minimum, and once more as a loop.
      const times = Number.isFinite(max) ? max : min + 1;
      factors.push(factors.at(-1)! * Math.max(1, times));
      if (factors.at(-1)! > MAX_REPETITION) say(`repeats ${raw} by counting to more than ${MAX_REPETITION}`);
    },
    onQuantifierLeave: () => void factors.pop(),
  });
  return obstacle;
}
