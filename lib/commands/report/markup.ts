/** Makes markup from templates. Escapes values, for browsers and for readers of the file. */
import { printable } from "../../core/text.ts";

/** Markup, escaped already. */
export class Markup {
  constructor(readonly text: string) {}
}

/** A value in a template: text to escape, markup, or lists of them; null and false add nothing. */
export type Part = string | number | Markup | null | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes markup from a template, whose attributes must stand in double quotes. The template's line
 * breaks and indents become one blank between words.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const [first, ...others] = strings.map(withoutIndents);
  return new Markup(others.reduce((text, string, i) => text + textOf(parts[i]!) + string, first!));
}

function withoutIndents(string: string): string {
  return string.replace(/\s*\n\s*/g, (blanks, at: number) => {
    const [before, after] = [string[at - 1] ?? ">", string[at + blanks.length] ?? "<"];
    return before === ">" && after === "<" ? "" : " ";
  });
}

function textOf(part: Part): string {
  if (part === null || part === false) return "";
  if (part instanceof Markup) return part.text;
  if (typeof part === "object") return part.map(textOf).join("");
  return printable(String(part)).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
