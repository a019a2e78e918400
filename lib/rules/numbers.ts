/** None of what is numbered from 1, so that fresh memory needs no filling. */
export const NONE = 0;

/**
 * So many numbers, all 0. Memory is taken page by page when it is first touched; it is of a kind that V8 does not take for its own: so
 * much more of that makes it look for garbage at once.
 */
export function numbers(count: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT));
}
