/**
 * Reads a JSONC text by `JSON.parse()`, which takes a tenth of the time of a parser that knows where
 * each value stands. A start needs the places only to tell a mistake.
 */

/** Deepest nesting of a configuration. It needs 8 levels. */
export const MAX_DEPTH = 32;

/** A string, also an invalid one with a line break in it, or a comment. */
const STRING_OR_COMMENT = /"(?:[^"\\]|\\[^])*"|\/\/[^\r\n]*|\/\*[^]*?\*\//g;
/**
 * A string, with the colon that makes it a key; a comma behind an opening bracket, which is a mistake;
 * a comma before a closing bracket, which JSONC allows.
 */
const STRING_OR_COMMA = /"(?:[^"\\]|\\[^])*"(?<colon>\s*:)?|[[{]\s*,|,(?=\s*[\]}])/g;

/**
 * Returns the value of a JSONC text. Null: the slow parser must look, because the text is not valid,
 * is nested too deep, or may hold a key twice in an object.
 */
export function plainValue(text: string): { readonly value: unknown } | null {
  let keys = 0;
  let isOdd = false;
  try {
    const bare = text.replace(STRING_OR_COMMENT, (found) => found[0] === "/" ? " " : found);
    const json = bare.replace(STRING_OR_COMMA, (found, colon) => {
      if (colon !== undefined) keys++;
      if (found[0] === "[" || found[0] === "{") isOdd = true;
      return found === "," ? "" : found;
    });
    const value: unknown = JSON.parse(json);
    return isOdd || keysIn(value, MAX_DEPTH) !== keys ? null : { value };
  } catch {
    // It is no JSON, or has a string of some megabytes, for which V8's expressions have no stack.
    return null;
  }
}

/** Returns the number of all keys in `value`; NaN if objects and lists lie deeper than `depth`. */
function keysIn(value: unknown, depth: number): number {
  if (typeof value !== "object" || value === null) return 0;
  if (depth === 0) return NaN;
  const members = Object.values(value);
  let keys = Array.isArray(value) ? 0 : members.length;
  for (const member of members) keys += keysIn(member, depth - 1);
  return keys;
}
