import { createHash } from "node:crypto";
import { dirname } from "node:path";

/** Copies a file, creates missing directories, and sets the mode. */
export function copy(from: string, to: string, mode: number): void {
  Deno.mkdirSync(dirname(to), { recursive: true });
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, mode);
}

/** Returns the SHA-256 of a file as hexadecimal digits. */
export function sha256(path: string): string {
  return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
}
