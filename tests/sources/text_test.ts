import { strict as assert } from "node:assert";
import { textLines } from "../../lib/sources/text.ts";
import { MAX_LINE } from "../../lib/core/entry.ts";

const KEPT = MAX_LINE;
const encoder = new TextEncoder();

function chunksOf(bytes: Uint8Array, size: () => number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + size();
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

async function linesOf(chunks: readonly (Uint8Array | string)[]): Promise<string[]> {
  const bytes = chunks.map((chunk) => typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  const lines: string[] = [];
  for await (const batch of textLines(ReadableStream.from(bytes))) {
    assert.notEqual(batch.length, 0, "a batch holds at least one line");
    lines.push(...batch);
  }
  return lines;
}

const CASES: readonly (readonly [name: string, text: string, lines: string[]])[] = [
  ["nothing", "", []],
  ["one empty line", "\n", [""]],
  ["no end of the last line", "a\nb", ["a", "b"]],
  ["an end of the last line", "a\nb\n", ["a", "b"]],
  ["empty lines", "\n\na\n\n", ["", "", "a", ""]],
  ["CR LF", "a\r\nb\r\n\r\nc\r", ["a", "b", "", "c"]],
  ["CR within a line", "a\rb\r\r\n", ["a\rb\r"]],
  ["NUL and escapes", "a\0b\x1b[0m\n\0\n", ["a\0b\x1b[0m", "\0"]],
  ["other line ends of Unicode", "a\u2028b\u2029c\x85d\n", ["a\u2028b\u2029c\x85d"]],
  ["text beyond ASCII", "Grüße €\n\u{1f600}\n", ["Grüße €", "\u{1f600}"]],
];

for (const [name, text, lines] of CASES) {
  Deno.test(`\`textLines()\` reads ${name}, in whatever chunks it comes`, async () => {
    const bytes = encoder.encode(text);
    for (const size of [1, 2, 3, 5, 1_000]) {
      assert.deepEqual(await linesOf(chunksOf(bytes, () => size)), lines);
    }
  });
}

Deno.test("`textLines()` replaces invalid UTF-8 and reads on", async () => {
  const bytes = Uint8Array.of(0x61, 0xff, 0x62, 0x0a, 0xe2, 0x82, 0x0a, 0xc0, 0xaf, 0x0a, 0x63, 0xf0, 0x9f);
  const lines = ["a\ufffdb", "\ufffd", "\ufffd\ufffd", "c\ufffd"];
  for (const size of [1, 2, 3, 100]) assert.deepEqual(await linesOf(chunksOf(bytes, () => size)), lines);
});

Deno.test("`textLines()` does not care where a stream is cut into chunks", async () => {
  let seed = 7;
  const random = (limit: number) => (seed = (seed * 48_271) % 2_147_483_647) % limit;
  const pieces = [
    "\n",
    "\r\n",
    "a",
    "é",
    "\u{1f600}",
    "€",
    " from 203.0.113.5",
    "x".repeat(400),
    "y".repeat(KEPT),
  ];
  for (let round = 0; round < 40; round++) {
    const text = Array.from({ length: random(60) }, () => pieces[random(pieces.length)]!).join("");
    const bytes = encoder.encode(text).map((byte) => random(97) === 0 ? 0xfe : byte);
    const cut = await linesOf(chunksOf(bytes, () => 1 + random([1, 10, 500, 20_000][random(4)]!)));
    assert.deepEqual(cut, await linesOf([bytes]));
    assert.deepEqual(cut, split(new TextDecoder().decode(bytes)));
  }
});

/** The same, the simple way. */
function split(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => line.replace(/\r$/, "").slice(0, KEPT));
}

Deno.test("`textLines()` cuts a line of 10 MB and reads the next one whole", async () => {
  const large = Array.from({ length: 160 }, () => "z".repeat(65_536));
  const lines = await linesOf(["before\n", ...large, "\nafter\n", ...large]);
  assert.deepEqual(lines.map(({ length }) => length), [6, KEPT, 5, KEPT]);
  assert.equal(lines[2], "after");
});

Deno.test("`textLines()` hands over lines as soon as they are complete", async () => {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const lines = textLines(readable);
  writer.write(encoder.encode("a\nb\nc"));
  assert.deepEqual((await lines.next()).value, ["a", "b"]);
  writer.write(encoder.encode("d\n"));
  assert.deepEqual((await lines.next()).value, ["cd"]);
  writer.close();
  assert.equal((await lines.next()).done, true);
});

Deno.test("`textLines()` lets go of the stream when its reader stops", async () => {
  let cancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(encoder.encode("a\n")),
    cancel: () => void (cancelled = true),
  });
  for await (const lines of textLines(stream)) {
    assert.deepEqual(lines, ["a"]);
    break;
  }
  assert(cancelled);
});

Deno.test("`textLines()` passes on what breaks the stream", async () => {
  const stream = new ReadableStream<Uint8Array>({ start: (c) => c.error(new Error("disk on fire")) });
  await assert.rejects(async () => await textLines(stream).next(), /disk on fire/);
});
