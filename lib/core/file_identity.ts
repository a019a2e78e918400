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
