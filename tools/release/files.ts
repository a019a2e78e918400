import { createHash } from "node:crypto";
import { dirname } from "node:path";

/** Copies a file, creates missing directories, and sets the mode. */
export function copy(from: string, to: string, mode: number): void {
  Deno.mkdirSync(dirname(to), { recursive: true });
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, mode);
}

/** Writes a file that everyone may read, whatever the umask. */
export function write(path: string, text: string): void {
  Deno.writeTextFileSync(path, text);
  Deno.chmodSync(path, 0o644);
}

/** Copies a folder with all files and folders in it, readable by everyone. */
export function copyFolder(from: string, to: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(from)) {
    if (isDirectory) copyFolder(`${from}/${name}`, `${to}/${name}`);
    else copy(`${from}/${name}`, `${to}/${name}`, 0o644);
  }
}

/** Returns the SHA-256 of bytes as hexadecimal digits. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
