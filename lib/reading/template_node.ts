/** Nodes of the graph of templates. Two ways are joined as far as they begin alike. */
import type { ByteSet } from "./template.ts";

/** A place in a template, and the node after it. */
export type Node =
  /** Text. `other` is tried if the text does not fit, and also if it fits but `next` does not. */
  | { readonly kind: "literal"; readonly text: string; readonly next: Node; readonly other: Node | null }
  | { readonly kind: "address" | "rest" | "skip"; readonly next: Node }
  /** Bytes of a set; up to `end`, which `next` then compares, unless it is "". */
  | {
    readonly kind: "run";
    readonly set: ByteSet;
    readonly least: number;
    readonly most: number;
    readonly field: string;
    readonly end: string;
    readonly next: Node;
  }
  | { readonly kind: "rest without"; readonly set: ByteSet; readonly next: Node }
  /** A stranger's text, up to `end`, which `next` does not compare again. */
  | { readonly kind: "stranger"; readonly field: string; readonly end: string; readonly next: Node }
  /** Two ways. If the first one fails later, the message is read again from here. */
  | { readonly kind: "choice"; readonly next: Node; readonly other: Node }
  /** The message must end here. */
  | { readonly kind: "end"; readonly template: number };

/** A node that takes a stranger's text. */
export type Stranger = Node & { readonly kind: "stranger" };

/** Makes a node that takes a text. Consecutive texts are compared as one. */
export function literal(text: string, next: Node): Node {
  if (next.kind === "literal" && next.other === null) return literal(text + next.text, next.next);
  return { kind: "literal", text, next, other: null };
}

/**
 * Makes a node that tries one way and then another. Their common beginning is read once, so that
 * templates branch like a trie: "Connection closed by " and "Connection from " become "Connection "
 * and then "closed by " or "from ".
 */
export function choice(first: Node, other: Node): Node {
  if (first.kind === "literal") {
    const rest = first.other === null ? other : choice(first.other, other);
    return joined(first, rest) ?? { ...first, other: rest };
  }
  if (first.kind === other.kind && isAlike(first, other) && "next" in first && "next" in other) {
    return { ...first, next: choice(first.next, other.next) };
  }
  return { kind: "choice", next: first, other };
}

/** Reports whether two nodes of one kind take the same bytes, whatever follows them. */
function isAlike(a: Node, b: Node): boolean {
  if (a.kind === "run" && b.kind === "run") {
    return a.set === b.set && a.least === b.least && a.most === b.most && a.field === b.field &&
      a.end === b.end;
  }
  return a.kind === "address";
}

type LiteralNode = Node & { readonly kind: "literal" };

/**
 * Joins `first` to the first of the alternative texts that begins with the same words; null if none
 * does.
 */
function joined(first: LiteralNode, rest: Node | null): LiteralNode | null {
  if (rest?.kind !== "literal") return null;
  const shared = sharedWords(first.text, rest.text);
  if (shared !== "") {
    return {
      kind: "literal",
      text: shared,
      next: choice(behind(first, shared), behind(rest, shared)),
      other: rest.other,
    };
  }
  // Where `rest` fits, `first` does not: it may be tried later.
  const other = joined(first, rest.other);
  return other && { ...rest, other };
}

/** Returns the node behind the beginning of a literal. */
function behind({ text, next }: LiteralNode, beginning: string): Node {
  return text === beginning
    ? next
    : { kind: "literal", text: text.slice(beginning.length), next, other: null };
}

/**
 * Returns the words that both texts begin with, including the blank behind them, or the shorter
 * text if the other begins with it.
 */
function sharedWords(a: string, b: string): string {
  if (a.startsWith(b)) return b;
  if (b.startsWith(a)) return a;
  let length = 0;
  while (a[length] === b[length]) length++;
  const beginning = a.slice(0, length);
  return beginning.slice(0, beginning.lastIndexOf(" ") + 1);
}

/** Reports whether `node` cannot fit where `text` fits. Then no way back needs to be kept. */
export function excludes(text: string, node: Node | null): boolean {
  if (node === null || node.kind === "end") return true;
  if (node.kind !== "literal") return false;
  return !node.text.startsWith(text) && !text.startsWith(node.text) && excludes(text, node.other);
}
