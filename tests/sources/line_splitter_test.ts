import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import { LineSplitter, MAX_LINE, SURROUNDINGS } from "../../lib/sources/line_splitter.ts";
import { RecordBuffer } from "../../lib/core/record_buffer.ts";
import { entriesOf } from "../support/records.ts";

const encoder = new TextEncoder();

/** A splitter with its buffer, which is given pieces. */
class Splitting {
  readonly splitter = new LineSplitter();
  readonly #buffer: RecordBuffer;

  constructor(size = 16) {
    this.#buffer = new RecordBuffer(size);
  }

  push(bytes: Uint8Array): { lines: string[]; cut: number } {
    this.splitter.begin(this.#buffer);
    this.#buffer.put(bytes);
    return this.#made(this.splitter.take(this.#buffer, 7));
  }

  finish(): { lines: string[]; cut: number } {
    this.splitter.begin(this.#buffer);
    return this.#made(this.splitter.finish(this.#buffer, 7));
  }

  #made(cut: number): { lines: string[]; cut: number } {
    return { lines: entriesOf(this.#buffer).map(({ message }) => message), cut };
  }
}

Deno.test("`LineSplitter` gives the same lines wherever the pieces end", () => {
  const bytes = new Uint8Array([
    ...encoder.encode("one\n\ntwo \u20ac\u{1f600}\r\n\ufeffthree\r\r\n"),
    ...[0, 0, 97, 0, 98, 10, 0xff, 0xc3, 10, 0, 0, 10],
    ...encoder.encode("rest"),
  ]);
  const expected = ["one", "", "two \u20ac\u{1f600}", "\ufeffthree\r", "a\0b", "\ufffd\ufffd", ""];
  for (let size = 1; size <= bytes.length; size++) {
    const splitting = new Splitting();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitting.push(bytes.slice(at, at + size)).lines);
    }
    assert.deepEqual(lines, expected, `pieces of ${size}`);
    assert.equal(splitting.splitter.pending, 4);
    assert.deepEqual(splitting.finish(), { lines: ["rest"], cut: 0 });
    assert.deepEqual([splitting.finish(), splitting.splitter.pending], [{ lines: [], cut: 0 }, 0]);
  }
});

Deno.test("`LineSplitter` keeps its own copy of what has come of a line", () => {
  const splitting = new Splitting();
  const bytes = encoder.encode("kept");
  splitting.push(bytes);
  bytes.fill(120);
  assert.deepEqual(splitting.push(encoder.encode(" line\n")).lines, ["kept line"]);
});

Deno.test("`LineSplitter` cuts at the same character wherever the pieces end", () => {
  for (const [text, cut] of [["x".repeat(MAX_LINE), 0], ["\u20ac".repeat(MAX_LINE + 3), 1]] as const) {
    const bytes = encoder.encode(`${text}\n`);
    for (const size of [1_000, 4_096, 16_384, bytes.length]) {
      const splitting = new Splitting();
      const made = { lines: [] as string[], cut: 0 };
      for (let at = 0; at < bytes.length; at += size) {
        const { lines, cut } = splitting.push(bytes.subarray(at, at + size));
        made.lines.push(...lines);
        made.cut += cut;
      }
      assert.deepEqual(made, { lines: [text.slice(0, MAX_LINE)], cut });
    }
  }
});

Deno.test("`LineSplitter` holds a bounded part of a line without an end", () => {
  const splitting = new Splitting();
  const piece = encoder.encode("y".repeat(1 << 16));
  for (let i = 0; i < 160; i++) splitting.push(piece);
  assert.equal(splitting.splitter.pending, 160 << 16);
  assert.deepEqual(splitting.push(encoder.encode("\nnext\n")), {
    lines: ["y".repeat(MAX_LINE), "next"],
    cut: 1,
  });
});

Deno.test("`LineSplitter` gives each line its surroundings, byte for byte, wherever the pieces end", () => {
  const lines = Array.from(
    { length: 400 },
    (_, i) => `${i} ${"z".repeat(i * 37 % 200)}${i % 9 ? "" : "\xff\0\0"}\n`,
  );
  const log = Uint8Array.from(lines.join(""), (char) => char.charCodeAt(0));
  for (const size of [1, 100, 4_096, 7_777, 65_536]) {
    const splitter = new LineSplitter();
    const buffer = new RecordBuffer(16);
    let passed = 0;
    for (let at = 0; at < log.length; at += size) {
      splitter.begin(buffer);
      buffer.put(log.subarray(at, at + size));
      splitter.take(buffer, 7, at + size < log.length);
      const { array, logged, fresh } = buffer.bytes;
      const reached = Math.min(log.length, at + size);
      assert.equal(Buffer.compare(array.subarray(0, logged), log.subarray(reached - logged, reached)), 0);
      assert.equal(reached - logged + fresh, passed);
      passed += splitter.added;
      assert(fresh >= Math.min(SURROUNDINGS, passed - splitter.added), `${size}`);
      if (splitter.added > 0 && reached < log.length) assert(reached - passed >= SURROUNDINGS - 1, `${size}`);
    }
    assert.equal(passed, log.length);
  }
});
