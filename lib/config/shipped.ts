import text from "../../config.jsonc" with { type: "text" };
import packaged from "../../packaging/config.jsonc" with { type: "text" };
import { plainValue } from "./plain_value.ts";

/** The text of the shipped configuration. */
export const SHIPPED: string = text;

/** The texts of configurations that observe as installed: by hand, and by the Debian package. */
export const UNEDITED: readonly string[] = [text, packaged];

/** An object of a configuration, as far as this file needs it. */
type Sections = Readonly<Record<string, unknown>>;

/**
 * Gives the rules of the shipped configuration to each module without rules. Leaves out their
 * tests, which are lines of the usual log formats. Leaves a module that is not shipped as it is.
 */
export function withShippedRules(value: unknown): unknown {
  if (!isObject(value) || !isObject(value.modules)) return value;
  const lacking = Object.entries(value.modules)
    .filter(([, section]) => isObject(section) && section.rules === undefined);
  if (lacking.length === 0) return value;
  const { modules } = plainValue(SHIPPED)!.value as { modules: Record<string, { rules: Sections[] }> };
  const completed = lacking.flatMap(([name, section]) => {
    if (!Object.hasOwn(modules, name)) return [];
    const rules = modules[name]!.rules.map((rule) => ({ ...rule, tests: undefined }));
    return [[name, { ...section as Sections, rules }]];
  });
  return { ...value, modules: { ...value.modules, ...Object.fromEntries(completed) } };
}

function isObject(value: unknown): value is Sections {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
