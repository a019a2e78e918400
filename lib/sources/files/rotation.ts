import { COMPRESSED, type Content, type FileState, isSameFile, openContent, stateOf } from "./content.ts";
import { type Head, HEAD_SIZE, isCopy } from "./head.ts";
import type { Mark } from "./position.ts";
import { endAlike, traceBefore } from "./trace.ts";

/** A file in the directory of a log. */
export interface Neighbour extends FileState {
  readonly path: string;
}

/** A file that was read, and that may now be found elsewhere. */
export interface Known extends Mark {
  readonly head: Head;
}

/**
 * `access.log.1`, `access.log-20261123`, `access.log.old`, and what logrotate(8) calls a file that
 * was in its way; whichever part of it may be the log's own name.
 */
const BEHIND = [
  /^(.+?)(?:[._-]\d[\d._-]*(?:\.backup)?|\.old|\.bak|~)$/,
  /^(.+)(?:[._-]\d[\d._-]*(?:\.backup)?|\.old|\.bak|~)$/,
];
/** `access-20261123.log` */
const BETWEEN = /^(.+?)[._-]\d{4}-?\d\d-?\d\d[\d._-]*(\.[^./]+)$/;
/** How often names are looked at that keep changing. */
export const MAX_TRIES = 10;
const DATED = /(?<!\d)\d{4}[-_.]?\d\d[-_.]?\d\d[^/]*$/;
/** Names of what is kept for safety's sake. */
const SPARE = /(?:\.backup|\.old|\.bak|~)$/;
const NUMBER = /\.(\d{1,5})$/;

/**
 * Reports whether a name is one that rotations give: compressed, or rotated away from one of `logs`.
 * Programs give their logs dated names too.
 */
export function isRotated(path: string, logs: ReadonlySet<string>): boolean {
  return COMPRESSED.test(path) || logsOf(path).some((log) => logs.has(log));
}

/**
 * Reports whether a name tells a day, as `access-2026-11-23.log` does, and may be that of a log
 * being written.
 */
export function isDated(path: string): boolean {
  return DATED.test(path) && !COMPRESSED.test(path) && !SPARE.test(path);
}

/** Whether the content of a file can be had: it is not compressed, or by gzip. */
export function isReadable(path: string): boolean {
  return !COMPRESSED.test(path) || path.endsWith(".gz");
}

/** Whether the directory of a log can be searched. */
export function canSearch(path: string): boolean {
  try {
    Deno.readDirSync(directoryOf(path) || "/")[Symbol.iterator]().next();
    return true;
  } catch {
    return false;
  }
}

/**
 * The file of that device and inode in the directory of the log, whatever it is called now; of one
 * that was empty, whose inode may be another's by now, under a likely name only, and none that is
 * younger.
 */
export function findByInode(known: Known): Neighbour | null {
  const wasEmpty = known.head.length === 0;
  const places = [...stateAt(known.path), ...(wasEmpty ? generations(known.path) : neighbours(known.path))];
  return places.find((file) =>
    isSameFile(file, known) && !(wasEmpty && file.born !== null && file.born > known.time)
  ) ?? null;
}

/**
 * Where the content of `known` is beside its own file: in a copy, compressed or not. Of several the
 * newest.
 */
export function findCopy(known: Known): Promise<Neighbour | null> {
  return among(known.path, (all) => copyIn(all, known));
}

async function copyIn(files: readonly Neighbour[], known: Known): Promise<Neighbour | null> {
  for (const file of files.toReversed()) {
    if (!isSameFile(file, known) && await inContent(file.path, (content) => hasRead(content, known))) {
      return file;
    }
  }
  return null;
}

/** What was rotated away from the log of `last` after that, and is none of `known`; oldest first. */
export function findNewer(last: Known, known: readonly Known[]): Promise<Neighbour[]> {
  return among(last.path, async (all) => {
    const place = all.find((file) => isSameFile(file, last)) ?? await copyIn(all, last);
    const number = place && numberOf(place.path);
    const newer = all.filter((file) => {
      const other = numberOf(file.path);
      // Most number upwards from the newest, some from the oldest: then the times tell better.
      return isNewer(file, last) && (number === null || other === null || other < number);
    });
    const found: Neighbour[] = [];
    for (const file of newer) if (!await isAnyOf(file, known)) found.push(file);
    return found;
  });
}

/**
 * By their times, which compressing keeps. What is known all the same is known by its head, if it
 * has one.
 */
function isNewer(file: Neighbour, last: Known): boolean {
  return last.head.length > 0 ? file.time >= last.time : file.time > last.time;
}

/**
 * Searches what was rotated away from a log, once more if names changed meanwhile: a rotation may
 * be under way.
 */
async function among<T>(log: string, search: (generations: Neighbour[]) => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    const names = namesOf(generations(log));
    const found = await search(generations(log));
    if (tries === MAX_TRIES || names === namesOf(generations(log))) return found;
  }
}

function namesOf(files: readonly Neighbour[]): string {
  return files.map(({ path, device, inode }) => `${path}:${device}:${inode}`).sort().join();
}

/** Whether a file is a copy of `known`, perhaps one that was made when that was shorter. */
async function hasRead(content: Content, { head, offset, trace }: Known): Promise<boolean> {
  if (!await isCopy(head, content)) return false;
  const isShorter = !content.final && content.state().size < offset;
  return isShorter || trace.length === 0 || endAlike(trace, await traceBefore(content, offset));
}

/** Whether a file has the content of one of `known`, as far as a whole head can tell. */
export async function hasContentOf(path: string, known: readonly Known[]): Promise<boolean> {
  return await isCopyOfAny(path, known.filter(({ head }) => head.length === HEAD_SIZE));
}

/** Whether a file begins as one of `known` does. */
export function isCopyOfAny(path: string, known: readonly Known[]): Promise<boolean> {
  return inContent(path, async (content) => {
    for (const { head } of known) if (await isCopy(head, content)) return true;
    return false;
  });
}

async function isAnyOf(file: Neighbour, known: readonly Known[]): Promise<boolean> {
  return known.some((one) => isSameFile(one, file)) || await isCopyOfAny(file.path, known);
}

/** Asks something of a file's content: no, of one that cannot be read or is no longer there. */
async function inContent(path: string, ask: (content: Content) => Promise<boolean>): Promise<boolean> {
  if (!isReadable(path)) return false;
  try {
    using content = openContent(path);
    return await ask(content);
  } catch {
    return false;
  }
}

/** What was rotated away from a log, oldest first. */
function generations(log: string): Neighbour[] {
  return neighbours(log).filter(({ path, size }) => size > 0 && logsOf(path).includes(log))
    .sort((a, b) => (numberOf(b.path) ?? 0) - (numberOf(a.path) ?? 0) || a.time - b.time);
}

/** Logs from which a file of this name may have been rotated away. */
export function logsOf(path: string): string[] {
  const name = path.replace(COMPRESSED, "");
  const between = BETWEEN.exec(name);
  return [
    ...(name === path ? [] : [name]),
    ...BEHIND.flatMap((form) => form.exec(name)?.[1] ?? []),
    ...(between ? [between[1]! + between[2]!] : []),
  ];
}

/** Which generation a name says a file is, where it says so: the higher, the older. */
function numberOf(path: string): number | null {
  const digits = NUMBER.exec(path.replace(COMPRESSED, ""))?.[1];
  return digits === undefined ? null : Number(digits);
}

/**
 * Regular files beside `path`, itself included; none where the directory cannot be listed. Leaves
 * out what is being compressed yet: the plain file stands beside it until that is done.
 */
function neighbours(path: string): Neighbour[] {
  const directory = directoryOf(path);
  try {
    const names = new Set([...Deno.readDirSync(directory || "/")].map(({ name }) => name));
    return [...names].filter((name) => !COMPRESSED.test(name) || !names.has(name.replace(COMPRESSED, "")))
      .flatMap((name) => stateAt(`${directory}/${name}`));
  } catch {
    return [];
  }
}

/** "" for the root, so that a name can follow a slash. */
function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function stateAt(path: string): Neighbour[] {
  try {
    const info = Deno.statSync(path);
    return info.isFile ? [{ path, ...stateOf(info) }] : [];
  } catch {
    return [];
  }
}
