/**
 * Replaces control characters by `\xNN`, so that hostile text cannot steer a terminal or fake a
 * line.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * Copies `text`, for values that outlive their batch: V8 keeps a whole chunk of a file alive for
 * each slice of it. Adding and cutting off a character makes V8 write a new string.
 */
export function detached(text: string): string {
  return (" " + text).slice(1);
}
