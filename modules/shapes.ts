import { canonicalAddress } from "../lib/ip.ts";
import type { Parsed } from "../lib/types.ts";

/** A kind of message that names an address. */
export interface Shape {
  readonly name: string;
  /** First words of such messages, up to the first blank: the others need not be tried. */
  readonly words: readonly string[];
  /** The message from its first character to its last. */
  readonly pattern: RegExp;
  /** What its groups hold: `address` or the names of fields. They bear no names in it: V8 takes thrice the time for such. */
  readonly groups: readonly string[];
  /**
   * The same, taking hostile text as short as it can be, where `pattern` takes it as long as it can be. Given
   * where such text stands on both sides of the address: unless both find the same one, nobody can tell which
   * part the service wrote.
   */
  readonly shortest: RegExp | null;
  /** Character that follows hostile text before the address: where that text does not hold it, there are no two places. */
  readonly separator: string;
}

const PARTS: Readonly<Record<string, string>> = {
  // Counted repetitions would keep V8 from matching in linear time; `canonicalAddress()` bounds the length.
  ADDR: "([0-9A-Fa-f:.]+(?:%[\\w.-]+)?)",
  PORT: "(\\d{1,5})",
  METHOD: "([\\w/.@-]+)",
};
const GROUPS: Readonly<Record<string, string>> = {
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
  const groups = [...template.matchAll(/<(\w+)>/g)].map(([, part]) => GROUPS[part!]!);
  const hasTextAfter = /<USER>.*<ADDR>.*\.\*/.test(template);
  return {
    name,
    words: words.split(" "),
    pattern,
    groups,
    shortest: hasTextAfter ? compile("(.*?)") : null,
    separator: /<USER>([^<\\(])/.exec(template)?.[1] ?? "",
  };
}

/** Shapes under the words that they begin with. */
export function indexShapes(shapes: readonly Shape[]): ReadonlyMap<string, readonly Shape[]> {
  return Map.groupBy(
    shapes.flatMap((shape) => shape.words.map((word) => ({ word, shape }))),
    ({ word }) => word,
  )
    .entries().reduce((index, [word, all]) => index.set(word, all.map(({ shape }) => shape)), new Map());
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
  const user = 1 + groups.indexOf("user");
  const text = found[user]!;
  return !text.includes(separator) || shortest.exec(message)?.[user] === text;
}

function parsed(groups: readonly string[], found: RegExpExecArray): Parsed {
  let address: string | null = null;
  const fields: Record<string, string> = {};
  for (let i = 0; i < groups.length; i++) {
    const text = found[i + 1];
    if (text === undefined) continue;
    if (groups[i] === "address") address = canonicalAddress(text);
    else fields[groups[i]!] = text;
  }
  return { address, fields };
}
