/** Mistakes in the sections of modules and rules that the schema cannot detect. */
import type { ModuleKind, ModuleOptions, OptionError } from "../reading/module.ts";
import { isExpression, whyNotLinear } from "../reading/regex_safety.ts";
import type { Document, Mistake, Path } from "./document.ts";
import type { ConditionSection, RuleSection } from "./module_schema.ts";

/** Keys of the configuration for a module's options. */
const KEYS: Readonly<Record<keyof ModuleOptions, string>> = {
  logFormats: "log_format",
  trustedProxies: "trusted_proxies",
  patterns: "pattern",
  unsafe: "unsafe",
};

/** Returns the mistake of an option that the module's kind refuses. */
export function badOption(document: Document, at: Path, { option, index, message }: OptionError): Mistake {
  return document.badValue(item(document, [...at, KEYS[option]], index), message);
}

/** Returns mistakes for files that another pattern covers: their lines would count twice. */
export function repeatedFiles(document: Document, at: Path, files: readonly string[]): Mistake[] {
  return files.flatMap((file, i) => {
    const other = files.find((other, j) => i !== j && (other !== file || j < i) && covers(other, file));
    return other === undefined
      ? []
      : [document.badValue(item(document, at, i), `is read by way of ${other} already`)];
  });
}

/** Returns mistakes for patterns that match one of `locked`: reading one ends the state's locks. */
export function lockedFileMistakes(
  document: Document,
  at: Path,
  { patterns, locked }: { patterns: readonly string[]; locked: readonly string[] },
): Mistake[] {
  return patterns.flatMap((pattern, i) => {
    const file = locked.find((file) => covers(pattern, file));
    if (file === undefined) return [];
    const complaint = `must not stand for ${file}, a file of the state: reading it would end its locks`;
    return document.badValue(item(document, at, i), complaint);
  });
}

/** Reports whether `pattern` matches the text `file`, and so all files that `file` matches. */
function covers(pattern: string, file: string): boolean {
  const source = pattern.replace(/[\\^$.+()[\]{}|]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll(
    "?",
    "[^/]",
  );
  return new RegExp(`^${source}$`, "s").test(file);
}

/** Returns mistakes for options that this kind of module does not take. */
export function* optionMistakes(document: Document, at: Path, kind: ModuleKind): Generator<Mistake> {
  for (const [option, key] of Object.entries(KEYS)) {
    if (kind.options.includes(option as keyof ModuleOptions)) continue;
    if (document.at([...at, key]) === undefined) continue;
    yield document.badKey([...at, key], `is not for ${kind.name || "a module with a pattern"}`);
  }
}

/**
 * Returns mistakes of rules: fields that the module never gives, and regular expressions that are
 * invalid, or not linear without `unsafe`. `fields` null: they are unknown.
 */
export function* ruleMistakes(
  document: Document,
  at: Path,
  { rules, fields }: { rules: readonly RuleSection[]; fields: readonly string[] | null },
): Generator<Mistake> {
  const unknown = (path: Path, names: readonly string[]) =>
    names.flatMap((name, i) => {
      if (fields === null || fields.includes(name)) return [];
      return document.badValue(item(document, path, i), `must be one of ${fields.join(", ")}`);
    });
  for (const [i, rule] of rules.entries()) {
    const path = [...at, "rules", i];
    const conditions = rule.except.map((except, j) =>
      [item(document, [...path, "except"], j), except] as const
    );
    for (const [place, condition] of [[path, rule] as const, ...conditions]) {
      if (typeof condition === "string") continue;
      const { field, mode, str = [] } = condition;
      yield* unknown([...place, "field"], field);
      if (mode === "regex") {
        yield* expressionMistakes(document, [...place, "str"], { str, unsafe: rule.unsafe });
      }
    }
    if (rule.distinct !== undefined) yield* unknown([...path, "distinct"], [rule.distinct]);
    if (rule.status && fields?.includes("status") === false) {
      yield document.badKey([...path, "status"], "needs a module that reads a status");
    }
  }
}

function expressionMistakes(
  document: Document,
  path: Path,
  { str, unsafe }: Pick<RuleSection, "unsafe"> & Pick<ConditionSection, "str">,
): Mistake[] {
  return str.flatMap((source, i) => {
    const why = whyNotLinear(source);
    const isAllowed = why === null || (unsafe && isExpression(source));
    return isAllowed ? [] : document.badValue(item(document, path, i), complainOf(why, source));
  });
}

function complainOf(why: string, source: string): string {
  return isExpression(source)
    ? `${why}, so that some lines could take very long: reword it, or say "unsafe": true`
    : why;
}

/** Returns the path of item `index`, or `path` itself where one value stands for a list. */
function item(document: Document, path: Path, index: number): Path {
  return Array.isArray(document.at(path)) ? [...path, index] : path;
}
