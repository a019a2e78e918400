import { strict as assert } from "node:assert";
import { gunzip } from "../../lib/core/gzip.ts";

async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

async function unpacked(packed: Iterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of gunzip(packed)) parts.push(part);
  return await new Blob(parts as BlobPart[]).text();
}

Deno.test("`gunzip()` yields all members of a file, wherever chunks are cut", async () => {
  const bytes = [...await gzip("one\n".repeat(50_000)), ...await gzip(""), ...await gzip("two\n")];
  const expected = "one\n".repeat(50_000) + "two\n";
  for (const size of [1, 7, 64, bytes.length]) {
    const chunks = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => new Uint8Array(bytes.slice(i * size, (i + 1) * size)),
    );
    assert.equal(await unpacked(chunks), expected, `chunks of ${size} bytes`);
  }
});

Deno.test("`gunzip()` throws for data that are cut off or never were gzip, and what its input throws", async () => {
  const bytes = await gzip("one\n".repeat(50_000));
  await assert.rejects(unpacked([bytes.subarray(0, -5)]), /unexpected end of file/);
  await assert.rejects(
    unpacked([new TextEncoder().encode("this was never packed")]),
    /incorrect header check/,
  );
  function* failing() {
    yield bytes.subarray(0, 20);
    throw new Error("the disk is gone");
  }
  await assert.rejects(unpacked(failing()), /the disk is gone/);
});

Deno.test("`gunzip()` reads no further once its reader has gone", async () => {
  const bytes = await gzip(Array.from({ length: 200_000 }, (_, i) => `${i * 7919 % 100_003}\n`).join(""));
  let read = 0;
  function* chunks() {
    for (let at = 0; at < bytes.length; at += 1_000, read++) yield bytes.subarray(at, at + 1_000);
  }
  for await (const _ of gunzip(chunks())) break;
  const then = read;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(read, then);
  assert.ok(1_000 * read < bytes.length);
});
