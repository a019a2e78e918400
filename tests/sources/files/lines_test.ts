import { strict as assert } from "node:assert";
import { LineSplitter } from "../../../lib/sources/files/lines.ts";
import { MAX_LINE } from "../../../lib/core/entry.ts";

const encoder = new TextEncoder();

Deno.test("`LineSplitter.push()` gives the same lines wherever the pieces end", () => {
  const bytes = new Uint8Array([
    ...encoder.encode("one\n\ntwo \u20ac\u{1f600}\r\n\ufeffthree\r\r\n"),
    ...[0, 0, 97, 0, 98, 10, 0xff, 0xc3, 10, 0, 0, 10],
    ...encoder.encode("rest"),
  ]);
  const expected = ["one", "", "two \u20ac\u{1f600}", "\ufeffthree\r", "a\0b", "\ufffd\ufffd", ""];
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitter.push(bytes.slice(at, at + size)).lines);
    }
    assert.deepEqual(lines, expected, `pieces of ${size}`);
    assert.equal(splitter.pending, 4);
    assert.deepEqual(splitter.finish(), { lines: ["rest"], cut: 0 });
    assert.deepEqual([splitter.finish(), splitter.pending], [{ lines: [], cut: 0 }, 0]);
  }
});

Deno.test("`LineSplitter.push()` keeps its own copy of what it was given", () => {
  const splitter = new LineSplitter();
  const bytes = encoder.encode("kept");
  splitter.push(bytes);
  bytes.fill(120);
  assert.deepEqual(splitter.push(encoder.encode(" line\n")).lines, ["kept line"]);
});

Deno.test("`LineSplitter` cuts at the same character wherever the pieces end", () => {
  for (const [text, cut] of [["x".repeat(MAX_LINE), 0], ["\u20ac".repeat(MAX_LINE + 3), 1]] as const) {
    const bytes = encoder.encode(`${text}\n`);
    for (const size of [1_000, 4_096, 16_384, bytes.length]) {
      const splitter = new LineSplitter();
      const made = { lines: [] as string[], cut: 0 };
      for (let at = 0; at < bytes.length; at += size) {
        const { lines, cut } = splitter.push(bytes.subarray(at, at + size));
        made.lines.push(...lines);
        made.cut += cut;
      }
      assert.deepEqual(made, { lines: [text.slice(0, MAX_LINE)], cut });
    }
  }
});
