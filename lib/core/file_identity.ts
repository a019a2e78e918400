/** Identities of files, whatever their names: a new file under an old name has another identity. */

/** Returns device and inode of a file. */
export function identityOf({ dev, ino }: Pick<Deno.FileInfo, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}

/** Returns device and inode of the file at `path`; null: none, or not permitted to look. */
export function identityAt(path: string): string | null {
  try {
    return identityOf(Deno.statSync(path));
  } catch {
    return null;
  }
}

/** Reports whether there is nothing at `path`; false if this process may not look. */
export function isAbsent(path: string): boolean {
  try {
    Deno.statSync(path);
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}
