/**
 * A plugin of `deno lint` for imports: which layer may import which, which file each outside package
 * belongs to, and which layers stay pure. Files outside of the tables (tests, tools) are free.
 */

/** A layer: its files, and the other layers that they may import. */
interface Layer {
  /** Files, or directories with a `/` at the end, from the project's directory. */
  readonly files: readonly string[];
  readonly imports: readonly string[];
}

const BELOW = ["core", "reading", "rules", "deciding"];
const ROOMS = [...BELOW, "sources", "state", "postgres", "firewall", "enforcing", "config", "monitor"];

/** A file belongs to the first layer that names it. */
const LAYERS: Readonly<Record<string, Layer>> = {
  core: { files: ["lib/core/"], imports: ["project"] },
  "module list": { files: ["modules/mod.ts"], imports: ["core", "reading", "modules"] },
  modules: { files: ["modules/"], imports: ["core", "reading"] },
  sources: { files: ["lib/sources/"], imports: ["core"] },
  reading: { files: ["lib/reading/"], imports: ["core"] },
  rules: { files: ["lib/rules/"], imports: ["core", "reading"] },
  deciding: { files: ["lib/deciding/"], imports: ["core", "reading", "rules"] },
  state: { files: ["lib/state/"], imports: BELOW },
  postgres: { files: ["lib/postgres/"], imports: BELOW },
  firewall: { files: ["lib/firewall/"], imports: BELOW },
  enforcing: { files: ["lib/enforcing/"], imports: [...BELOW, "firewall"] },
  "shipped configuration": { files: ["config.jsonc", "packaging/config.jsonc"], imports: [] },
  config: { files: ["lib/config/"], imports: [...BELOW, "postgres", "shipped configuration"] },
  monitor: { files: ["lib/monitor/"], imports: ROOMS },
  "common parts of commands": { files: ["lib/commands/common/"], imports: [...ROOMS, "module list"] },
  commands: { files: ["lib/commands/"], imports: [...ROOMS, "module list", "common parts of commands"] },
  project: { files: ["deno.json"], imports: [] },
  main: { files: ["main.ts"], imports: ["core", "commands", "common parts of commands"] },
};

/** The files that alone may import each outside package. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "@eslint-community/regexpp": [
    "lib/reading/regex_safety.ts",
    "lib/rules/literals.ts",
    "modules/pattern/",
  ],
  "@logtape/logtape": ["lib/core/log.ts"],
  commander: ["lib/commands/command_line/"],
  "d3-array": ["lib/commands/report/"],
  "d3-scale": ["lib/commands/report/"],
  "d3-shape": ["lib/commands/report/"],
  "d3-time": ["lib/commands/report/"],
  "fastest-levenshtein": ["lib/config/suggest.ts"],
  // The oracle of tests.
  "ipaddr.js": [],
  "jsonc-parser": ["lib/config/document.ts"],
  "node:crypto": ["lib/deciding/knock_key.ts"],
  "node:fs": ["lib/commands/common/input.ts"],
  "node:net": ["lib/postgres/dial.ts"],
  "node:os": ["lib/core/denial.ts"],
  "node:path": ["lib/config/"],
  "node:process": ["main.ts"],
  "node:sqlite": ["lib/state/"],
  "node:stream": ["lib/core/gzip.ts", "lib/postgres/"],
  "node:tls": ["lib/postgres/dial.ts"],
  "node:zlib": ["lib/core/gzip.ts"],
  otpauth: ["lib/deciding/knock_key.ts"],
  postgres: ["lib/postgres/connection.ts"],
  "string-width": ["lib/commands/watch/cell.ts"],
  uqr: ["lib/commands/knock.ts"],
  "zod/mini": ["lib/config/", "lib/monitor/report.ts"],
};

/** Layers whose code depends on its arguments alone: no system, no clock, no timer. */
const PURE = ["module list", "modules", "reading", "rules", "deciding"];
const IMPURE = ["Deno", "performance", "setTimeout", "setInterval", "globalThis"];
/** Methods of `Date` that read no clock. */
const TIMELESS = ["parse", "UTC"];

const ROOT = new URL("../../", import.meta.url).pathname;

function isIn(path: string, files: readonly string[]): boolean {
  return files.some((file) => file.endsWith("/") ? path.startsWith(file) : path === file);
}

function layerOf(path: string): string | undefined {
  return Object.keys(LAYERS).find((name) => isIn(path, LAYERS[name]!.files));
}

/** The linted file from the project's directory; null for one that is free. */
function houseFile(filename: string): string | null {
  const path = filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
  return /^(?:lib|modules)\/|^[^/]*$/.test(path) ? path : null;
}

/** Why the file `path` may not import `specifier`; null when it may. */
function refuseImport(path: string, specifier: string): string | null {
  if (!/^\.{0,2}\//.test(specifier)) return refusePackage(path, specifier);
  const [from, target] = [layerOf(path), new URL(specifier, `file:///${path}`).pathname.slice(1)];
  if (from === undefined) return `${path} belongs to no layer: give it one in tests/lint/layers.ts`;
  const to = layerOf(target);
  if (to === from || (to !== undefined && LAYERS[from]!.imports.includes(to))) return null;
  return `${from} may import ${list([from, ...LAYERS[from]!.imports])}, not ${to ?? target}`;
}

function refusePackage(path: string, specifier: string): string | null {
  const homes = PACKAGES[specifier];
  if (homes === undefined) {
    return `${specifier} has no place in the house: give it one in tests/lint/layers.ts`;
  }
  return isIn(path, homes) ? null : `${specifier} may be imported by ${list(homes)} alone`;
}

function list(words: readonly string[]): string {
  return [...new Set(words)].join(", ");
}

/** Whether a name stands for the global of that name: not as the key of a member, and not as a mere type. */
function isGlobal(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "MemberExpression") return parent.object === node || parent.computed;
  return parent.type !== "Property" || parent.value === node;
}

function readsClock(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  if (parent.type === "TSTypeReference") return false;
  if (parent.type === "NewExpression") return parent.arguments.length === 0;
  if (parent.type !== "MemberExpression" || parent.computed) return true;
  return parent.property.type !== "Identifier" || !TIMELESS.includes(parent.property.name);
}

const imports: Deno.lint.Rule = {
  create(context) {
    const path = houseFile(context.filename);
    if (path === null) return {};
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null | undefined) => {
      if (!source) return;
      const specifier = source.type === "TSLiteralType" ? source.literal : source;
      const text = specifier.type === "Literal" ? String(specifier.value) : null;
      const message = text === null ? "An import must name its file literally" : refuseImport(path, text);
      if (message !== null) context.report({ node, message });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      TSImportType: (node) => check(node, node.argument),
    };
  },
};

const purity: Deno.lint.Rule = {
  create(context) {
    const layer = layerOf(houseFile(context.filename) ?? "");
    if (layer === undefined || !PURE.includes(layer)) return {};
    return {
      Identifier(node) {
        const impure = node.name === "Date" ? readsClock(node) : IMPURE.includes(node.name);
        if (!impure || !isGlobal(node)) return;
        context.report({ node, message: `${layer} must be pure: no ${node.name}, no clock, no timer` });
      },
    };
  },
};

const noDefaultExport: Deno.lint.Rule = {
  create(context) {
    if (houseFile(context.filename) === null) return {};
    const report = (node: Deno.lint.Node) =>
      context.report({ node, message: "A default export has no name to be found by: export by name" });
    return {
      ExportDefaultDeclaration: report,
      ExportSpecifier: (node) => {
        const { exported } = node;
        if ((exported.type === "Identifier" ? exported.name : exported.value) === "default") report(node);
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "layers",
  rules: { imports, purity, "no-default-export": noDefaultExport },
};
export default plugin;
