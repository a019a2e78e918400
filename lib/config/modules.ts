import {
  type Module,
  type ModuleKind,
  type ModuleMatch,
  type ModuleOptions,
  OptionError,
} from "../reading/module.ts";
import type { MessageForm } from "../reading/message_reader.ts";
import { TextForm } from "../reading/text_reader.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { Document, Problem } from "./document.ts";
import {
  badOption,
  expressionProblems,
  fieldProblems,
  optionProblems,
  repeatedFiles,
} from "./module_problems.ts";
import type { ModuleSection } from "./module_schema.ts";
import { makeRule } from "./rules.ts";
import type { Settings } from "./schema.ts";
import type { RuleTests } from "./types.ts";

export interface Modules {
  readonly modules: readonly ModuleRules[];
  readonly tests: readonly RuleTests[];
  readonly problems: readonly Problem[];
}

/** Returns the kind of the module `name`; for a service of the user's own, the nameless kind. */
function kindOf(name: string, known: readonly ModuleKind[]): ModuleKind {
  return known.find((kind) => kind.name === name) ?? known.find((kind) => kind.name === "")!;
}

/** Makes modules and rules of checked `settings`. `document` locates the problems. */
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
  const options: ModuleOptions = {
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
      problems.push(badOption(document, at, error));
      return null;
    }
  };
  const form = makeForm();
  problems.push(
    ...repeatedFiles(document, [...at, "match", "file"], section.match?.file ?? []),
    ...optionProblems(document, at, kind),
    // Only the form knows the fields of a module.
    ...form ? fieldProblems(document, at, { section, fields: new Set(form.fields) }) : [],
  );
  const match = matchOf(section, kind);
  const known = kind.match.identifiers;
  return {
    name,
    ...match,
    // Without any name, a pattern reads the messages of any container.
    programs: known.length === 0 ? [] : [...new Set([...known, ...match.identifiers])],
    form: form ?? NO_FORM,
    options,
    ...(section.time_zone && { zone: section.time_zone }),
  };
}

/** Returns the configured proxies; null: none are configured and the module may need them. */
function proxiesOf(
  { trusted_proxies: configured }: ModuleSection,
  kind: ModuleKind,
): readonly string[] | null {
  return configured ?? (kind.mayNameProxies ? null : []);
}

/** Stands in for a form that could not be made; the configuration is refused anyway. */
const NO_FORM = new TextForm({ fields: [], parse: () => null });

function matchOf({ match }: ModuleSection, kind: ModuleKind): ModuleMatch {
  if (!match) return kind.match;
  const { identifier: identifiers = [], unit = [], file: files = [] } = match;
  // With identifiers the module's own units still prove who wrote an entry. Without identifiers
  // they would add all entries of these units.
  const units = identifiers.length > 0 ? [...new Set([...unit, ...kind.match.units])] : unit;
  return { identifiers, units, files };
}

function collectTests({ modules }: Settings): RuleTests[] {
  return Object.entries(modules).flatMap(([module, { rules }]) =>
    rules.flatMap(({ name, tests }) =>
      tests ? [{ module, rule: name, match: tests.match, noMatch: tests.no_match }] : []
    )
  );
}
