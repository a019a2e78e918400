import { strict as assert } from "node:assert";
import { decode, encode, LineEnds, Literal, makeBytes, PADDING } from "../../lib/core/bytes.ts";
import { Random } from "../support/random.ts";

Deno.test("`makeBytes()` leaves padding behind the room", () => {
  const { array, view } = makeBytes(3);
  assert.equal(array.length, 3 + PADDING);
  array[2] = 7;
  assert.equal(view.getUint8(2), 7);
});

Deno.test("`decode()` gives back what `encode()` was given, byte order mark and NUL included", () => {
  for (const text of ["", "a", "\ufeffabc", "x\0y", "é\u{1f600}"]) {
    const { bytes, end } = encode(text);
    assert.equal(decode(bytes, 0, end), text);
  }
  const { bytes, end } = encode("Günther");
  assert.equal(decode(bytes, 0, 2), "G\ufffd");
  assert.equal(decode(bytes, 3, end), "nther");
});

Deno.test("`Literal.isAt()` finds texts of every length where they stand, and nowhere else", () => {
  const text = "Failed password for é from 192.0.2.1 port 22 ssh2";
  const { bytes, end } = encode(text);
  for (let length = 0; length <= 24; length++) {
    for (let from = 0; from + length <= end; from++) {
      const literal = new Literal(bytes.array.slice(from, from + length));
      assert.equal(literal.length, length);
      for (let at = 0; at <= end; at++) {
        const stands = literal.bytes.every((byte, i) => bytes.array[at + i] === byte);
        assert.equal(literal.isAt(bytes, at), stands, `${from} ${length} at ${at}`);
      }
    }
  }
});

Deno.test("`Literal.isAt()` is told by every single byte", () => {
  for (const text of ["a", "ab", "abc", "abcd", "abcde", "abcdefgh", "abcdefghi"]) {
    for (let i = 0; i < text.length; i++) {
      const { bytes } = encode(`${text.slice(0, i)}X${text.slice(i + 1)}`);
      assert.equal(new Literal(text).isAt(bytes, 0), false);
    }
  }
});

Deno.test("`Literal.isWithin()` finds a text that ends where the range does, and none that goes beyond", () => {
  const { bytes } = encode("info: x");
  assert.equal(new Literal("info").isWithin(bytes, 0, 4), true);
  assert.equal(new Literal("info").isWithin(bytes, 0, 3), false);
  assert.equal(new Literal("").isWithin(bytes, 4, 4), true);
});

Deno.test("`Literal.isAt()` looks at no byte behind the buffer", () => {
  const { bytes, end } = encode("Connection ");
  assert.equal(new Literal("Connection closed by authenticating user ").isAt(bytes, 0), false);
  assert.equal(new Literal("n").isAt(bytes, end), false);
});

Deno.test("`LineEnds.next()` finds each line feed, and none behind the end of the range", () => {
  const ends = new LineEnds();
  const { bytes, end } = encode("a\n\nbcde\nfghijklmn");
  assert.equal(ends.next(bytes, 0, end), 1);
  assert.equal(ends.next(bytes, 2, end), 2);
  assert.equal(ends.next(bytes, 3, end), 7);
  assert.equal(ends.next(bytes, 8, end), end);
  assert.equal(ends.next(bytes, 3, 5), 5);
  assert.equal(ends.next(bytes, 3, 3), 3);
});

Deno.test("`LineEnds.isASCII` tells of the bytes before the line feed alone", () => {
  const random = new Random(7);
  const ends = new LineEnds();
  for (let i = 0; i < 20_000; i++) {
    const content = random.times(
      random.below(24),
      () => random.pick([97, 10, 11, 9, 0x8a, 0xc3, 0, 127, 128, 98]),
    );
    const bytes = makeBytes(content.length);
    bytes.array.set(content);
    bytes.array.fill(random.pick([0, 10, 255]), content.length);
    const from = random.below(content.length + 1);
    const to = from + random.below(content.length - from + 1);
    const feed = content.slice(from, to).indexOf(10);
    const end = feed < 0 ? to : from + feed;
    assert.equal(ends.next(bytes, from, to), end);
    assert.equal(
      ends.isASCII,
      content.slice(from, end).every((byte) => byte < 128),
      `${content} ${from} ${to}`,
    );
  }
});
