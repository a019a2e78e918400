import type { MessageForm } from "../reading/message_reader.ts";
import { whyNotLinear } from "../reading/regex_safety.ts";
import { TextForm } from "../reading/text_reader.ts";
import { parseScope, type Scope } from "../core/scope.ts";
import type { Condition, Growth, ModuleRules, Rule } from "../rules/rule.ts";
import type { Micros } from "../core/time.ts";
import {
  type Module,
  type ModuleKind,
  type ModuleMatch,
  OptionError,
  type ParserOptions,
} from "../reading/module.ts";
import type { Document, Path, Problem } from "./document.ts";
import type { ConditionSection, ModuleSection, RuleSection } from "./module_schema.ts";
import type { Settings } from "./schema.ts";
import type { RuleTests } from "./types.ts";

/** Modules and rules made of the configuration, with the mistakes found in them. */
export interface Modules {
  readonly modules: readonly ModuleRules[];
  readonly tests: readonly RuleTests[];
  readonly problems: readonly Problem[];
}

/** Keys of the configuration for the options of a module. */
const KEYS: Readonly<Record<keyof ParserOptions, string>> = {
  logFormats: "log_format",
  trustedProxies: "trusted_proxies",
  patterns: "pattern",
  unsafe: "unsafe",
};

/**
 * Returns the kind of the module `name`; the kind without a name is for services of the user's own.
 */
export function kindOf(name: string, known: readonly ModuleKind[]): ModuleKind {
  return known.find((kind) => kind.name === name) ?? known.find((kind) => kind.name === "")!;
}

/** Makes modules and rules of checked `settings`. `document` gives the positions of problems. */
export function makeModules(
  settings: Settings,
  { document, known }: { document: Document; known: readonly ModuleKind[] },
): Modules {
  const problems: Problem[] = [];
  const modules = Object.entries(settings.modules).map(([name, section]): ModuleRules => ({
    module: makeModule(section, { name, kind: kindOf(name, known), document, problems }),
    noLog: section.no_log ?? [],
    record: section.record,
    trustedProxies: proxiesOf(section, kindOf(name, known)),
    rules: section.rules.map((rule, i) => {
      problems.push(...expressionProblems(document, ["modules", name, "rules", i], rule));
      return makeRule(rule, { module: name, section, settings });
    }),
  }));
  return { modules, tests: collectTests(settings), problems };
}

function makeModule(
  section: ModuleSection,
  { name, kind, document, problems }: {
    name: string;
    kind: ModuleKind;
    document: Document;
    problems: Problem[];
  },
): Module {
  const at = ["modules", name];
  const options: ParserOptions = {
    logFormats: section.log_format ?? [],
    trustedProxies: proxiesOf(section, kind),
    patterns: section.pattern ?? [],
    unsafe: section.unsafe ?? false,
  };
  const makeForm = (): MessageForm | null => {
    try {
      return kind.form(options);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      problems.push(
        document.badValue(item(document, [...at, KEYS[error.option]], error.index), error.message),
      );
      return null;
    }
  };
  const form = makeForm();
  problems.push(
    ...repeatedFiles(document, [...at, "match", "file"], section.match?.file ?? []),
    ...optionProblems(document, at, kind),
    // The fields of a module are known from its form alone.
    ...form ? fieldProblems(document, at, { section, fields: new Set(form.fields) }) : [],
  );
  const match = matchOf(section, kind);
  return {
    name,
    ...match,
    programs: programsOf(match, kind),
    form: form ?? NO_FORM,
    ...(section.time_zone && { zone: section.time_zone }),
  };
}

/** A container's messages bear the names that the service goes by; what a pattern reads may bear any. */
function programsOf({ identifiers }: ModuleMatch, { match }: ModuleKind): string[] {
  return match.identifiers.length === 0 ? [] : [...new Set([...match.identifiers, ...identifiers])];
}

/** The proxies that are told; null where it matters that none are. */
function proxiesOf({ trusted_proxies: told }: ModuleSection, kind: ModuleKind): readonly string[] | null {
  return told ?? (kind.mayNameProxies ? null : []);
}

/** Stands for a form that could not be made; the configuration is refused anyway. */
const NO_FORM = new TextForm({ fields: [], parse: () => null });

function matchOf({ match }: ModuleSection, kind: ModuleKind): ModuleMatch {
  if (!match) return kind.match;
  const { identifier: identifiers = [], unit = [], file: files = [] } = match;
  // With identifiers the module's own units still prove who wrote an entry. Without, they would add
  // entries of whole units.
  const units = identifiers.length > 0 ? [...new Set([...unit, ...kind.match.units])] : unit;
  return { identifiers, units, files };
}

/** Complains of files that another pattern of the module covers: their lines would count twice. */
function repeatedFiles(document: Document, at: Path, files: readonly string[]): Problem[] {
  return files.flatMap((file, i) => {
    const other = files.find((other, j) => i !== j && (other !== file || j < i) && means(other, file));
    return other === undefined
      ? []
      : [document.badValue(item(document, at, i), `is read by way of ${other} already`)];
  });
}

/**
 * Reports whether `pattern` matches `file` as text, so that it covers all files that `file`
 * matches.
 */
function means(pattern: string, file: string): boolean {
  const source = pattern.replace(/[\\^$.+()[\]{}|]/g, "\\$&").replaceAll("*", "[^/]*").replaceAll(
    "?",
    "[^/]",
  );
  return new RegExp(`^${source}$`, "s").test(file);
}

/** Complains of options that this kind of module does not take. */
function optionProblems(document: Document, at: Path, kind: ModuleKind): Problem[] {
  const others = Object.entries(KEYS).filter(([option]) =>
    !kind.options.includes(option as keyof ParserOptions)
  );
  return others.filter(([, key]) => document.at([...at, key]) !== undefined).map(([, key]) =>
    document.badKey([...at, key], `is not for ${kind.name || "a module with a pattern"}`)
  );
}

/** Complains of fields that the module never gives. */
function fieldProblems(
  document: Document,
  at: Path,
  { section, fields }: { section: ModuleSection; fields: ReadonlySet<string> },
): Problem[] {
  const unknown = (path: Path, names: readonly string[]) =>
    names.flatMap((name, i) =>
      fields.has(name)
        ? []
        : [document.badValue(item(document, path, i), `must be one of ${[...fields].join(", ")}`)]
    );
  return section.rules.flatMap((rule, i) => {
    const path = [...at, "rules", i];
    return [
      ...unknown([...path, "field"], rule.field),
      ...unknown([...path, "distinct"], rule.distinct === undefined ? [] : [rule.distinct]),
      ...(rule.status && !fields.has("status")
        ? [document.badKey([...path, "status"], "needs a module that reads a status")]
        : []),
      ...rule.except.flatMap((except, j) =>
        typeof except === "string"
          ? []
          : unknown([...item(document, [...path, "except"], j), "field"], except.field)
      ),
    ];
  });
}

/** Complains of a rule's regular expressions that are invalid, or not linear without `unsafe`. */
function expressionProblems(document: Document, at: Path, rule: RuleSection): Problem[] {
  const complaints = (path: Path, { mode, str = [] }: Partial<ConditionSection>) =>
    mode !== "regex" ? [] : str.flatMap((source, i) => {
      const why = whyNotLinear(source);
      const allowed = why === null || (rule.unsafe && isExpression(source));
      return allowed ? [] : [document.badValue(item(document, [...path, "str"], i), complainOf(why, source))];
    });
  return [
    ...complaints(at, rule),
    ...rule.except.flatMap((except, i) =>
      typeof except === "string" ? [] : complaints(item(document, [...at, "except"], i), except)
    ),
  ];
}

function complainOf(why: string, source: string): string {
  return isExpression(source)
    ? `${why}, so that some lines could take very long: reword it, or say "unsafe": true`
    : why;
}

function isExpression(source: string): boolean {
  try {
    return new RegExp(source, "s") !== null;
  } catch {
    return false;
  }
}

/**
 * Returns the path of item `index`; the path itself where the document has one value in place of a
 * list.
 */
function item(document: Document, path: Path, index: number): Path {
  return Array.isArray(document.at(path)) ? [...path, index] : path;
}

type Spans = Partial<
  Pick<Settings, "window" | "ban_time" | "ban_time_factor" | "max_ban_time" | "forget_after">
>;

function scopeOf({ ban_command, ports, protocol }: ModuleSection, module: string): Scope {
  if (ban_command !== undefined) return { module };
  if (ports === undefined) return protocol === undefined ? "all" : { protocol, ports: [] };
  return parseScope(`${protocol ?? "tcp"} ${ports}`)!;
}

function makeRule(
  rule: RuleSection,
  { module, section, settings }: { module: string; section: ModuleSection; settings: Settings },
): Rule {
  const outer = [section, settings];
  const { name, str, status, except, distinct = null, limit } = rule;
  return {
    name,
    condition: str === undefined ? null : makeCondition({ ...rule, str }),
    status: status === undefined ? null : new Set(status),
    except: except.map((given) =>
      makeCondition(typeof given === "string" ? { ...rule, str: [given], mode: "start" } : given)
    ),
    distinct,
    limit,
    window: inherit(rule.window, ...outer.map(({ window }) => window)),
    banTime: inherit(rule.ban_time, ...outer.map(({ ban_time }) => ban_time)),
    growth: makeGrowth([rule, ...outer]),
    scope: scopeOf(section, module),
  };
}

/** Makes the growth of bans; of several sections the first one that has a key counts. */
export function makeGrowth(given: readonly Spans[]): Growth {
  return {
    factor: given.find(({ ban_time_factor }) => ban_time_factor !== undefined)?.ban_time_factor ?? 1,
    most: inherit(...given.map(({ max_ban_time }) => max_ban_time)),
    forgetAfter: inherit(...given.map(({ forget_after }) => forget_after)),
  };
}

function makeCondition({ str, mode, field, ignore_case: ignoreCase }: ConditionSection): Condition {
  const lower = ignoreCase && mode !== "regex";
  return { fields: field, mode, texts: lower ? str.map((text) => text.toLowerCase()) : str, ignoreCase };
}

/** The innermost span that is given; null, for ever, without one. */
export function inherit(...spans: (Micros | null | undefined)[]): Micros | null {
  return spans.find((span) => span !== undefined) ?? null;
}

function collectTests({ modules }: Settings): RuleTests[] {
  return Object.entries(modules).flatMap(([module, { rules }]) =>
    rules.flatMap(({ name, tests }) =>
      tests ? [{ module, rule: name, match: tests.match, noMatch: tests.no_match }] : []
    )
  );
}
