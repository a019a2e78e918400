import { literal } from "../linear.ts";

/** A text that is sought, and the number of whoever seeks it. */
export interface Sought {
  readonly text: string;
  readonly number: number;
}

/**
 * Finds many texts at once. One expression of them all is handed to V8, which runs along a text several times as fast as a loop of
 * ours, however many there are; the longest that it finds at a place tells which others stand there, as those begin it.
 */
export class Texts {
  readonly #any: RegExp;
  /** For each text the numbers of whoever seeks it, or one that begins it. */
  readonly #numbers: ReadonlyMap<string, readonly number[]>;

  /** @param sought at least one; @param place where they are sought: at the `start` of a text alone, or `anywhere` */
  constructor(sought: readonly Sought[], place: "start" | "anywhere") {
    const texts = [...new Set(sought.map(({ text }) => text))].sort((a, b) => b.length - a.length);
    this.#any = new RegExp(texts.map(literal).join("|"), place === "start" ? "y" : "g");
    this.#numbers = new Map(texts.map((text) => [text, beginning(text, sought)]));
  }

  /** Adds to `found` the numbers of those whose texts `text` holds, perhaps more than once. */
  find(text: string, found: (numbers: readonly number[]) => void): void {
    const any = this.#any;
    any.lastIndex = 0;
    if (any.sticky) {
      if (any.test(text)) found(this.#numbers.get(text.slice(0, any.lastIndex))!);
      return;
    }
    for (let place = any.exec(text); place !== null; place = any.exec(text)) {
      found(this.#numbers.get(place[0])!);
      any.lastIndex = place.index + 1;
    }
  }
}

function beginning(text: string, sought: readonly Sought[]): readonly number[] {
  return sought.filter((other) => text.startsWith(other.text)).map(({ number }) => number);
}
