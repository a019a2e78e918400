/** Markup out of templates: values are escaped, for a browser as well as for whoever reads the file. */
import { printable } from "../../core/text.ts";

/** Text that is markup already. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What a template takes: text, which is escaped, markup, or lists of these; null and false are nothing. */
export type Part = string | number | Markup | null | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Makes markup of a template. All attributes are to stand in double quotes. Line breaks of the template itself and what it is
 * indented by are not part of the markup, except for one blank between words.
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
