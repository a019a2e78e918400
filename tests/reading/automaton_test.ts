import { strict as assert } from "node:assert";
import { type Bytes, encode } from "../../lib/core/bytes.ts";
import { Automaton, type Dictionary, NO_OUTPUTS } from "../../lib/reading/automaton.ts";
import { Random } from "../support/random.ts";

const encoder = new TextEncoder();

/** A dictionary of texts, whose outputs are their places; those that begin with `^` have to stand at the start. */
function dictionary(texts: readonly string[], { ignoreCase = false, firstOutput = 0 } = {}): Dictionary {
  return {
    ignoreCase,
    texts: texts.map((text, i) => ({
      bytes: encoder.encode(text.replace(/^\^/, "")),
      place: text.startsWith("^") ? "start" : "anywhere",
      output: firstOutput + i,
    })),
  };
}

/** The outputs of a dictionary's texts that stand in `text`, found one by one. */
function plainly({ texts, ignoreCase }: Dictionary, text: string): number[] {
  const lower = text.replaceAll(/[A-Z]/g, (letter) => ignoreCase ? letter.toLowerCase() : letter);
  const decoder = new TextDecoder();
  return texts.filter(({ bytes, place }) => {
    const sought = decoder.decode(bytes);
    return place === "start" ? lower.startsWith(sought) : lower.includes(sought);
  }).map(({ output }) => output);
}

function run(automaton: Automaton, number: number, text: string): readonly number[] {
  const { bytes, end } = encode(text);
  return automaton.outputsOf(automaton.run(number, bytes, 0, end));
}

Deno.test("`Automaton.run()` finds the texts at the start and those anywhere", () => {
  const automaton = new Automaton([dictionary(["^Failed", "root", "^Fail", "oo", "^ed"])]);
  automaton.begin();
  assert.deepEqual(run(automaton, 0, "Failed password for root"), [0, 1, 2, 3]);
  assert.deepEqual(run(automaton, 0, "Failure"), [2]);
  assert.deepEqual(run(automaton, 0, "xFailed ro"), []);
  assert.equal(automaton.run(0, encode("").bytes, 0, 0), NO_OUTPUTS);
});

Deno.test("`Automaton.run()` looks at the range alone", () => {
  const automaton = new Automaton([dictionary(["^bcd", "de"])]);
  const { bytes } = encode("abcde");
  automaton.begin();
  assert.deepEqual(automaton.outputsOf(automaton.run(0, bytes, 1, 4)), [0]);
  assert.deepEqual(automaton.outputsOf(automaton.run(0, bytes, 1, 5)), [0, 1]);
});

Deno.test("`Automaton.run()` takes A to Z for a to z in a dictionary that ignores case, and only there", () => {
  const automaton = new Automaton([
    dictionary(["Nikto"]),
    dictionary(["nikto", "^é", "^É"], { ignoreCase: true, firstOutput: 1 }),
  ]);
  automaton.begin();
  assert.deepEqual(run(automaton, 0, "nikto"), []);
  assert.deepEqual(run(automaton, 1, "xNIKTO"), [1]);
  assert.deepEqual(run(automaton, 1, "É"), [3]);
});

Deno.test("`Automaton.join()` gives the union of two sets", () => {
  const automaton = new Automaton([dictionary(["a", "b"]), dictionary(["c"], { firstOutput: 2 })]);
  automaton.begin();
  const [ab, c] = [automaton.run(0, encode("ba").bytes, 0, 2), automaton.run(1, encode("c").bytes, 0, 1)];
  assert.deepEqual(automaton.outputsOf(automaton.join(c, ab)), [0, 1, 2]);
  assert.equal(automaton.join(ab, NO_OUTPUTS), ab);
  assert.equal(automaton.join(NO_OUTPUTS, c), c);
  assert.equal(automaton.join(ab, c), automaton.join(c, ab));
});

/** A text of few letters, in which texts of few letters overlap often. */
const words = (random: Random, most: number) =>
  random.times(random.below(most + 1), () => random.pick([..."aabbABcé1."])).join("");

Deno.test("`Automaton.run()` agrees with a plain search in random texts", () => {
  const random = new Random(11);
  for (let round = 0; round < 60; round++) {
    const texts = (fold: boolean) => [
      ...new Set(random.times(1 + random.below(8), () => {
        const text = `b${words(random, 4)}`.slice(random.below(2)) || "c";
        return random.pick(["", "^"]) + (fold ? text.replaceAll(/[A-Z]/g, (a) => a.toLowerCase()) : text);
      })),
    ];
    const dictionaries = [
      dictionary(texts(false)),
      dictionary(texts(true), { ignoreCase: true, firstOutput: 100 }),
    ];
    const automaton = new Automaton(dictionaries);
    for (let i = 0; i < 200; i++) {
      const text = words(random, 30);
      automaton.begin();
      for (const number of [0, 1]) {
        assert.deepEqual([...run(automaton, number, text)], plainly(dictionaries[number]!, text), text);
      }
    }
  }
});

/** Goes along `pieces`: symbols in one step, figures in one step where the automaton can, all else by bytes. */
function steps(
  automaton: Automaton,
  symbols: readonly string[],
  pieces: readonly string[],
): readonly number[] {
  let state = automaton.start;
  for (const piece of pieces) {
    const symbol = symbols.indexOf(piece);
    const { bytes, end } = encode(piece);
    if (symbol >= 0) state = automaton.after(state, automaton.columnOf(symbol));
    else if (/^[\d.]+$/.test(piece)) state = automaton.afterFigures(state, bytes.array, 0, end);
    else state = automaton.along(state, bytes.array, 0, end);
  }
  const { bytes, end } = encode(pieces.join(""));
  return automaton.outputsOf(automaton.setAt(state, bytes, 0, end));
}

Deno.test("steps by symbols and figures lead where the bytes lead", () => {
  const random = new Random(12);
  const symbols = ["Failed ", "for ", "a", "ab", " from ", "1a"];
  for (const texts of [["^Failed for a", "or a", "m 1", "b"], ["d f", "^a", "^ab1"], ["7", "^a1.", "aa"]]) {
    const sought = dictionary(texts);
    const automaton = new Automaton([sought], symbols.map((symbol) => encoder.encode(symbol)));
    for (let i = 0; i < 3_000; i++) {
      const pieces = random.times(
        random.below(7),
        () => random.pick([...symbols, "1.2.3.4", "77", "x", "r a"]),
      );
      automaton.begin();
      assert.deepEqual(
        [...steps(automaton, symbols, pieces)],
        plainly(sought, pieces.join("")),
        pieces.join("·"),
      );
    }
  }
});

Deno.test("`Automaton` stays right under lines that show ever new outputs", () => {
  const random = new Random(13);
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const sought = dictionary([...letters, ...letters.map((a) => `${a}${a}x`), "^abc"]);
  const automaton = new Automaton([sought], [encoder.encode("xx")]);
  for (let i = 0; i < 1_500; i++) {
    const text = random.times(1 + random.below(i % 100 === 0 ? 3_000 : 60), () => random.pick(letters)).join(
      "",
    );
    automaton.begin();
    assert.deepEqual([...run(automaton, 0, text)], plainly(sought, text));
    assert.deepEqual([...steps(automaton, ["xx"], [text, "xx"])], plainly(sought, text + "xx"));
  }
  assert(automaton.generation > 0, "nothing was ever forgotten");
});

Deno.test("`Automaton.generation` stands as long as sets keep their numbers", () => {
  const automaton = new Automaton([dictionary([..."abcdefghijklm"])]);
  const bytes: Bytes = encode("abcdefghijklm").bytes;
  let [generation, set] = [-1, -1];
  for (let i = 0; i < 20_000; i++) {
    automaton.begin();
    if (automaton.generation !== generation) {
      generation = automaton.generation;
      set = automaton.run(0, bytes, 0, 3);
    }
    assert.equal(automaton.run(0, bytes, 0, 3), set);
    automaton.join(automaton.run(0, bytes, i % 13, 13), automaton.run(0, bytes, 0, i % 7));
    assert.deepEqual(automaton.outputsOf(set), [0, 1, 2]);
  }
});
