/** V8 copies what is shorter than this instead of pointing into where it was cut from. */
const COPIED = 13;

/**
 * A copy of `text` for what lives longer than the batch that it came with: V8 keeps a whole chunk of a file alive for each piece that
 * was cut out of it.
 */
export function detached(text: string): string {
  if (text.length < COPIED) return text;
  return String.fromCharCode(...Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)));
}
