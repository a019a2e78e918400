import { strict as assert } from "node:assert";
import { inLowerCase, whyNotLinear } from "../../lib/reading/regex_safety.ts";
import { notLinear, Random } from "../support/random.ts";

const LINEAR = [
  "^(a+)+$",
  "a{16}",
  "a{4,}",
  "(a{4}){4}",
  "^[a-z]{1,3}x",
  "(?<n>a|b)*c",
  "\\bfoo\\b",
  "a{0,16}",
  "(?:a{3})*",
  "a*?",
  "((((a+)+)+)+)",
  "[+]+a+b+c+d+",
  "(?:(?:a+)+)+|(?:b{16})",
  "\\p{L}",
  "[^]{2}",
  "",
  "$.^",
];
const NOT_LINEAR: readonly (readonly [source: string, why: RegExp])[] = [
  ["(a)\\1", /holds a back-reference/],
  ["(?<n>a)\\k<n>", /holds a back-reference/],
  ["(?=a)b", /holds a look-ahead/],
  ["(?!a)b", /holds a look-ahead/],
  ["(?<!a)b", /holds a look-behind/],
  ["a{17}", /repeats a\{17\} by counting to more than 16/],
  ["a{2,45}", /repeats a\{2,45\} by counting/],
  ["(a{4}){5}", /by counting/],
  ["(?:a{5}|b{6}){3}", /by counting/],
  ["(?:(?:a{5})+)+", /by counting/],
  ["(((((a+)+)+)+)+)", /repeats .* by counting to more than 16/],
  ["(?i:a)", /holds modifiers/],
  ["(a", /is no regular expression: Unterminated group/],
  ["[b-a]", /is no regular expression: Range out of order/],
  ["*", /is no regular expression: Nothing to repeat/],
];

Deno.test("`whyNotLinear()` tells what keeps V8 from matching in linear time", () => {
  for (const source of LINEAR) assert.equal(whyNotLinear(source), null, source);
  for (const [source, why] of NOT_LINEAR) assert.match(whyNotLinear(source)!, why);
});

Deno.test("`whyNotLinear()` passes nothing that V8 would refuse to match in linear time", async () => {
  const random = new Random(20_260_401);
  const atoms = ["a", ".", "[ab]", "\\d", "\\b", "^", "$", "(?=a)", "(?!b)", "\\1", "\\."];
  const counts = ["", "", "", "*", "+", "?", "{3}", "{2,5}", "{9}", "{20}", "{0,17}", "*?", "{4,}"];
  const expression = (depth: number): string =>
    random.times(1 + random.below(3), () => {
      const group = () => `${random.pick(["(", "(?:"])}${expression(depth - 1)}|${expression(depth - 1)})`;
      const atom = depth > 0 && random.below(2) === 0 ? group() : random.pick(atoms);
      const isAssertion = /^(?:\\b|\^|\$|\(\?[=!])/.test(atom);
      return atom + (isAssertion ? "" : random.pick(counts));
    }).join("");
  const passed = random.times(5_000, () => expression(2)).filter((source) => whyNotLinear(source) === null);
  assert.ok(passed.length > 300, `${passed.length} passed`);
  assert.deepEqual(await notLinear(passed.map((source) => new RegExp(source, "s"))), []);
});

/** Expressions that backtracking alone would match in time far beyond linear, and what their texts are made of. */
const HARD = [["^(a+)+$", "a"], ["^(a|aa)+$", "a"], ["(a*)*b", "a"], ["^(?:\\w+\\s?)*$", "a"], [
  "(?:.*,)*x",
  ",",
]];

Deno.test("what `whyNotLinear()` passes ends on a text of a million characters", async () => {
  for (const [source] of HARD) assert.equal(whyNotLinear(source!), null, source);
  // In linear time a second; in the square of that, days.
  const program = `for (const [source, piece] of JSON.parse(Deno.args[0])) {
      new RegExp(source, "s").exec(piece.repeat(1_000_000) + "!");
      console.log(source);
    }`;
  const file = await Deno.makeTempFile({ suffix: ".js" });
  try {
    await Deno.writeTextFile(file, program);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--v8-flags=--enable-experimental-regexp-engine-on-excessive-backtracks",
        file,
        JSON.stringify(HARD),
      ],
      signal: AbortSignal.timeout(240_000),
    }).output();
    const ended = new TextDecoder().decode(stdout).trim().split("\n");
    assert.deepEqual(ended, HARD.map(([source]) => source));
  } finally {
    await Deno.remove(file);
  }
});

for (
  const [source, lower] of [
    ["^Invalid user|\\SNMP", "^invalid user|\\Snmp"],
    ["[A-F0-9][^X]\\x41", "[A-Fa-f0-9][^x]a"],
    ["[@-Z]", "[@-Za-z]"],
    ["(?<Name>A)\\W\\n", "(?<Name>a)\\W\\n"],
    ["[!-~]", "[!-~a-z]"],
    ["[+\\--z]x", "[+\\--za-z]x"],
    ["[a\\--~]", "[a\\--~a-z]"],
    ["\\\\S", "\\\\s"],
    ["[x(?:-b]", "[x(?:-ba-z]"],
    ["[[-_^9-_]", "[[-_^9-_a-z]"],
    ["\\N\\101\\u0042", "nab"],
    ["(", "("],
  ] as const
) {
  Deno.test(`\`inLowerCase()\` makes ${source} find its capitals in text without any`, () => {
    assert.equal(inLowerCase(source), lower);
  });
}

Deno.test("`inLowerCase()` finds in lower case what the flag `i` finds in any", () => {
  const random = new Random(7);
  const parts = [
    "A",
    "b",
    "Cd",
    "[A-C]",
    "[^B]",
    "[^A-b]",
    "\\W",
    "\\x43",
    ".",
    "(?:A|bD)",
    "d?",
    "[B-]",
    "[!-~]",
    "[0-\\]]",
    "\\N",
  ];
  for (let round = 0; round < 2_000; round++) {
    const source = Array.from({ length: 3 }, () => random.pick(parts)).join("");
    const text = Array.from({ length: 5 }, () => random.pick(["a", "B", "c", "D", "^", "-"])).join("");
    assert.equal(
      new RegExp(inLowerCase(source), "s").test(text.toLowerCase()),
      new RegExp(source, "is").test(text),
      `${source} on ${text}`,
    );
  }
});
