import { strict as assert } from "node:assert";
import { KeyReader } from "../../../lib/commands/watch/keys.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

const CASES: readonly (readonly [title: string, text: string, keys: readonly string[]])[] = [
  ["characters", "aB?/", ["a", "B", "?", "/"]],
  ["characters beyond ASCII", "é漢😀", ["é", "漢", "😀"]],
  ["arrows of xterm, and of its application mode", "\x1b[A\x1b[B\x1bOC\x1bOD", [
    "up",
    "down",
    "right",
    "left",
  ]],
  ["arrows with modifiers", "\x1b[1;5A\x1b[1;2B", ["up", "down"]],
  ["keys of editing", "\x1b[5~\x1b[6~\x1b[1~\x1b[4~\x1b[H\x1b[F", [
    ...["pageup", "pagedown", "home", "end", "home", "end"],
  ]],
  ["controls", "\r\n\t\x7f\b\x03\x15\f\x1b[Z", [
    ...["enter", "enter", "tab", "backspace", "backspace", "interrupt", "clear", "redraw", "backtab"],
  ]],
  ["no key of what means nothing", "\x00\x1a\x1b[200~x\x1b[12;34R\x1b[?62c", ["x"]],
  ["the escape key before another key", "\x1bx", ["escape", "x"]],
  ["the escape key twice", "\x1b\x1b[A", ["escape", "up"]],
];

for (const [title, text, keys] of CASES) {
  Deno.test(`KeyReader reads ${title}`, () => {
    const reader = new KeyReader();
    assert.deepEqual(reader.read(bytes(text)), keys);
    assert.equal(reader.isWaiting, false);
  });

  Deno.test(`KeyReader reads ${title} byte by byte`, () => {
    const reader = new KeyReader();
    const read = [...bytes(text)].flatMap((byte) => reader.read(Uint8Array.of(byte)));
    assert.deepEqual(read, keys);
  });
}

Deno.test("KeyReader takes ESC for the escape key when nothing follows", () => {
  const reader = new KeyReader();
  assert.deepEqual(reader.read(bytes("\x1b")), []);
  assert.equal(reader.isWaiting, true);
  assert.deepEqual(reader.flush(), ["escape"]);
  assert.deepEqual([reader.isWaiting, reader.flush()], [false, []]);
  assert.deepEqual(reader.read(bytes("q")), ["q"]);
});

Deno.test("KeyReader keeps no endless sequence", () => {
  const reader = new KeyReader();
  const keys = reader.read(bytes(`\x1b[${"1;".repeat(50_000)}`));
  assert.equal(reader.isWaiting, false);
  assert.equal(keys[0], "escape");
});
