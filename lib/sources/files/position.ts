import { tried } from "../../core/error.ts";
import type { Micros } from "../../core/time.ts";
import type { Head } from "./head.ts";
import { formatTrace, parseTrace, type Trace } from "./trace.ts";

/** How far a file was read, and how to recognize it, wherever it is now. */
export interface KnownFile {
  /** The name under which the file was followed; a rotated file keeps it. */
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  /** Byte behind the last line that was handed over. */
  readonly offset: number;
  /** Last change that was seen. */
  readonly time: Micros;
  readonly head: Head;
  readonly trace: Trace;
}

/** Formats the position of a source; the files of one path are in the order of their age. */
export function formatPosition(files: readonly KnownFile[]): string {
  return `{"files":[${files.map(textOf).join()}]}`;
}

/** Texts of files: of a thousand files, few change between two positions. */
const texts = new WeakMap<KnownFile, string>();

function textOf(file: KnownFile): string {
  const known = texts.get(file);
  if (known !== undefined) return known;
  const { path, dev, ino, offset, time, head: { length, hash, start }, trace } = file;
  const text = JSON.stringify([path, dev, ino, offset, time, length, hash, start, formatTrace(trace)]);
  texts.set(file, text);
  return text;
}

/** Reads a position of this version or 1.0; throws an `Error` for anything else. */
export function parsePosition(position: string): KnownFile[] {
  const fields = tried(() => JSON.parse(position).files);
  if (!Array.isArray(fields) || !fields.every(areFields)) {
    throw new Error(`Cannot resume log files: not a position of theirs: ${position}`);
  }
  return fields.map(([path, dev, ino, offset, time, length, hash, start = 0, trace = ""]) => //
  ({ path, dev, ino, offset, time, head: { start, length, hash }, trace: parseTrace(trace) }));
}

type Fields = [string, number, number, number, number, number, string, number?, string?];
const TYPES = ["string", "number", "number", "number", "number", "number", "string", "number", "string"];

function areFields(fields: unknown): fields is Fields {
  return Array.isArray(fields) && (fields.length === 7 || fields.length === TYPES.length) &&
    fields.every((field, index) => typeof field === TYPES[index]);
}
