import { Literal } from "../core/bytes.ts";
import { mayFitTwice } from "./template_doubt.ts";
import { allBut, type ByteSet, RUNS, type Template } from "./template.ts";
import { parseTemplate, type Part, templateError } from "./template_syntax.ts";

/**
 * Literals of some templates, each once; the automaton has them as symbols, known by their places
 * here.
 */
export class Literals {
  readonly all: Literal[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.all.push(new Literal(text)) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }
}

/** A place in a template, and what comes next where it fits. */
export type Node =
  /**
   * Text. `other` is tried where it does not stand, and also where it stands but `next` does not
   * fit.
   */
  | { readonly kind: "literal"; readonly text: string; readonly next: Node; readonly other: Node | null }
  | { readonly kind: "address" | "rest" | "skip"; readonly next: Node }
  /** Bytes of a set; up to `end`, which `next` then compares, where it is not "". */
  | {
    readonly kind: "run";
    readonly set: ByteSet;
    readonly least: number;
    readonly field: string;
    readonly end: string;
    readonly next: Node;
  }
  | { readonly kind: "digits"; readonly most: number; readonly field: string; readonly next: Node }
  | { readonly kind: "rest without"; readonly set: ByteSet; readonly next: Node }
  /** A stranger's text, up to `end`, which `next` does not compare again. */
  | { readonly kind: "stranger"; readonly end: string; readonly next: Node }
  /** Two ways. The message is looked at again from here where the first one fails further on. */
  | { readonly kind: "choice"; readonly next: Node; readonly other: Node }
  /** Here the message has to end. */
  | { readonly kind: "end"; readonly template: number };

type Stranger = Node & { readonly kind: "stranger" };

/** Templates as graphs, by the first byte of their messages. */
export class TemplateGraph {
  readonly byFirst: readonly (Node | null)[];
  /** 1 for each byte that a message may begin with. */
  readonly firstBytes: Uint8Array;
  readonly literals = new Literals();
  /** How many nodes there are. */
  readonly size: number;
  /** Of each template. */
  readonly #strangers: readonly (readonly Stranger[])[];
  readonly #isDecided: (boolean | undefined)[] = [];

  /** Throws `TemplateError`. */
  constructor(templates: readonly Template[]) {
    const lists: Node[][] = Array.from({ length: 256 }, () => []);
    this.#strangers = templates.map((template, number) => {
      const parts = parseTemplate(template);
      const builder = new Builder(template);
      const entry = builder.sequence(parts, { kind: "end", template: number });
      for (const byte of firstBytes(template, parts)) lists[byte]!.push(entry);
      return builder.strangers;
    });
    this.byFirst = lists.map((entries) =>
      entries.length === 0 ? null : entries.reduceRight((other, first) => choice(first, other))
    );
    this.firstBytes = Uint8Array.from(this.byFirst, (node) => node === null ? 0 : 1);
    this.size = this.#collect();
  }

  /**
   * Reports whether only one place fits for the end of a stranger's text, unless the message takes
   * a `<REST>`.
   */
  isDecided(template: number): boolean {
    // Found when the first message asks: at the start nobody should wait for it.
    return this.#isDecided[template] ??= !this.#strangers[template]!.some(mayFitTwice);
  }

  /**
   * Numbers the literals that are left after texts were joined. Returns how many nodes there are.
   */
  #collect(): number {
    const nodes = new Set<Node>(this.byFirst.filter((node) => node !== null));
    // The set grows while the loop runs.
    for (const node of nodes) {
      if (node.kind === "literal") this.literals.numberOf(node.text);
      if ((node.kind === "run" && node.end !== "") || node.kind === "stranger") {
        this.literals.numberOf(node.end);
      }
      if (node.kind !== "end") nodes.add(node.next);
      if ("other" in node && node.other !== null) nodes.add(node.other);
    }
    return nodes.size;
  }
}

/** Port numbers have so many digits at most, other numbers as many as they like. */
const [PORT_DIGITS, MANY] = [5, 2 ** 31 - 1];

/** Builds the graph of one template from its end: each node needs those that follow. */
class Builder {
  readonly strangers: Stranger[] = [];
  readonly #template: Template;
  readonly #isNaming: boolean;

  constructor(template: Template) {
    this.#template = template;
    this.#isNaming = template.text.includes("<ADDR>");
  }

  sequence(parts: readonly Part[], next: Node): Node {
    return parts.reduceRight<Node>((next, part) => {
      if (part.kind === "text") return literal(part.text, next);
      if (part.kind === "element") return this.#element(part, next);
      return part.ways.map((way) => this.sequence(way, next)).reduceRight((other, first) =>
        choice(first, other)
      );
    }, next);
  }

  #element({ name, isOptional, without }: Part & { kind: "element" }, next: Node): Node {
    if (name === "ADDR") return { kind: "address", next };
    if (name === "USER") return this.#stranger(next);
    if (name === "REST") {
      if (without !== "") return { kind: "rest without", set: allBut(without), next };
      return { kind: this.#isNaming ? "rest" : "skip", next };
    }
    const field = name.toLowerCase();
    if ((name === "PORT" || name === "NUMBER") && !isOptional) {
      return { kind: "digits", most: name === "PORT" ? PORT_DIGITS : MANY, field, next };
    }
    const set = RUNS[name]!;
    const end = next.kind === "literal" && next.other === null && set[firstByteOf(next.text)] === 1
      ? next.text
      : "";
    return { kind: "run", set, least: isOptional ? 0 : 1, field, end, next };
  }

  /**
   * Each place of the text behind a stranger's is tried; as it holds a blank, nothing but `<WORDS>`
   * is read twice then.
   */
  #stranger(next: Node): Node {
    if (next.kind !== "literal" || next.other !== null || !next.text.includes(" ")) {
      throw templateError(this.#template, "a text with a blank must follow <USER>");
    }
    if (/<USER>.*<(?:WORDS|BLANKS)/s.test(this.#template.text)) {
      throw templateError(this.#template, "<WORDS> and <BLANKS> cannot follow <USER>");
    }
    const stranger: Stranger = { kind: "stranger", end: next.text, next: next.next };
    this.strangers.push(stranger);
    return stranger;
  }
}

/** Texts one behind the other are compared as one. */
function literal(text: string, next: Node): Node {
  if (next.kind === "literal" && next.other === null) return literal(text + next.text, next.next);
  return { kind: "literal", text, next, other: null };
}

/**
 * A node that tries one way and then another. What both have in common at their beginning is looked
 * at once, so that templates branch as a trie does: "Connection closed by " and "Connection from "
 * are "Connection " and then "closed by " or "from ".
 */
function choice(first: Node, other: Node): Node {
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
    return a.set === b.set && a.least === b.least && a.field === b.field && a.end === b.end;
  }
  if (a.kind === "digits" && b.kind === "digits") return a.most === b.most && a.field === b.field;
  return a.kind === "address";
}

type LiteralNode = Node & { readonly kind: "literal" };

/**
 * `first` as a part of the first of the alternative texts that begins with the same words; null
 * where none does.
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
  // Where `rest` stands `first` does not: it may as well be tried later.
  const other = joined(first, rest.other);
  return other && { ...rest, other };
}

/** What follows the beginning of a literal. */
function behind({ text, next }: LiteralNode, beginning: string): Node {
  return text === beginning
    ? next
    : { kind: "literal", text: text.slice(beginning.length), next, other: null };
}

/**
 * The words that two texts begin with, the blank behind included, or one text where the other
 * begins with it.
 */
function sharedWords(a: string, b: string): string {
  if (a.startsWith(b)) return b;
  if (b.startsWith(a)) return a;
  let length = 0;
  while (a[length] === b[length]) length++;
  const beginning = a.slice(0, length);
  return beginning.slice(0, beginning.lastIndexOf(" ") + 1);
}

/**
 * Reports whether `node` cannot fit where `text` stands. Then nothing has to be remembered to go
 * back to.
 */
export function excludes(text: string, node: Node | null): boolean {
  if (node === null || node.kind === "end") return true;
  if (node.kind !== "literal") return false;
  return !node.text.startsWith(text) && !text.startsWith(node.text) && excludes(text, node.other);
}

const encoder = new TextEncoder();

function firstByteOf(text: string): number {
  return encoder.encode(text)[0]!;
}

function firstBytes(template: Template, parts: readonly Part[]): Set<number> {
  const [first, ...others] = parts;
  if (first?.kind === "text") return new Set([firstByteOf(first.text)]);
  if (first?.kind !== "choice") throw templateError(template, "it must begin with a text");
  return new Set(first.ways.flatMap((way) => [...firstBytes(template, [...way, ...others])]));
}
