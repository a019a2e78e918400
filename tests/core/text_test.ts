import { strict as assert } from "node:assert";
import { bounded, counted, printable } from "../../lib/core/text.ts";

Deno.test("`printable()` names each character that steers a terminal, fakes a line or reorders it", () => {
  const steering = [
    ["\x1b[31m", "\\x1b[31m"],
    ["a\nb\r\t\0", "a\\x0ab\\x0d\\x09\\x00"],
    ["\x7f\x85\x9b2J", "\\x7f\\x85\\x9b2J"],
    ["\u2028\u2029", "\\u{2028}\\u{2029}"],
    ["\u202egpj.exe\u202c", "\\u{202e}gpj.exe\\u{202c}"],
    ["\u2066a\u2069", "\\u{2066}a\\u{2069}"],
    ["ad\u200bmin\ufeff\xad", "ad\\u{200b}min\\u{feff}\\xad"],
    ["\u{e0041}", "\\u{e0041}"],
    ["\ud800x", "\\u{d800}x"],
  ] as const;
  for (const [text, expected] of steering) assert.equal(printable(text), expected);
});

Deno.test("`printable()` leaves letters of all scripts, marks and emoji as they are", () => {
  for (const text of ["käse ", "שלום", "日本語", "e\u0301", "\u{1f600}", '\\x1b "%s"']) {
    assert.equal(printable(text), text);
  }
});

Deno.test("`bounded()` cuts before a character, not within it", () => {
  const texts = ["abcd", "abcdef", "abc\u{1f600}", "ab\u{1f600}\u{1f600}", "abcd\u{1f600}", "a\x1bbc"];
  assert.deepEqual(texts.map((text) => bounded(text, 4)), ["abcd", "abc…", "abc…", "ab…", "abc…", "a\\x…"]);
});

Deno.test("`counted()` speaks of one and of many", () => {
  assert.deepEqual([0, 1, 2].map((count) => counted(count, "ban")), ["0 bans", "1 ban", "2 bans"]);
  assert.equal(counted(2, "address"), "2 addresses");
  assert.equal(counted(2, "failed try", "failed tries"), "2 failed tries");
});
