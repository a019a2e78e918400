import { Literal } from "../core/bytes.ts";
import { allBut, DIGITS, RUNS, type Template } from "./template.ts";
import { mayFitTwice } from "./template_ambiguity.ts";
import { choice, literal, type Node, type Stranger } from "./template_node.ts";
import { parseTemplate, type Part, templateError } from "./template_syntax.ts";

/**
 * Literals of some templates, each once. They are symbols of the automaton; their indexes name
 * them.
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

/** Templates as graphs, by the first byte of their messages. */
export class TemplateGraph {
  readonly byFirst: readonly (Node | null)[];
  /** 1 for each byte that a message may begin with. */
  readonly firstBytes: Uint8Array;
  readonly literals = new Literals();
  /** Number of nodes. */
  readonly size: number;
  /** Nodes of strangers' texts, by template. */
  readonly #strangers: readonly (readonly Stranger[])[];
  readonly #isUnambiguous: (boolean | undefined)[] = [];

  /** Throws `TemplateError`. */
  constructor(templates: readonly Template[]) {
    const lists: Node[][] = Array.from({ length: 256 }, () => []);
    this.#strangers = templates.map((template, number) => {
      const parts = parseTemplate(template);
      const builder = new Builder(template);
      const entry = builder.sequence(parts, { kind: "end", template: number });
      for (const byte of firstBytes(template, parts)) lists[byte]!.push(...waysFrom(byte, entry));
      return builder.strangers;
    });
    this.byFirst = lists.map((ways) =>
      ways.length === 0 ? null : ways.reduceRight((other, first) => choice(first, other))
    );
    this.firstBytes = Uint8Array.from(this.byFirst, (node) => node === null ? 0 : 1);
    this.size = this.#collect();
  }

  /**
   * Reports whether a stranger's text can end at only one place, unless the message takes a
   * `<REST>`.
   */
  isUnambiguous(template: number): boolean {
    // Found for the first message that needs it, to save time at the start.
    return this.#isUnambiguous[template] ??= !this.#strangers[template]!.some(mayFitTwice);
  }

  /** Reports whether a message may begin with `text`. */
  mayBegin(text: string): boolean {
    return mayBegin(this.byFirst[firstByteOf(text)] ?? null, text);
  }

  /** Numbers the literals that remain after texts were joined. Returns the number of nodes. */
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

function mayBegin(node: Node | null, text: string): boolean {
  if (node?.kind === "choice") return mayBegin(node.next, text) || mayBegin(node.other, text);
  if (node?.kind !== "literal") return node !== null && node.kind !== "end";
  const isHere = node.text.startsWith(text) ||
    (text.startsWith(node.text) && mayBegin(node.next, text.slice(node.text.length)));
  return isHere || mayBegin(node.other, text);
}

/** Most digits of port numbers, and of other numbers: no limit. */
const [PORT_DIGITS, MANY] = [5, 2 ** 31 - 1];

/** Builds the graph of one template from its end: each node needs the nodes behind it. */
class Builder {
  readonly strangers: Stranger[] = [];
  readonly #template: Template;
  readonly #hasAddress: boolean;

  constructor(template: Template) {
    this.#template = template;
    this.#hasAddress = template.text.includes("<ADDR>");
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
    if (name === "USER" || name === "TEXT") return this.#stranger(name.toLowerCase(), next);
    if (name === "REST") {
      if (without !== "") return { kind: "rest without", set: allBut(without), next };
      return { kind: this.#hasAddress ? "rest" : "skip", next };
    }
    const field = name.toLowerCase();
    const set = RUNS[name]!;
    const isEndIn = next.kind === "literal" && next.other === null && set[firstByteOf(next.text)] === 1;
    const end = isEndIn && (isOptional || set !== DIGITS) ? next.text : "";
    const most = name === "PORT" && !isOptional ? PORT_DIGITS : MANY;
    return { kind: "run", set, least: isOptional ? 0 : 1, most, field, end, next };
  }

  /**
   * Makes a node that tries each place of the text behind a stranger's. As that text contains a
   * blank, only `<WORDS>` could read bytes twice.
   */
  #stranger(field: string, next: Node): Node {
    const name = `<${field.toUpperCase()}>`;
    if (next.kind !== "literal" || next.other !== null || !next.text.includes(" ")) {
      throw templateError(this.#template, `a text with a blank must follow ${name}`);
    }
    if (/<(?:USER|TEXT)>.*<(?:WORDS|BLANKS)/s.test(this.#template.text)) {
      throw templateError(this.#template, `<WORDS> and <BLANKS> cannot follow ${name}`);
    }
    const stranger: Stranger = { kind: "stranger", field, end: next.text, next: next.next };
    this.strangers.push(stranger);
    return stranger;
  }
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

/** Returns the ways of a template, whose texts are alternatives, that begin with `byte`. */
function waysFrom(byte: number, entry: Node): Node[] {
  const ways: Node[] = [];
  for (let way: Node | null = entry; way?.kind === "literal"; way = way.other) {
    if (firstByteOf(way.text) === byte) ways.push({ ...way, other: null });
  }
  return ways;
}
