/**
 * Characters that steer a terminal or reorder a line, and are no text: control (Cc) and format characters (Cf: bidirectional
 * overrides, zero-width joiners, tags), line and paragraph separators, surrogates without their other half.
 */
const STEERING = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The door for all text that others wrote on its way to a terminal or a log: what could steer a terminal, fake a line or
 * reorder it becomes `\xNN`, or `\u{NNNN}` above 255.
 */
export function printable(text: string): string {
  return text.replace(STEERING, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** Formats a count for people: `1 ban`, `2 bans`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/**
 * Copies `text`, for values that outlive their batch: V8 keeps a whole chunk of a file alive for
 * each slice of it. Adding and cutting off a character makes V8 write a new string.
 */
export function detached(text: string): string {
  return (" " + text).slice(1);
}
