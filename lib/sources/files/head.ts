import { hexText, isEqual } from "../../core/bytes.ts";
import type { Content } from "./content.ts";
import { findData } from "./hole.ts";

/** Bytes of a file's beginning that identify it. */
export const HEAD_SIZE = 1_024;

/** A file's beginning, as far as it was there at the last look. */
export interface Head {
  /** Offset of the head: behind the hole at the file's beginning, if there is one. */
  readonly start: number;
  /** At most `HEAD_SIZE`. */
  readonly length: number;
  /** First half of the SHA-256 of these bytes, in hexadecimal. */
  readonly hash: string;
  /** The bytes themselves; missing in a stored head, as the hash is enough to recognize them. */
  readonly bytes?: Uint8Array;
}

/** Head of a file that is still empty. */
export const NO_HEAD: Head = { start: 0, length: 0, hash: "", bytes: new Uint8Array() };

/** Reads the head of a file whose first `start` bytes are NUL. */
export async function readHead(content: Content, start: number): Promise<Head> {
  let bytes = await readBytes(content, { from: start, size: HEAD_SIZE });
  if (bytes[0] === 0) {
    start = await findData(content, start);
    bytes = await readBytes(content, { from: start, size: HEAD_SIZE });
  }
  if (bytes.length === 0) return { ...NO_HEAD, start };
  return { start, length: bytes.length, hash: await digest(bytes), bytes };
}

/** Reads up to `size` bytes, as many as there are. */
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

/** Reports whether a file may be the file of `head`: it has all of `head` unchanged. */
export async function continues(head: Head, content: Content): Promise<boolean> {
  return head.length === 0 || await isSame(head, await readAtHead(head, content));
}

/** Reports whether a file is a copy of the file of `head`, perhaps made when that was shorter. */
export async function isCopy(head: Head, content: Content): Promise<boolean> {
  if (head.length === 0) return false;
  const bytes = await readAtHead(head, content);
  if (bytes.length === 0) return false;
  if (bytes.length === head.length) return await isSame(head, bytes);
  return head.bytes !== undefined && isEqual(head.bytes.subarray(0, bytes.length), bytes);
}

function readAtHead({ start, length }: Head, content: Content): Promise<Uint8Array> {
  return readBytes(content, { from: start, size: length });
}

async function isSame(head: Head, bytes: Uint8Array): Promise<boolean> {
  if (bytes.length !== head.length) return false;
  return head.bytes ? isEqual(head.bytes, bytes) : await digest(bytes) === head.hash;
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return hexText(hash.subarray(0, 16));
}
