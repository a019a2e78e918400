/**
 * Holes: NUL bytes in a file that was truncated under a program which goes on writing at its old
 * offset. Lines follow them, and a hole may be as long as the file ever was.
 */
import { nextTurn } from "../../core/async.ts";
import type { Content } from "./content.ts";

const STEP = 256 * 1_024;
/** Bytes of a hole that are read before its end is sought by halving. */
const MOST_READ = 64 * STEP;
/** Steps between two pauses for other tasks. */
const PAUSE = 64;
/** Bytes that file systems allot at once. */
const BLOCK = 4_096;

/**
 * Finds the first byte from `from` on that is not NUL; the content's end if there is none. `before`
 * is the offset of the first line before `from`, if there are lines.
 */
export async function findData(content: Content, from: number, before = from): Promise<number> {
  const chunk = new Uint8Array(STEP);
  let at = from;
  for (let steps = 1;; steps++) {
    const count = await content.readAt(at, chunk);
    const nuls = countNuls(chunk, count);
    at += nuls;
    if (nuls < count || count === 0) return at;
    if (at - from === MOST_READ) {
      at = await skipUnallotted(content, at, Math.ceil(from / BLOCK) - Math.floor(before / BLOCK));
    }
    if (steps % PAUSE === 0) await nextTurn();
  }
}

/** Counts the NULs at the start of a buffer, in its first `count` bytes. */
export function countNuls(buffer: Uint8Array<ArrayBuffer>, count: number): number {
  const isAligned = buffer.byteOffset % 4 === 0;
  const words = isAligned ? new Int32Array(buffer.buffer, buffer.byteOffset, count >> 2) : new Int32Array();
  let at = 0;
  while (at < words.length && words[at] === 0) at++;
  at *= 4;
  while (at < count && buffer[at] === 0) at++;
  return at;
}

/**
 * Halves the rest of a file until it finds a hole's end. Skips the hole if the file system allots
 * the file only as many blocks as the bytes behind and the blocks `before` need: then the hole is
 * empty.
 */
async function skipUnallotted(content: Content, from: number, before: number): Promise<number> {
  const { size, allotted } = content.state();
  if (content.final || allotted === null) return from;
  const probe = new Uint8Array(BLOCK);
  let [low, high] = [Math.floor(from / BLOCK), Math.ceil(size / BLOCK)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const count = await content.readAt(middle * BLOCK, probe);
    if (countNuls(probe, count) === count) low = middle;
    else high = middle;
  }
  const needed = (before + Math.ceil(size / BLOCK) - high) * BLOCK;
  return allotted === needed ? Math.max(from, Math.min(high * BLOCK, size)) : from;
}
