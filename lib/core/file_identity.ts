/** Files as what they are, whatever their names: two that one name stood for one after the other differ. */

/** Device and inode of what was looked at. */
export function identityOf({ dev, ino }: Pick<Deno.FileInfo, "dev" | "ino">): string {
  return `${dev}:${ino}`;
}

/** Device and inode of what is at `path`; null: nothing is, or nobody may look. */
export function identityAt(path: string): string | null {
  try {
    return identityOf(Deno.statSync(path));
  } catch {
    return null;
  }
}
