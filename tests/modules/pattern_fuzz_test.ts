import { strict as assert } from "node:assert";
import { pattern } from "../../modules/pattern/pattern.ts";
import { FUZZ_LINES, Random } from "../support/random.ts";
import { messageParser, NO_OPTIONS } from "../support/messages.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/modules.md", import.meta.url));
const EXAMPLES = [...PAGE.matchAll(/```jsonc\n(.*?)```/gs)].map(([, text]) => example(text!));
const SEED = 20_260_402;
const TRUE = "203.0.113.5";
const DECOYS = ["198.51.100.7", "2001:db8:bad::7", "::ffff:198.51.100.7"];

/** A module of the document, a line that it reads, and the ranges of that line that others may choose. */
function example(text: string) {
  const [[name, written]] = Object.entries((JSON.parse(text) as Written).modules) as [
    [string, WrittenModule],
  ];
  const patterns = [written.pattern].flat();
  const [line] = [written.rules[0]!.tests.match].flat() as [string];
  const found = new RegExp(patterns[0]!.replace("<ADDR>", "203\\.0\\.113\\.5"), "ds").exec(line)!;
  const spans = Object.values(found.indices!.groups ?? {}).filter((span) => span !== undefined);
  const parse = messageParser(
    pattern.form({ ...NO_OPTIONS, patterns }),
  );
  // Nothing can follow the address at the end of a pattern that ends with "$".
  return { name, parse, line, spans, isOpen: !patterns[0]!.endsWith("$") };
}

interface WrittenModule {
  readonly pattern: string | readonly string[];
  readonly rules: readonly { readonly tests: { readonly match: string | readonly string[] } }[];
}
type Written = { modules: Record<string, WrittenModule> };

/** What whoever connects makes of a name: addresses, whole lines, and pieces of such lines. */
function hostile(random: Random, line: string): string {
  const elsewhere = line.replaceAll(TRUE, random.pick(DECOYS));
  const cut = random.below(elsewhere.length);
  return random.times(random.below(4), () =>
    random.pick([
      () => random.pick(DECOYS),
      () => ` from ${random.pick(DECOYS)}:22: `,
      () => ` from [${random.pick(DECOYS)}]:22`,
      () => elsewhere,
      () => elsewhere.slice(cut),
      () => elsewhere.slice(0, cut),
      () => random.pick([" ", "\n", '"', "'", "]", ">", "\\", "é", "%", ":", "\0"]),
      () => random.pick(["bob", "root", "", "7"]),
    ])()).join("");
}

/** `line` with other text in its `spans`. */
function filled(line: string, { spans, text }: { spans: readonly [number, number][]; text: () => string }) {
  return spans.toSorted(([a], [b]) => b - a).reduce(
    (line, [from, to]) => line.slice(0, from) + text() + line.slice(to),
    line,
  );
}

Deno.test(`the patterns of docs/modules.md find the true address or none in ${FUZZ_LINES} lines full of hostile text`, () => {
  const random = new Random(SEED);
  for (let i = 0; i < FUZZ_LINES; i++) {
    const { name, parse, line, spans, isOpen } = random.pick(EXAMPLES);
    const text = () => hostile(random, line);
    const message = filled(line, { spans, text }) + (isOpen ? random.pick([() => "", text])() : "");
    const address = parse(message)?.address ?? null;
    assert.ok(address === null || address === TRUE, `${name}: ${JSON.stringify(message)}: ${address}`);
  }
});

Deno.test("the patterns of docs/modules.md find the address in harmless lines", () => {
  const random = new Random(SEED);
  const names = ["bob", "root", "admin", "x.y-z", "user@example.org", "7", "Jean Dupont"];
  // Of a method of login, only names without blanks are harmless: some of the lines are none that the service writes.
  for (const { name, parse, line, spans } of EXAMPLES) {
    const lines = random.times(200, () => filled(line, { spans, text: () => random.pick(names) }));
    const found = lines.filter((line) => parse(line)?.address === TRUE).length;
    const wanted = name === "postfix" ? 0.1 : 0.6;
    assert.ok(found >= lines.length * wanted, `${name}: ${found} of ${lines.length}`);
  }
});
