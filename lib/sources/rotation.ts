import { basename, dirname } from "node:path";
import { list } from "./glob.ts";
import { headOf, type Mark } from "./tail.ts";

/** How programs that rotate logs name what they put aside. */
const PUT_ASIDE = /\.(?:\d+|old|gz|xz|bz2|zst)$|-\d{8}(?:-?\d{2,})?$/;
const GZIP = /\.gz$/;

/** Whether a name is that of a log which was put aside. */
export function isPutAside(path: string): boolean {
  return PUT_ASIDE.test(basename(path));
}

/** A file in which reading goes on. */
export interface Place {
  readonly path: string;
  readonly isPacked: boolean;
  /** When it was last written to, in milliseconds. */
  readonly modified: number;
}

/**
 * Where the file of `mark` is now: under its name, under another one in the same directory, or as a copy, packed or not.
 * Null when it is gone.
 */
export async function locate(mark: Mark): Promise<Place | null> {
  const places = siblings(mark.path);
  const own = places.find(({ path }) => isSame(path, mark));
  if (own && await beginsAs(own, mark)) return own;
  if (mark.head.length === 0) return null;
  for (const place of places.filter(({ path }) => path !== mark.path)) {
    if (await beginsAs(place, mark)) return place;
  }
  return null;
}

/** What was put aside of the log `path` since `than` was last written to, oldest first. */
export function putAsideSince(path: string, than: Place): Place[] {
  return siblings(path)
    .filter((place) => place.path !== path && place.path !== than.path && place.modified > than.modified)
    .toSorted((a, b) => a.modified - b.modified);
}

/** The log `path` itself, and what may have been put aside of it. */
function siblings(path: string): Place[] {
  const directory = dirname(path);
  const stem = basename(path).replace(/\.[^.]*$/, "");
  return list(directory)
    .filter((name) => name.startsWith(stem))
    .flatMap((name) => {
      const sibling = `${directory}/${name}`;
      const info = stat(sibling);
      const isOwn = sibling === path || name.startsWith(`${basename(path)}.`) ||
        name.startsWith(`${basename(path)}-`) ||
        /^-\d{8}/.test(name.slice(stem.length));
      return info?.isFile && isOwn
        ? [{ path: sibling, isPacked: GZIP.test(name), modified: info.mtime?.getTime() ?? 0 }]
        : [];
    });
}

function stat(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch {
    return null;
  }
}

function isSame(path: string, { device, inode }: Mark): boolean {
  const info = stat(path);
  return info?.dev === device && info.ino === inode;
}

/** Whether a file begins as that of `mark` did, and is as long as it was read at least. */
async function beginsAs({ path, isPacked }: Place, { head, offset }: Mark): Promise<boolean> {
  if (!isPacked && (stat(path)?.size ?? 0) < offset) return false;
  try {
    const bytes = new Uint8Array(head.length);
    let filled = 0;
    for await (const chunk of bytesOf({ path, isPacked })) {
      bytes.set(chunk.subarray(0, head.length - filled), filled);
      filled += chunk.length;
      if (filled >= head.length) break;
    }
    return filled >= head.length && headOf(bytes).hash === head.hash;
  } catch {
    // Unreadable or no archive at all: not ours.
    return false;
  }
}

/** What a file holds, unpacked. */
export async function* bytesOf(
  { path, isPacked }: Pick<Place, "path" | "isPacked">,
): AsyncGenerator<Uint8Array> {
  const { readable } = await Deno.open(path);
  yield* isPacked ? readable.pipeThrough(new DecompressionStream("gzip")) : readable;
}
