/** Hostile text must not reach a terminal or fake a line: control characters become `\xNN`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029]/gu,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/**
 * A copy of `text` for what lives longer than the batch that it came with: V8 keeps a whole chunk of a file alive for each piece that
 * was cut out of it. What is put together has to be written down anew before a piece of it can be taken.
 */
export function detached(text: string): string {
  return (" " + text).slice(1);
}
