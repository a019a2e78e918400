import { createHash } from "node:crypto";
import { dirname } from "node:path";

/** Copies a file, with the directories that it takes, and sets its mode. */
export function copy(from: string, to: string, mode: number): void {
  Deno.mkdirSync(dirname(to), { recursive: true });
  Deno.copyFileSync(from, to);
  Deno.chmodSync(to, mode);
}

/** Bytes packed by gzip(1) without a name or a time. */
export async function gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  // The operating system, which RFC 1952 leaves to the writer: 3 is Unix.
  packed[9] = 3;
  return packed;
}

/** SHA-256 of a file in hexadecimal digits. */
export function sha256(path: string): string {
  return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
}
