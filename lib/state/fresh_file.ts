/**
 * Replaces the files of a state: makes a fresh one beside the old one, sets the old one aside by
 * name and date, and puts the fresh one in its place.
 */
import { tried } from "../core/error.ts";
import { directoryOf, lookAt } from "../core/file_identity.ts";
import { SIDES } from "../core/state_files.ts";
import { close, connectSound, openAsItIs } from "./connect.ts";

/** Returns the path of a new file before it replaces `file`. */
export function freshOf(file: string): string {
  return `${file}.fresh`;
}

/** Reports whether no monitor has used a file, as a command may make an empty one. */
export function isUnused(file: string): boolean {
  if ((lookAt(file)?.size ?? 0) === 0) return true;
  const db = openAsItIs(file);
  try {
    return db !== null && db.prepare("SELECT 1 FROM position").get() === undefined;
  } catch {
    return false;
  } finally {
    close(db);
  }
}

/** Puts a finished new file in place; false: there is no whole one. */
export function adoptFresh(file: string): boolean {
  const fresh = freshOf(file);
  if (lookAt(fresh) === null) return false;
  try {
    const db = connectSound(fresh);
    try {
      // All rows come in one transaction with this one.
      if (db.prepare("SELECT 1 FROM meta WHERE key = 'host'").get() === undefined) return false;
    } finally {
      db.close();
    }
    // SQLite would read files left beside the old one as part of the new one.
    setAside(file);
    Deno.renameSync(fresh, file);
    return true;
  } catch {
    return false;
  }
}

/** Files set aside that are kept: more could fill the disk. */
const MOST_ASIDE = 3;

/**
 * Renames a file and those beside it, and removes the oldest files that were set aside before.
 * Returns the new name, or null if there was none.
 */
export function setAside(file: string): string | null {
  const start = `${file}.damaged-`;
  const aside = `${start}${new Date().toISOString().slice(0, 19).replaceAll(":", "")}Z`;
  const moved = SIDES.filter((side) => {
    try {
      Deno.renameSync(file + side, aside + side);
      return true;
    } catch {
      return false;
    }
  });
  if (!moved.includes("")) return null;
  for (const old of filesAside(start).slice(0, -MOST_ASIDE)) removeAll(old);
  return aside;
}

/** Returns the files whose paths begin with `start` and end with a time, oldest first. */
function filesAside(start: string): string[] {
  const folder = directoryOf(start);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`);
  return names.filter((path) => path.startsWith(start) && path.endsWith("Z")).sort();
}

/** Removes a file and those beside it. */
export function removeAll(file: string): void {
  for (const side of SIDES) {
    // There may be none.
    tried(() => Deno.removeSync(file + side));
  }
}
