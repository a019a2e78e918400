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
import type { Document, Mistake } from "./document.ts";
import { badOption, optionMistakes, repeatedFiles, ruleMistakes } from "./module_mistakes.ts";
import type { ModuleSection } from "./module_schema.ts";
import { makeRule } from "./rules.ts";
import type { Settings } from "./schema.ts";
import type { RuleTests } from "./types.ts";

/** Modules and rules of a configuration, with the mistakes found in them. */
export interface Modules {
  readonly modules: readonly ModuleRules[];
  readonly tests: readonly RuleTests[];
  readonly mistakes: readonly Mistake[];
}

/** Makes modules and rules of checked `settings`. `document` locates the mistakes. */
export function makeModules(
  settings: Settings,
  { document, known }: { document: Document; known: readonly ModuleKind[] },
): Modules {
  const mistakes: Mistake[] = [];
  const modules = Object.entries(settings.modules).map(([name, section]): ModuleRules => {
    // A service of the user's own is of the kind without a name.
    const kind = known.find((kind) => kind.name === name) ?? known.find((kind) => kind.name === "")!;
    const module = makeModule(section, { name, kind, document, mistakes });
    return {
      module,
      noLog: section.no_log ?? [],
      record: section.record,
      trustedProxies: module.options.trustedProxies,
      rules: section.rules.map((rule) => makeRule(rule, { module: name, section, settings })),
    };
  });
  return { modules, tests: collectTests(settings), mistakes };
}

function makeModule(
  section: ModuleSection,
  { name, kind, document, mistakes }: {
    name: string;
    kind: ModuleKind;
    document: Document;
    mistakes: Mistake[];
  },
): Module & { readonly options: ModuleOptions } {
  const at = ["modules", name];
  const options: ModuleOptions = {
    logFormats: section.log_format ?? [],
    trustedProxies: section.trusted_proxies ?? (kind.mayNameProxies ? null : []),
    patterns: section.pattern ?? [],
    unsafe: section.unsafe ?? false,
  };
  let form: MessageForm | null = null;
  try {
    form = kind.form(options);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    mistakes.push(badOption(document, at, error));
  }
  mistakes.push(
    ...repeatedFiles(document, [...at, "match", "file"], section.match?.file ?? []),
    ...optionMistakes(document, at, kind),
    // Only the form knows the fields of a module.
    ...ruleMistakes(document, at, { rules: section.rules, fields: form && form.fields }),
  );
  const match = matchOf(section, kind);
  const known = kind.match.identifiers;
  return {
    name,
    ...match,
    // Without any name, a pattern reads the messages of any container.
    programs: known.length === 0 ? [] : [...new Set([...known, ...match.identifiers])],
    aliases: section.match?.identifier ? [] : kind.aliases,
    form: form ?? NO_FORM,
    options,
    ...(section.time_zone && { zone: section.time_zone }),
  };
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
