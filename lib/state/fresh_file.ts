/**
 * The files of a state that is replaced: a fresh one is made beside the old one, which is set aside by name and date before the
 * fresh one takes its place.
 */
import { SIDES } from "../core/state_files.ts";
import { close, connectSound, openAsItIs } from "./connect.ts";

/** Where a new file is made before it takes the place of `file`. */
export function freshOf(file: string): string {
  return `${file}.fresh`;
}

/** Reports whether no monitor has kept anything in a file: a command makes an empty one where another is about to be put. */
export function isUnused(file: string): boolean {
  if ((sizeOf(file) ?? 0) === 0) return true;
  const db = openAsItIs(file);
  try {
    return db !== null && db.prepare("SELECT 1 FROM position").get() === undefined;
  } catch {
    return false;
  } finally {
    close(db);
  }
}

/** Puts a new file into place that was made but not put there; returns whether there was a whole one. */
export function adoptFresh(file: string): boolean {
  const fresh = freshOf(file);
  if (sizeOf(fresh) === null) return false;
  try {
    const db = connectSound(fresh);
    try {
      // Rows come in one transaction, this one with them.
      if (db.prepare("SELECT 1 FROM meta WHERE key = 'host'").get() === undefined) return false;
    } finally {
      db.close();
    }
    // What is left beside the old file would be read as a part of the new one.
    setAside(file);
    Deno.renameSync(fresh, file);
    return true;
  } catch {
    return false;
  }
}

/** Renames a file and what lies beside it; returns the new name, or null where there was none. */
export function setAside(file: string): string | null {
  const aside = `${file}.damaged-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}Z`;
  const moved = SIDES.filter((side) => {
    try {
      Deno.renameSync(file + side, aside + side);
      return true;
    } catch {
      return false;
    }
  });
  return moved.includes("") ? aside : null;
}

/** Removes a file and what lies beside it. */
export function removeAll(file: string): void {
  for (const side of SIDES) {
    try {
      Deno.removeSync(file + side);
    } catch {
      // It is not there.
    }
  }
}

/** The size of a file in bytes; null: there is none. */
export function sizeOf(file: string): number | null {
  try {
    return Deno.statSync(file).size;
  } catch {
    return null;
  }
}
