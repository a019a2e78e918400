import { RUNS, type Template, TemplateError } from "./template.ts";

/** A part of a template's tree. A list of parts is a sequence. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "choice"; readonly ways: readonly (readonly Part[])[] }
  /** `without` has the characters that `<REST WITHOUT >` excludes. */
  | {
    readonly kind: "element";
    readonly name: string;
    readonly isOptional: boolean;
    readonly without: string;
  };

/** Reads a template. Throws `TemplateError`. */
export function parseTemplate(template: Template): readonly Part[] {
  const parts = new Parser(template).parse();
  checkWays(template, parts);
  return parts;
}

const WITHOUT = "REST WITHOUT ";

/** Reads the text of a template from left to right. */
class Parser {
  readonly #template: Template;
  readonly #text: string;
  #at = 0;

  constructor(template: Template) {
    this.#template = template;
    this.#text = template.text;
  }

  parse(): Part[] {
    const parts = this.#parts();
    if (this.#at < this.#text.length) throw this.#error(`"${this.#text[this.#at]}" has no "{" before it`);
    if (parts[0] === undefined) throw this.#error("it is empty");
    return parts;
  }

  /** Reads to the end of the text, or to a character that ends a way of a choice. */
  #parts(): Part[] {
    const parts: Part[] = [];
    for (let next = this.#peek(); next !== "" && next !== "|" && next !== "}"; next = this.#peek()) {
      parts.push(next === "{" ? this.#choice() : next === "<" ? this.#element() : this.#literal());
    }
    return parts;
  }

  #peek(): string {
    return this.#text[this.#at] ?? "";
  }

  #literal(): Part {
    const [text] = /[^{|}<]+/y[Symbol.match](this.#text.slice(this.#at))!;
    this.#at += text.length;
    return { kind: "text", text };
  }

  #choice(): Part {
    const start = this.#at++;
    const ways = [this.#parts()];
    while (this.#peek() === "|") {
      this.#at++;
      ways.push(this.#parts());
    }
    if (this.#peek() !== "}") throw this.#error('"{" has no "}" behind it', start);
    this.#at++;
    return { kind: "choice", ways };
  }

  #element(): Part {
    const end = this.#text.indexOf(">", this.#at);
    if (end < 0) throw this.#error('"<" has no ">" behind it');
    const inside = this.#text.slice(this.#at + 1, end);
    const without = inside.startsWith(WITHOUT) ? inside.slice(WITHOUT.length) : "";
    const isOptional = inside.endsWith("?") && without === "";
    const name = without !== "" ? "REST" : isOptional ? inside.slice(0, -1) : inside;
    const isRun = Object.hasOwn(RUNS, name);
    if (!isRun && (isOptional || !["ADDR", "USER", "TEXT", "REST"].includes(name))) {
      throw this.#error(
        `<${inside}> is none of <ADDR>, <USER>, <TEXT>, <REST>, <${Object.keys(RUNS).join(">, <")}>`,
      );
    }
    this.#at = end + 1;
    return { kind: "element", name, isOptional, without };
  }

  #error(cause: string, at = this.#at): TemplateError {
    return templateError(this.#template, `${cause} (character ${at + 1})`);
  }
}

/** Makes an error that names its template. */
export function templateError({ name, text }: Template, cause: string): TemplateError {
  return new TemplateError(`Cannot use the template "${name}": ${cause}: ${text}`);
}

/** Elements that carry a value: a message has each at most once. */
const ONCE = ["ADDR", "REST", "PORT", "METHOD"];

/** Checks that no way through the template has an element twice or anything behind `<REST>`. */
function checkWays(template: Template, parts: readonly Part[]): void {
  if (most(parts, ["USER", "TEXT"]) > 1) {
    throw templateError(template, "two texts of strangers stand on one way");
  }
  for (const name of ONCE) {
    if (most(parts, [name]) > 1) throw templateError(template, `<${name}> stands twice on one way`);
  }
  if (hasMoreBehindRest(parts, false)) throw templateError(template, "nothing may follow <REST>");
}

/** Returns how often elements occur at most on a way through `parts`. */
function most(parts: readonly Part[], names: readonly string[]): number {
  return parts.reduce((sum, part) => {
    if (part.kind === "choice") return sum + Math.max(...part.ways.map((way) => most(way, names)));
    return part.kind === "element" && names.includes(part.name) ? sum + 1 : sum;
  }, 0);
}

function hasMoreBehindRest(parts: readonly Part[], isFollowed: boolean): boolean {
  return parts.some((part, i) => {
    const isBefore = isFollowed || i < parts.length - 1;
    if (part.kind === "choice") return part.ways.some((way) => hasMoreBehindRest(way, isBefore));
    return part.kind === "element" && part.name === "REST" && isBefore;
  });
}
