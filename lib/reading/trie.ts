/** Node of bytes that begin no text. */
export const DEAD = -1;

/**
 * Texts as a tree of their bytes; node 0 is its root. Every text leaves its output at its last
 * node. `link()` makes it the automaton of Aho and Corasick (1975), which finds texts anywhere:
 * each node then knows the node of its longest proper end that also begins a text, and takes over
 * the outputs of that node.
 */
export class Trie {
  /** Children by `keyOf()`. A map for each node took most of the rules' start, so there is one. */
  readonly #children = new Map<number, number>();
  readonly #parents: number[] = [0];
  /** The byte that leads to each node from its parent. */
  readonly #bytes: number[] = [0];
  readonly #depths: number[] = [0];
  readonly #outputs: (readonly number[])[] = [NONE];
  readonly #fallbacks: number[] = [0];

  add(text: Uint8Array, output: number): void {
    let node = 0;
    for (const byte of text) node = this.#children.get(keyOf(node, byte)) ?? this.#grow(node, byte);
    this.#outputs[node] = [...this.#outputs[node]!, output];
  }

  #grow(parent: number, byte: number): number {
    const child = this.#parents.push(parent) - 1;
    this.#bytes.push(byte);
    this.#depths.push(this.#depths[parent]! + 1);
    this.#outputs.push(NONE);
    this.#fallbacks.push(0);
    this.#children.set(keyOf(parent, byte), child);
    return child;
  }

  /** Links the nodes. Call it after the last `add()` and before `goAnywhere()`. */
  link(): void {
    const byDepth = [...this.#parents.keys()].sort((a, b) => this.#depths[a]! - this.#depths[b]!);
    for (const node of byDepth) {
      const parent = this.#parents[node]!;
      // A node below the root falls back to the root.
      if (parent === 0) continue;
      const fallback = this.goAnywhere(this.#fallbacks[parent]!, this.#bytes[node]!);
      this.#fallbacks[node] = fallback;
      const inherited = this.#outputs[fallback]!;
      if (inherited.length > 0) this.#outputs[node] = [...this.#outputs[node]!, ...inherited];
    }
  }

  /** Returns the child of `node` for `byte`; `DEAD` if no text continues so. */
  go(node: number, byte: number): number {
    return node === DEAD ? DEAD : this.#children.get(keyOf(node, byte)) ?? DEAD;
  }

  /**
   * Returns the node of the longest end of the bytes so far that begins a text. Amortized, it takes
   * one step for each byte.
   */
  goAnywhere(node: number, byte: number): number {
    for (;;) {
      const child = this.#children.get(keyOf(node, byte));
      if (child !== undefined) return child;
      if (node === 0) return 0;
      node = this.#fallbacks[node]!;
    }
  }

  /** Returns the outputs of the texts that end at `node`. */
  outputsAt(node: number): readonly number[] {
    return node === DEAD ? NONE : this.#outputs[node]!;
  }
}

const NONE: readonly number[] = [];

/** Returns a number for a node and a byte; -1 is a byte that no text contains. */
function keyOf(node: number, byte: number): number {
  return 257 * node + byte + 1;
}
