import { literal } from "../reading/regex_safety.ts";

/** In place of a number, where there is more than one. */
const SEVERAL = -1;

/**
 * Finds many texts at once. One expression of them all is handed to V8, which runs along a text several times as fast as a loop of
 * ours, however many there are; the longest that it finds at a place tells which others stand there, as those begin it.
 */
export class Texts {
  readonly #any: RegExp;
  readonly #texts: readonly string[];
  readonly #numbers: ReadonlyMap<string, number>;
  /** The number of the only text of a length; `SEVERAL` where there are more, undefined where there is none. */
  readonly #ofLength: readonly (number | undefined)[];

  /**
   * @param texts at least one, all different, known by their places here
   * @param place where they are sought: at the `start` of a text alone, or `anywhere`
   */
  constructor(texts: readonly string[], place: "start" | "anywhere") {
    const longestFirst = texts.toSorted((a, b) => b.length - a.length);
    this.#any = new RegExp(longestFirst.map(literal).join("|"), place === "start" ? "y" : "g");
    this.#texts = texts;
    this.#numbers = new Map(texts.map((text, number) => [text, number]));
    const ofLength: number[] = [];
    texts.forEach(({ length }, number) => ofLength[length] = length in ofLength ? SEVERAL : number);
    this.#ofLength = ofLength;
  }

  /** Appends to `found` the number of the longest text at each place of `text` where one stands. */
  find(text: string, found: number[]): void {
    const any = this.#any;
    any.lastIndex = 0;
    if (any.sticky) {
      if (any.test(text)) found.push(this.#first(text, any.lastIndex));
      return;
    }
    for (let place = any.exec(text); place !== null; place = any.exec(text)) {
      found.push(this.#numbers.get(place[0])!);
      any.lastIndex = place.index + 1;
    }
  }

  /** The number of the text that `text` begins with, so many characters long. */
  #first(text: string, length: number): number {
    const only = this.#ofLength[length]!;
    return only === SEVERAL ? this.#numbers.get(text.slice(0, length))! : only;
  }

  /** The numbers of all texts that stand where the one of `number` does and is the longest: those that begin it, and itself. */
  within(number: number): number[] {
    const longest = this.#texts[number]!;
    return this.#texts.flatMap((text, other) => longest.startsWith(text) ? [other] : []);
  }
}
