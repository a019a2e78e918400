import { canonicalAddress } from "../lib/core/address.ts";
import type { Parsed } from "../lib/reading/module.ts";

/** A kind of message that names an address. */
export interface Shape {
  readonly name: string;
  /** First words of such messages, up to the first blank: the others need not be tried. */
  readonly words: readonly string[];
  /** The message from its first character to its last. */
  readonly pattern: RegExp;
  /** Which of its groups holds what; 0: none does. They bear no names in it: V8 takes thrice the time for such. */
  readonly groups: Readonly<Record<Part, number>>;
  /**
   * The same, taking hostile text as short as it can be, where `pattern` takes it as long as it can be. Given
   * where such text stands on both sides of the address: unless both find the same one, nobody can tell which
   * part the service wrote.
   */
  readonly shortest: RegExp | null;
  /** Character that follows hostile text before the address: where that text does not hold it, there are no two places. */
  readonly separator: string;
}

/** What a message may tell. */
type Part = "address" | "user" | "port" | "method";

const PARTS: Readonly<Record<string, string>> = {
  // Counted repetitions would keep V8 from matching in linear time; `canonicalAddress()` bounds the length.
  ADDR: "([0-9A-Fa-f:.]+(?:%[\\w.-]+)?)",
  PORT: "(\\d{1,5})",
  METHOD: "([\\w/.@-]+)",
};
const GROUPS: Readonly<Record<string, Part>> = {
  ADDR: "address",
  PORT: "port",
  METHOD: "method",
  USER: "user",
};

/**
 * Builds a shape from a template in which `<ADDR>`, `<PORT>` and `<METHOD>` stand for what the service writes and
 * `<USER>` for text that whoever connects may choose. The template covers the whole message.
 */
export function shape(name: string, words: string, template: string): Shape {
  const compile = (user: string) =>
    new RegExp(
      `^${template.replace(/<(\w+)>/g, (_, part: string) => part === "USER" ? user : PARTS[part]!)}$`,
      "s",
    );
  const pattern = compile("(.*)");
  const parts = [...template.matchAll(/<(\w+)>/g)].map(([, part]) => GROUPS[part!]!);
  const groupOf = (part: Part) => 1 + parts.indexOf(part);
  const hasTextAfter = /<USER>.*<ADDR>.*\.\*/.test(template);
  return {
    name,
    words: words.split(" "),
    pattern,
    groups: {
      address: groupOf("address"),
      user: groupOf("user"),
      port: groupOf("port"),
      method: groupOf("method"),
    },
    shortest: hasTextAfter ? compile("(.*?)") : null,
    separator: /<USER>([^<\\(])/.exec(template)?.[1] ?? "",
  };
}

/**
 * Shapes by the first words of their messages. A word is told by its length and its first letter, and then compared: V8 takes longer to
 * look up a piece of a text than to try a pattern.
 */
export class ShapeIndex {
  readonly #byLook: WordShapes[][] = [];
  /** All first words. */
  readonly words: readonly string[];

  constructor(shapes: readonly Shape[]) {
    this.words = [...new Set(shapes.flatMap(({ words }) => words))];
    for (const word of this.words) {
      const look = lookOf(word, word.length);
      (this.#byLook[look] ??= []).push({ word, shapes: shapes.filter(({ words }) => words.includes(word)) });
    }
  }

  /** Shapes of messages that begin as `message` does, whose first word has so many letters; undefined where there are none. */
  of(message: string, letters: number): readonly Shape[] | undefined {
    const alike = this.#byLook[lookOf(message, letters)];
    if (alike === undefined) return undefined;
    for (let i = 0; i < alike.length; i++) {
      if (message.startsWith(alike[i]!.word)) return alike[i]!.shapes;
    }
    return undefined;
  }
}

interface WordShapes {
  readonly word: string;
  readonly shapes: readonly Shape[];
}

/** A number for the first word of a text; longer words than any are alike. */
function lookOf(text: string, letters: number): number {
  return Math.min(letters, 63) << 7 | text.charCodeAt(0) & 127;
}

/** What the first shape that fits says, naming nobody where it leaves a doubt; null where none fits. */
export function readShapes(shapes: readonly Shape[], message: string): Parsed | null {
  for (const shape of shapes) {
    const found = shape.pattern.exec(message);
    if (found === null) continue;
    return isSure(shape, message, found) ? parsed(shape.groups, found) : { address: null, fields: {} };
  }
  return null;
}

function isSure({ shortest, separator, groups }: Shape, message: string, found: RegExpExecArray): boolean {
  if (shortest === null) return true;
  const text = found[groups.user]!;
  return !text.includes(separator) || shortest.exec(message)?.[groups.user] === text;
}

function parsed(groups: Shape["groups"], found: RegExpExecArray): Parsed {
  const address = canonicalAddress(found[groups.address]!);
  const method = groups.method > 0 ? found[groups.method] : undefined;
  const user = groups.user > 0 ? found[groups.user] : undefined;
  const port = groups.port > 0 ? found[groups.port] : undefined;
  // Put down whole where it can be: V8 takes several times as long to add names one by one.
  if (user !== undefined && port !== undefined) {
    return { address, fields: method === undefined ? { user, port } : { method, user, port } };
  }
  const fields: Record<string, string> = {};
  if (method !== undefined) fields.method = method;
  if (user !== undefined) fields.user = user;
  if (port !== undefined) fields.port = port;
  return { address, fields };
}
