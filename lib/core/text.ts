/**
 * Characters that control a terminal or reorder a line: control (Cc) and format characters (Cf:
 * bidi overrides, zero-width joiners, tags), line and paragraph separators, lone surrogates.
 */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * Escapes text of strangers for a terminal or a log: a character that could control a terminal,
 * fake a line or reorder it becomes `\xNN`, or `\u{NNNN}` above 255.
 */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** Returns `printable()` text of at most `most` characters; a cut one ends with `…`. */
export function bounded(text: string, most: number): string {
  // Escaped characters take more room than one; those behind `most` are not needed.
  const shown = printable(text.slice(0, most + 1));
  if (shown.length <= most) return shown;
  // The cut may split a surrogate pair.
  return `${shown.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Returns `value` as JSON in which `STEERING` characters are escaped, with the same meaning. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(STEERING, (character) => {
    const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** Returns one line of at most `most` characters; breaks and control characters become blanks. */
export function oneLine(text: string, most: number): string {
  return Array.from(text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()).slice(0, most).join("").trimEnd();
}

/** Returns a text that begins with a capital. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Formats a count for people: `1 ban`, `2 bans`, `2 addresses`. */
export function counted(
  count: number,
  noun: string,
  plural = noun + (noun.endsWith("s") ? "es" : "s"),
): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Joins the first `most` of some names, and counts the others: `a, b and 7 more`. */
export function listed(names: readonly string[], most: number): string {
  const more = names.length - most;
  return names.slice(0, most).join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/**
 * Copies `text`, for values that outlive their batch: V8 keeps a whole chunk of a file alive for
 * each slice of it. Adding and cutting off a character makes V8 write a new string.
 */
export function detached(text: string): string {
  return (" " + text).slice(1);
}

/** Quotes a word for a shell if necessary. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
