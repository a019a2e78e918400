import { tried } from "../../core/error.ts";
import { directoryOf, lookAt } from "../../core/file_identity.ts";
import { type Content, type FileState, isSameFile, openContent, stateOf } from "./content.ts";
import { isCopy } from "./head.ts";
import { COMPRESSED, isReadable, logsOf, numberOf } from "./names.ts";
import type { KnownFile } from "./position.ts";
import { endAlike, traceBefore } from "./trace.ts";

/** A file in the directory of a log. */
export interface Neighbour extends FileState {
  readonly path: string;
}

/** Most directories below or beside a log's own that are searched: more of them hold other logs. */
const MAX_NEARBY = 100;
/** Mode of a directory in which anybody may make files. */
const WRITABLE_BY_ALL = 0o002;
/** Most tries while names keep changing. */
export const MAX_TRIES = 10;

/** Reports whether the directory of a log can be searched. */
export function canSearch(path: string): boolean {
  return tried(() => Deno.readDirSync(directoryOf(targetOf(path)))[Symbol.iterator]().next()) !== null;
}

/**
 * Returns the file with this device and inode in the log's directory, whatever its name; for a file
 * that was empty, only under a likely name. `findCopy()` finds it in directories nearby.
 */
export function findByInode(known: KnownFile): Neighbour | null {
  const isSought = (file: Neighbour) => isAt(file, known);
  // Mostly it has its name: do not look at thousands of neighbours.
  const own = stateAt(known.path).find(isSought);
  if (own !== undefined) return own;
  const target = targetOf(known.path);
  const others = known.head.length === 0 ? generations(target) : neighbours(target);
  return others.find(isSought) ?? null;
}

/** Reports whether the file has a name in the log's directory, or a likely one in a directory nearby. */
export function hasName(known: KnownFile): boolean {
  if (findByInode(known) !== null) return true;
  return known.head.length > 0 &&
    nearby(targetOf(known.path)).flatMap(generations).some((file) => isAt(file, known));
}

/**
 * Reports whether a file has the inode of `known`. If that was empty, no head tells whether the
 * inode is another file's by now: then not if the file is younger.
 */
function isAt(file: Neighbour, known: KnownFile): boolean {
  return isSameFile(file, known) && !(known.head.length === 0 && isYoungerThan(known, file));
}

/** Reports whether a file was made after the last change of `known`. */
export function isYoungerThan({ time }: KnownFile, { born }: Neighbour): boolean {
  return born !== null && born > time;
}

/**
 * Returns the newest file with the content of `known`: a copy, compressed or not; in a directory
 * nearby, perhaps the file itself.
 */
export function findCopy(known: KnownFile): Promise<Neighbour | null> {
  return among(known.path, (all, isElsewhere) => copyIn(all, known, isElsewhere));
}

async function copyIn(
  files: readonly Neighbour[],
  known: KnownFile,
  mayBeSame = false,
): Promise<Neighbour | null> {
  for (const file of files.toReversed()) {
    const isCandidate = mayBeSame || !isSameFile(file, known);
    if (isCandidate && await inContent(file.path, (content) => isCopyOfKnown(content, known))) {
      return file;
    }
  }
  return null;
}

/** Returns files rotated away from the log of `last` after it, without `known`; oldest first. */
export async function findNewer(last: KnownFile, known: readonly KnownFile[]): Promise<Neighbour[]> {
  return await among(last.path, async (all, isElsewhere) => {
    const place = all.find((file) => isAt(file, last)) ?? await copyIn(all, last);
    // In another directory, names may be those of another log.
    if (isElsewhere && place === null) return null;
    const number = place && numberOf(place.path);
    // Most rotations number from the newest; log4j's from the oldest, as both times then show.
    const ascends = place !== null &&
      all.some((file) => (numberOf(file.path) ?? 0) > (number ?? Infinity) && isYounger(file, place));
    if (ascends) all.sort((a, b) => a.time - b.time);
    const newer = all.filter((file) => {
      const other = numberOf(file.path);
      return isNewer(file, last) && (ascends || number === null || other === null || other < number);
    });
    const found: Neighbour[] = [];
    for (const file of newer) if (!await isAnyOf(file, known)) found.push(file);
    return place === null && found.length === 0 ? null : found;
  }) ?? [];
}

/** Reports whether a file was made after another, and changed after it; never of a compressed one. */
function isYounger(a: Neighbour, b: Neighbour): boolean {
  return a.time > b.time && (a.born ?? 0) > (b.born ?? Infinity) && !COMPRESSED.test(a.path);
}

/**
 * Compares times, which compression keeps. Equal times count if `last` has a head: `isAnyOf()` then
 * recognizes known files by theirs.
 */
function isNewer(file: Neighbour, last: KnownFile): boolean {
  return last.head.length > 0 ? file.time >= last.time : file.time > last.time;
}

/**
 * Searches files rotated away from a log, first those beside it, then those in each directory nearby,
 * such as logrotate's `olddir archive`. Searches again if a rotation in progress changed their
 * names.
 */
async function among<T>(
  log: string,
  search: (generations: Neighbour[], isElsewhere: boolean) => Promise<T | null>,
): Promise<T | null> {
  const target = targetOf(log);
  for (const place of [target, ...nearby(target)]) {
    for (let tries = 1;; tries++) {
      const files = generations(place);
      const found = await search(files, place !== target);
      if (tries < MAX_TRIES && namesOf(files) !== namesOf(generations(place))) continue;
      if (found !== null) return found;
      break;
    }
  }
  return null;
}

function namesOf(files: readonly Neighbour[]): string {
  return files.map(({ path, dev, ino }) => `${path}:${dev}:${ino}`).sort().join();
}

/** Reports whether a file is a copy of `known`, perhaps made when that was shorter. */
async function isCopyOfKnown(content: Content, { head, offset, trace }: KnownFile): Promise<boolean> {
  if (!await isCopy(head, content)) return false;
  const isShorter = !content.final && content.state().size < offset;
  return isShorter || trace.length === 0 || endAlike(trace, await traceBefore(content, offset));
}

/** Reports whether a file begins like one of `known`. */
export function isCopyOfAny(path: string, known: readonly KnownFile[]): Promise<boolean> {
  return inContent(path, async (content) => {
    for (const { head } of known) if (await isCopy(head, content)) return true;
    return false;
  });
}

/** Reports whether a file begins like one of `known`, or is one that was empty. */
async function isAnyOf(file: Neighbour, known: readonly KnownFile[]): Promise<boolean> {
  return known.some((one) => one.head.length === 0 && isAt(file, one)) || await isCopyOfAny(file.path, known);
}

/** Asks a question about a file's content; false if the file cannot be read or is gone. */
async function inContent(path: string, ask: (content: Content) => Promise<boolean>): Promise<boolean> {
  if (!isReadable(path)) return false;
  try {
    using content = openContent(path);
    return await ask(content);
  } catch {
    return false;
  }
}

/** Returns the files that were rotated away from the log `target`, oldest first. */
function generations(target: string): Neighbour[] {
  // All of them begin so. This is faster than `logsOf()` for thousands of logs in a directory.
  const stem = target.replace(/(?:\.[^./]+|\/current)$/, "");
  const isGeneration = (path: string) => path.startsWith(stem) && logsOf(path).includes(target);
  return neighbours(target, isGeneration).filter(({ size }) => size > 0)
    .sort((a, b) => (numberOf(b.path) ?? 0) - (numberOf(a.path) ?? 0) || a.time - b.time);
}

/**
 * Returns the path of a log, or of the file that it links to: rotation renames that one, as
 * Kubernetes does with the files behind `/var/log/containers`.
 */
function targetOf(path: string): string {
  return tried(() => Deno.lstatSync(path).isSymlink ? Deno.realPathSync(path) : path) ?? path;
}

/**
 * Returns the paths that a log would have in the directories below its own and beside it. Leaves out
 * directories such as /var/tmp: there, anybody could put a log's copy, and lines of their own behind it.
 */
function nearby(target: string): string[] {
  const own = directoryOf(target);
  const name = target.slice(target.lastIndexOf("/"));
  return [own, directoryOf(own)].flatMap((directory) => {
    const entries = tried(() => [...Deno.readDirSync(directory)]) ?? [];
    const found = entries.filter(({ isDirectory }) => isDirectory).map((entry) =>
      `${directory}/${entry.name}`
    );
    return found.length > MAX_NEARBY ? [] : found.filter((path) => path !== own && isGuarded(path));
  }).map((directory) => directory + name);
}

function isGuarded(directory: string): boolean {
  const mode = lookAt(directory)?.mode ?? WRITABLE_BY_ALL;
  return (mode & WRITABLE_BY_ALL) === 0;
}

/**
 * Returns regular files of suitable paths in the directory of a log that is no link; none if the
 * directory cannot be listed. Ignores unfinished compressed files: the plain file stays beside them
 * until they are done.
 */
function neighbours(target: string, isSuitable: (path: string) => boolean = () => true): Neighbour[] {
  const directory = target.slice(0, target.lastIndexOf("/") + 1);
  const names = new Set(tried(() => [...Deno.readDirSync(directory)].map(({ name }) => name)));
  return [...names].filter((name) => !COMPRESSED.test(name) || !names.has(name.replace(COMPRESSED, "")))
    .map((name) => directory + name).filter(isSuitable).flatMap(stateAt);
}

function stateAt(path: string): Neighbour[] {
  const info = lookAt(path);
  return info?.isFile ? [{ path, ...stateOf(info) }] : [];
}
