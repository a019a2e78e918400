import { strict as assert } from "node:assert";
import { parse, type ParseError } from "jsonc-parser";
import { plainValue } from "../../lib/config/plain_value.ts";
import { SHIPPED } from "../../lib/config/shipped.ts";
import { Random } from "../support/random.ts";

const ALLOWED = { allowTrailingComma: true };

/** Texts that are read at once. */
const PLAIN = [
  SHIPPED,
  "{}",
  " [ ] // end",
  '{ "a": 1, /* , */ "b": [true, null, -0.5e3,],\n}',
  '{ "a//b": "/* c */", "\\"": "\\\\" }',
  '"text: \\u0041"',
  '{ "__proto__": { "a": "b" } }',
  '{ "a": [",", "]"], }\r\n// no more',
  '{ "a" /* a key all the same */ : 1, "b" // and this\n: 2 }',
  "[".repeat(32) + "]".repeat(32),
];
/** Texts that need a closer look. */
const DOUBTFUL = [
  "",
  "// nothing",
  "[,]",
  "{ , }",
  "[1,,]",
  "[1 /* never closed",
  '{ "a": 1, "a": 2 }',
  '{ "a": 1, "\\u0061": 2 }',
  '{ "a" /* a key all the same */ : 1, "a": 2 }',
  '{ "a": 1/**/2 }',
  "{ a: 1 }",
  '{ "a": "tab\t" }',
  '{ "a": "b /*\\\n*/ c" }',
  '{ "a": 1 } 2',
  "[".repeat(33) + "]".repeat(33),
  "[".repeat(100_000),
  `"${" ".repeat(10_000_000)}`,
];

Deno.test("`plainValue()` reads what the JSONC parser reads", () => {
  for (const text of PLAIN) assert.deepEqual(plainValue(text)?.value, parse(text, [], ALLOWED), text);
});

Deno.test("`plainValue()` leaves what is wrong, or may be, to the JSONC parser", () => {
  for (const text of DOUBTFUL) assert.equal(plainValue(text), null, text.slice(0, 80));
});

Deno.test("`plainValue()` agrees with the JSONC parser about random texts", () => {
  const random = new Random(20_261_130);
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "\n",
    '"a"',
    '"b":',
    '"//"',
    "1",
    "null",
    "//x\n",
    "/*,*/",
    "/*",
    "*/",
    "\\",
    '"',
  ];
  let read = 0;
  for (let i = 0; i < 50_000; i++) {
    const inner = random.times(random.below(9), () => random.pick(pieces)).join("");
    const text = random.pick([`[${inner}]`, `{"k":${inner}}`, inner]);
    const plain = plainValue(text);
    if (plain === null) continue;
    read++;
    const errors: ParseError[] = [];
    assert.deepEqual(plain.value, parse(text, errors, ALLOWED), text);
    assert.deepEqual(errors, [], text);
  }
  assert.ok(read > 1_000, `${read} were read`);
});
