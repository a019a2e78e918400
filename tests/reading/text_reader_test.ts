import { strict as assert } from "node:assert";
import { decode, encode } from "../../lib/core/bytes.ts";
import { TextForm, type TextParser } from "../../lib/reading/text_reader.ts";
import { messageParser } from "../support/messages.ts";

/** Reads `ADDRESS NAME=VALUE…`, in which values hold no blanks. */
const parse: TextParser = (message) => {
  const [address, ...pairs] = message.split(" ");
  if (!/^[\d.-]+$/.test(address!)) return null;
  return {
    address: address === "-" ? null : address!,
    fields: Object.fromEntries(pairs.map((pair) => pair.split("="))),
  };
};
const FIELDS = ["user", "path", "constructor", "message"];

Deno.test("`TextReader` gives the fields that its form names, and `message` as it was read", () => {
  const read = messageParser(new TextForm({ fields: FIELDS, parse }));
  assert.deepEqual(read("192.0.2.1 user=bob other=x message=y"), {
    address: "192.0.2.1",
    fields: { user: "bob" },
    says: 0,
    status: 0,
    time: null,
    stamp: null,
  });
  assert.deepEqual(read("192.0.2.2 path= constructor=é")?.fields, { path: "", constructor: "é" });
  assert.equal(read("- user=bob")?.address, null);
  assert.equal(read("192.0.2.300 user=bob")?.address, null);
  assert.equal(read("x user=bob"), null);
});

Deno.test("`TextReader.bytesOf()` encodes fields in any order, however long they are", () => {
  const reader = new TextForm({ fields: FIELDS, parse }).open();
  const [user, path] = ["é".repeat(3_000), "x".repeat(50_000)];
  const { bytes, end } = encode(`192.0.2.1 user=${user} path=${path}`);
  assert.ok(reader.read(bytes, 0, end));
  const textOf = (field: number) => {
    const bytes = reader.bytesOf(field);
    return decode(bytes, reader.from[field]!, reader.to[field]!);
  };
  for (const field of [1, 2, 1, 2]) assert.equal(textOf(field), [user, path][field - 1]);
  assert.equal(reader.bytesOf(0), bytes);
  assert.ok(reader.from[3]! < 0, "no field constructor");
  reader.bytesOf(3);
  assert.ok(reader.from[3]! < 0);
});

Deno.test("`TextReader.read()` decodes no message that cannot be one", () => {
  const seen: string[] = [];
  const read = messageParser(
    new TextForm({
      fields: [],
      parse: (message) => (seen.push(message), null),
      isPossible: ({ array }, from, to) => from < to && array[from] === 0x61,
    }),
  );
  for (const text of ["a", "b", "", "aé"]) assert.equal(read(text), null);
  assert.deepEqual(seen, ["a", "aé"]);
});
