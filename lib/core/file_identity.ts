/** Looks at files. A file's identity is no name: a new file under an old name has another identity. */
import { tried } from "./error.ts";

/** Returns the directory of an absolute path. */
export function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the file info of `path`; null: nothing is there, or this process may not look. */
export function lookAt(path: string): Deno.FileInfo | null {
  return tried(() => Deno.statSync(path));
}

/** Returns when a file or directory last changed, in milliseconds; null: nothing is there. */
export function modifiedAt(path: string): number | null {
  return lookAt(path)?.mtime?.getTime() ?? null;
}

/** Returns device and inode of a file. */
export function identityOf({ dev, ino }: { readonly dev: number; readonly ino: number | null }): string {
  return `${dev}:${ino}`;
}

/** Returns device and inode of the file at `path`; null: none, or not permitted to look. */
export function identityAt(path: string): string | null {
  const info = lookAt(path);
  return info && identityOf(info);
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
