import { canonicalAddress } from "../lib/ip.ts";
import type { Parsed } from "../lib/types.ts";

/** A kind of message that names an address. */
export interface Shape {
  readonly name: string;
  /** First words of such messages, up to the first blank: the others need not be tried. */
  readonly words: readonly string[];
  /** The message from its first character to its last. */
  readonly pattern: RegExp;
  /**
   * The same, taking hostile text as short as it can be, where `pattern` takes it as long as it can be. Given
   * where such text stands on both sides of the address: unless both find the same one, nobody can tell which
   * part the service wrote.
   */
  readonly shortest?: RegExp;
}

const PARTS: Readonly<Record<string, string>> = {
  // Counted repetitions would keep V8 from matching in linear time; `canonicalAddress()` bounds the length.
  ADDR: "(?<address>[0-9A-Fa-f:.]+(?:%[\\w.-]+)?)",
  PORT: "(?<port>\\d{1,5})",
  METHOD: "(?<method>[\\w/.@-]+)",
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
  const pattern = compile("(?<user>.*)");
  const hasTextAfter = /<USER>.*<ADDR>.*\.\*/.test(template);
  return { name, words: words.split(" "), pattern, ...hasTextAfter && { shortest: compile("(?<user>.*?)") } };
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
  for (const { pattern, shortest } of shapes) {
    const groups = pattern.exec(message)?.groups;
    if (!groups) continue;
    if (shortest && shortest.exec(message)?.groups?.user !== groups.user) {
      return { address: null, fields: {} };
    }
    return parsed(groups);
  }
  return null;
}

function parsed({ address: found, ...rest }: Record<string, string | undefined>): Parsed {
  const address = canonicalAddress(found!);
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined) as [string, string][];
  return { address, fields: Object.fromEntries(fields) };
}
