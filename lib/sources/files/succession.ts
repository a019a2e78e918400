import { isReadable } from "./names.ts";
import type { Opener } from "./opening.ts";
import type { KnownFile } from "./position.ts";
import { findNewer, MAX_TRIES } from "./rotation.ts";
import type { Tail } from "./tail.ts";
import type { KnownFiles } from "./known_files.ts";

/** The log's files, and how to open more of them. */
interface Means {
  readonly files: KnownFiles;
  readonly opener: Opener;
  /** The next file that is open. */
  readonly successor?: Tail | undefined;
}

/**
 * Opens the files that were rotated away after `last`, before anybody saw them, in front of the
 * successor. Returns false if there were none.
 */
export async function takeNewer(last: KnownFile, means: Means): Promise<boolean> {
  const before = means.files.open.length;
  for (let tries = 1; tries <= MAX_TRIES && !await takeAll(last, means); tries++);
  return means.files.open.length > before;
}

/** Returns false if a file had changed since it was found. */
async function takeAll(last: KnownFile, { files, opener, successor }: Means): Promise<boolean> {
  for (const file of await findNewer(last, files.all)) {
    if (!isReadable(file.path)) {
      opener.report(file.path, "it was compressed by something else than gzip");
      continue;
    }
    const tail = await opener.open(file, { path: last.path, offset: 0, time: last.time });
    if (!tail) return false;
    if (await isOpen(tail, files)) tail[Symbol.dispose]();
    else files.add(tail, successor && files.open.indexOf(successor));
  }
  return true;
}

/** Reports whether a copy is of an open file, rotated away perhaps since it was opened. */
async function isOpen(copy: Tail, { open }: KnownFiles): Promise<boolean> {
  for (const tail of open.filter(({ path }) => path === copy.path)) {
    // An empty tail must not learn its head here: its earlier lines are still to be found.
    const isSame = tail.head.length > 0 ? copy.isCopyOf(tail.head) : tail.isCopyOf(copy.head);
    if (await isSame) return true;
  }
  return false;
}
