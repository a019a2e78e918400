import {
  createScanner,
  findNodeAtLocation,
  getNodePath,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { UserError } from "../core/error.ts";
import { MAX_DEPTH, plainValue } from "./plain_value.ts";

/** Keys and list indexes, outermost first. */
export type Path = readonly (string | number)[];

/** A mistake at one place of the configuration. */
export interface Mistake {
  /** Offset in the text, in UTF-16 units. Mistakes are reported in this order. */
  readonly offset: number;
  /** One sentence with key path, cause, value and position. */
  readonly sentence: string;
}

/** A parsed JSONC text (JSON with comments and trailing commas) with the position of each part. */
export class Document {
  /** The content as plain values; every key, even `__proto__`, is an own property. */
  readonly value: unknown;
  /** Mistakes of keys that an object holds twice. JSON would silently take the last one. */
  readonly duplicates: readonly Mistake[];
  readonly #text: string;
  readonly #file: string;
  /** The tree of the text, made for the first question about a place. */
  #tree: Node | null = null;

  /**
   * @param file name of the file, for positions such as `config.jsonc:12:9`
   * @throws {UserError} code 78 for a text that is not JSONC. It names only the first fault, which
   * often causes the others
   */
  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
    const plain = plainValue(text);
    this.value = plain === null ? toValue(this.#root) : plain.value;
    this.duplicates = plain === null ? this.#duplicatesIn(this.#root) : [];
  }

  /** Returns the value at `path`; undefined if the document has none. */
  at(path: Path): unknown {
    let value: unknown = this.value;
    for (const key of path) value = Object.hasOwn(Object(value), key) ? Object(value)[key] : undefined;
    return value;
  }

  /**
   * Returns the mistake of a bad value at `path`, with the value quoted. Reports a missing value at
   * the object that should hold it.
   */
  badValue(path: Path, complaint: string): Mistake {
    const node = findNodeAtLocation(this.#root, [...path]);
    if (node) return this.#mistake(path, `${complaint}, got ${this.#quote(node)}`, node);
    const holder = findNodeAtLocation(this.#root, path.slice(0, -1)) ?? this.#root;
    return this.#mistake(path, "is missing", holder);
  }

  /** Returns the mistake of a bad key, the last one of `path`. */
  badKey(path: Path, complaint: string): Mistake {
    const value = findNodeAtLocation(this.#root, [...path]);
    return this.#mistake(path, complaint, value?.parent?.children?.[0] ?? this.#root);
  }

  /** Makes a sentence about the value at `path` like `badValue()`, without quoting the value. */
  complain(path: Path, complaint: string): string {
    for (let end = path.length; end > 0; end--) {
      const node = findNodeAtLocation(this.#root, path.slice(0, end));
      if (node) return this.#mistake(path.slice(0, end), complaint, node).sentence;
    }
    return this.#mistake(path, complaint, this.#root).sentence;
  }

  get #root(): Node {
    return this.#tree ??= this.#parse();
  }

  #mistake(path: Path, complaint: string, node: Node): Mistake {
    return {
      offset: node.offset,
      sentence: `Cannot load ${formatPath(path)}: ${complaint} (${this.#position(node.offset)})`,
    };
  }

  #parse(): Node {
    if (this.#text.trim() === "") throw new UserError(`Cannot load ${this.#file}: it is empty`, 78);
    this.#requireShallow();
    const errors: ParseError[] = [];
    const root = parseTree(this.#text, errors, { allowTrailingComma: true });
    const first = errors[0];
    if (root && !first) return root;
    const cause = first && SYNTAX[printParseErrorCode(first.error)];
    throw this.#syntaxError(cause ?? "a value is expected", first ?? { offset: 0, length: 1 });
  }

  #syntaxError(cause: string, { offset, length }: { offset: number; length: number }): UserError {
    const found = offset >= this.#text.length
      ? "the end of the file"
      : this.#clip(offset, Math.max(1, length));
    return new UserError(
      `Cannot load the configuration: ${cause} at ${found} (${this.#position(offset)})`,
      78,
    );
  }

  /**
   * Throws `UserError` (78) for a text nested so deep that the recursive parser could overflow its
   * stack. As in the parser, only its own bracket ends an object or a list.
   */
  #requireShallow(): void {
    const scanner = createScanner(this.#text, true);
    const ends: string[] = [];
    for (let offset = 0; offset < this.#text.length;) {
      scanner.scan();
      offset = scanner.getTokenOffset();
      const token = this.#text[offset];
      if (token === "{") ends.push("}");
      else if (token === "[") ends.push("]");
      else if (token === ends.at(-1)) ends.pop();
      if (ends.length > MAX_DEPTH) throw this.#syntaxError("nesting is too deep", { offset, length: 1 });
    }
  }

  /** Returns a mistake for each key that an object in `node` holds twice. */
  #duplicatesIn(node: Node): Mistake[] {
    if (node.children === undefined) return [];
    const offsets = new Map<string, number>();
    const own = (node.type === "object" ? members(node) : []).flatMap(([key, value]) => {
      const before = offsets.get(key.value);
      if (before !== undefined) {
        return [
          this.#mistake(getNodePath(value), `is given twice, first on line ${this.#line(before)}`, key),
        ];
      }
      offsets.set(key.value, key.offset);
      return [];
    });
    return [...own, ...node.children.flatMap((child) => this.#duplicatesIn(child))];
  }

  #line(offset: number): number {
    return this.#text.slice(0, offset).split("\n").length;
  }

  #position(offset: number): string {
    const column = offset - this.#text.lastIndexOf("\n", offset - 1);
    return `${this.#file}:${this.#line(offset)}:${offset === 0 ? 1 : column}`;
  }

  #quote(node: Node): string {
    if (node.type === "object") return node.children?.length ? "an object" : "an empty object";
    if (node.type === "array") return node.children?.length ? "a list" : "an empty list";
    return this.#clip(node.offset, node.length);
  }

  #clip(offset: number, length: number): string {
    // deno-lint-ignore no-control-regex
    const text = this.#text.slice(offset, offset + length).replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
    return text.length > 60 ? `${text.slice(0, 56)}…` : text;
  }
}

/**
 * Returns the value of a key of the outermost object, even in a text that is not valid JSONC;
 * undefined: it has none.
 */
export function lenientValue(text: string, key: string): unknown {
  const root = parseTree(text, [], { allowTrailingComma: true });
  return root && findNodeAtLocation(root, [key])?.value;
}

/** Sentences for the parser's error codes. */
const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: "a word without double quotes stands",
  InvalidNumberFormat: "a malformed number stands",
  PropertyNameExpected: "a key in double quotes is expected",
  ValueExpected: "a value is expected",
  ColonExpected: "a colon is expected",
  CommaExpected: "a comma is expected",
  CloseBraceExpected: "a closing brace } is expected",
  CloseBracketExpected: "a closing bracket ] is expected",
  EndOfFileExpected: "nothing more is expected",
  UnexpectedEndOfComment: "a comment is never closed",
  UnexpectedEndOfString: "a string without its closing quote stands",
  UnexpectedEndOfNumber: "a malformed number stands",
  InvalidUnicode: "a malformed \\u escape stands",
  InvalidEscapeCharacter: "an unknown escape stands",
  InvalidCharacter: "a control character or stray sign stands",
};

function members(node: Node): [key: Node, value: Node][] {
  return (node.children ?? []).map((property) => property.children as [Node, Node]);
}

function toValue(node: Node): unknown {
  if (node.type === "array") return (node.children ?? []).map(toValue);
  if (node.type !== "object") return node.value;
  return Object.fromEntries(members(node).map(([key, value]) => [key.value, toValue(value)]));
}

/** Formats a path as `modules.SSHD.rules[0]`, or as "the configuration" for the whole. */
function formatPath(path: Path): string {
  const parts = path.map((part) => {
    if (typeof part === "number") return `[${part}]`;
    return /^[\w$-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
  });
  return parts.join("").replace(/^\./, "") || "the configuration";
}
