import type { Content } from "./content.ts";
import { findData } from "./hole.ts";

/** How much of a file's beginning tells it from others, in bytes. */
export const HEAD_SIZE = 1_024;

/** The beginning of a file as it is kept: enough to know it again. */
export interface HeadMark {
  /** Where it stands: behind the hole that the file begins with, if it does. */
  readonly start: number;
  /** At most `HEAD_SIZE`. */
  readonly length: number;
  /** First half of the SHA-256 of so many bytes, in hexadecimal. */
  readonly hash: string;
}

/** What a file begins with, as far as it was there when looked at. */
export interface Head extends HeadMark {
  /** Null for one that was kept: then only the hash is known. */
  readonly bytes: Uint8Array | null;
}

/** The head of a file that is empty yet. */
export const NO_HEAD: Head = { start: 0, length: 0, hash: "", bytes: new Uint8Array() };

/** Learns what a file begins with, whose first `start` bytes are NUL. */
export async function readHead(content: Content, start: number): Promise<Head> {
  let bytes = await readBytes(content, { from: start, size: HEAD_SIZE });
  if (bytes[0] === 0) {
    start = await findData(content, start);
    bytes = await readBytes(content, { from: start, size: HEAD_SIZE });
  }
  if (bytes.length === 0) return { ...NO_HEAD, start };
  return { start, length: bytes.length, hash: await digest(bytes), bytes };
}

/** Reads up to `size` bytes, as much as is there. */
export async function readBytes(
  content: Content,
  { from, size }: { from: number; size: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await content.readAt(from + length, bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** Whether a file may be the one of `head`: all of `head` is there, and the same. */
export async function continues(head: Head, content: Content): Promise<boolean> {
  return head.length === 0 || await isSame(head, await readAtHead(head, content));
}

/** Whether a file is a copy of the one of `head`, perhaps made when that was shorter. */
export async function isCopy(head: Head, content: Content): Promise<boolean> {
  if (head.length === 0) return false;
  const bytes = await readAtHead(head, content);
  if (bytes.length === 0) return false;
  if (bytes.length === head.length) return await isSame(head, bytes);
  return head.bytes !== null && isEqual(head.bytes.subarray(0, bytes.length), bytes);
}

function readAtHead({ start, length }: Head, content: Content): Promise<Uint8Array> {
  return readBytes(content, { from: start, size: length });
}

async function isSame(head: Head, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length !== head.length) return false;
  return head.bytes ? isEqual(head.bytes, bytes) : await digest(bytes) === head.hash;
}

/** Reports whether two pieces of text are the same. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
