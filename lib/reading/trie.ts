/** A node that no text goes on to. */
export const DEAD = -1;

/**
 * Texts as a tree of their bytes; node 0 is its root. Every text leaves its sign at its last node.
 * `link()` makes it the automaton of Aho and Corasick (1975), which finds texts anywhere: each node
 * then knows the node of its longest proper end that also begins a text, and takes over the signs
 * of that node.
 */
export class Trie {
  readonly #children: Map<number, number>[] = [new Map()];
  readonly #signs: number[][] = [[]];
  readonly #fallbacks: number[] = [0];

  add(text: Uint8Array, sign: number): void {
    let node = 0;
    for (const byte of text) {
      let child = this.#children[node]!.get(byte);
      if (child === undefined) {
        child = this.#children.push(new Map()) - 1;
        this.#signs.push([]);
        this.#fallbacks.push(0);
        this.#children[node]!.set(byte, child);
      }
      node = child;
    }
    this.#signs[node]!.push(sign);
  }

  /** Has to be called after the last text was added, and before `goAnywhere()`. */
  link(): void {
    const queue = [...this.#children[0]!.values()];
    for (const child of queue) this.#inherit(child, 0);
    // The queue grows while the loop runs: nodes are linked in the order of their depth.
    for (const node of queue) {
      for (const [byte, child] of this.#children[node]!) {
        this.#inherit(child, this.goAnywhere(this.#fallbacks[node]!, byte));
        queue.push(child);
      }
    }
  }

  #inherit(node: number, fallback: number): void {
    this.#fallbacks[node] = fallback;
    this.#signs[node] = [...this.#signs[node]!, ...this.#signs[fallback]!];
  }

  /** The child of `node` for `byte`, `DEAD` where no text goes on like this. */
  go(node: number, byte: number): number {
    return node === DEAD ? DEAD : this.#children[node]!.get(byte) ?? DEAD;
  }

  /**
   * The node of the longest end of the text so far that begins a text. Amortized over a text one
   * step for each byte.
   */
  goAnywhere(node: number, byte: number): number {
    for (;;) {
      const child = this.#children[node]!.get(byte);
      if (child !== undefined) return child;
      if (node === 0) return 0;
      node = this.#fallbacks[node]!;
    }
  }

  /** Signs of the texts that end at `node`. */
  signsAt(node: number): readonly number[] {
    return node === DEAD ? NONE : this.#signs[node]!;
  }
}

const NONE: readonly number[] = [];
