import { type AST, RegExpParser, visitRegExpAST } from "@eslint-community/regexpp";

/** How often V8's linear engine writes out a repetition at most, nested ones multiplied. */
const MAX_REPETITION = 16;

/** Which of what an expression holds cannot be matched in linear time, in words. */
const OBSTACLES: Readonly<Record<string, string>> = {
  lookahead: "holds a look-ahead",
  lookbehind: "holds a look-behind",
};

/**
 * Why V8 does not match the expression `source`, flags "s", in time linear in the text's length;
 * null: it does. Without that, one line of an attacker's can take hours. Says as well when `source`
 * is no expression at all.
 */
export function whyNotLinear(source: string): string | null {
  const pattern = parseExpression(source);
  return typeof pattern === "string" ? pattern : obstacleIn(pattern);
}

/** An expression that matches `text` and nothing else. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** The syntax tree of the expression `source`, flags "s", or what is wrong with it. */
export function parseExpression(source: string): AST.Pattern | string {
  try {
    // V8 has the last word on what it will compile.
    new RegExp(source, "s");
    return new RegExpParser().parsePattern(source);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return `is no regular expression: ${
      message.replace(/^Invalid regular expression: (?:\/.*\/\w*: )?/s, "")
    }`;
  }
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
      // What has no end is written out as often as it must be there, and once more in a loop.
      const times = Number.isFinite(max) ? max : min + 1;
      factors.push(factors.at(-1)! * Math.max(1, times));
      if (factors.at(-1)! > MAX_REPETITION) say(`repeats ${raw} by counting to more than ${MAX_REPETITION}`);
    },
    onQuantifierLeave: () => void factors.pop(),
  });
  return obstacle;
}
