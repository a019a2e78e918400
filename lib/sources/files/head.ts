import type { Content } from "./content.ts";

/** How much of a file's beginning tells it from others, in bytes. */
export const HEAD_SIZE = 1_024;

/** The beginning of a file as it is kept: enough to know it again. */
export interface HeadMark {
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
export const NO_HEAD: Head = { length: 0, hash: "", bytes: new Uint8Array() };

/** Reads the beginning of a file, as much as is there. */
export async function readBeginning(content: Content): Promise<Uint8Array> {
  const bytes = new Uint8Array(HEAD_SIZE);
  let length = 0;
  while (length < HEAD_SIZE) {
    const count = await content.readAt(length, bytes.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

/** Makes a head of a file's beginning. */
export async function makeHead(bytes: Uint8Array): Promise<Head> {
  if (bytes.length === 0) return NO_HEAD;
  return { length: bytes.length, hash: await digest(bytes), bytes };
}

/** Whether a file that begins with `bytes` may be the one of `head`: all of `head` is there, and the same. */
export async function continues(head: Head, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length < head.length) return false;
  const start = bytes.subarray(0, head.length);
  return head.bytes ? isEqual(head.bytes, start) : head.length === 0 || await digest(start) === head.hash;
}

/** Whether a file that begins with `bytes` is a copy of the one of `head`, perhaps made when that was shorter. */
export async function isCopy(head: Head, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length === 0 || head.length === 0) return false;
  if (bytes.length >= head.length) return await continues(head, bytes);
  return head.bytes !== null && isEqual(head.bytes.subarray(0, bytes.length), bytes);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return Array.from(hash.subarray(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
