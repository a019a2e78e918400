/** Compares what `--json` prints with docs/json.md: the keys of each object, and the type of each value. */
import { strict as assert } from "node:assert";

const PAGE = Deno.readTextFileSync(new URL("../../docs/json.md", import.meta.url));

/** A value's type is one of these words; each says whether a value has it. */
const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string" && !isInstant(value),
  instant: isInstant,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  number: Number.isFinite,
  span: Number.isFinite,
  list: Array.isArray,
  object: isObject,
  null: (value) => value === null,
};

type Objects = readonly Readonly<Record<string, unknown>>[];

/** A table of keys. */
interface Table {
  /** The paragraph above the table. */
  readonly above: string;
  /** Types and meaning by key. */
  readonly rows: ReadonlyMap<string, { readonly types: readonly string[]; readonly meaning: string }>;
}

/** Returns the page's section under a heading, up to the next one of the same level. */
export function section(heading: string): string {
  const found = PAGE.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(found, `docs/json.md has no section ${heading}`);
  return found;
}

/**
 * Asserts that objects have exactly the keys of a section's table, with values of its types, and that
 * the section describes the keys of objects inside of them: by a table, or by their names in its text.
 * @param headings sections whose first tables together describe the objects
 * @param others sections with tables that describe objects inside, by their keys
 */
export function assertDescribed(
  objects: Objects,
  headings: readonly [string, ...string[]],
  others: readonly string[] = [],
): void {
  const context = {
    inner: headings.flatMap((heading) => tablesOf(heading).slice(1)),
    others: others.flatMap(tablesOf),
    text: [...headings, ...others].map(section).join("\n"),
  };
  // The last line of some commands is a summary alone.
  const isSummary = (object: Objects[0]) => Object.keys(object).join() === "summary";
  const rows = new Map(headings.flatMap((heading) => [...tablesOf(heading)[0]!.rows]));
  compare(objects.filter((object) => !isSummary(object)), { above: headings.join(), rows }, context);
  compareInner(objects.filter(isSummary), context);
}

/** What describes objects inside of others. */
interface Context {
  /** Tables of the same section, below paragraphs that name the objects' keys. */
  readonly inner: readonly Table[];
  readonly others: readonly Table[];
  readonly text: string;
}

function compare(objects: Objects, { above, rows }: Table, context: Context): void {
  for (const object of objects) {
    assert.deepEqual(Object.keys(object).toSorted(), [...rows.keys()].toSorted(), above);
    for (const [key, value] of Object.entries(object)) {
      const { types } = rows.get(key)!;
      assert.ok(types.some((type) => TYPES[type]!(value)), `${key} of ${above} is no ${types}: ${value}`);
    }
  }
  compareInner(objects, context);
}

/** Compares the objects that are values, or in lists that are values, key by key. */
function compareInner(objects: Objects, context: Context): void {
  for (const key of new Set(objects.flatMap((object) => Object.keys(object)))) {
    // The names of a message's fields depend on its module.
    if (key === "fields") continue;
    const found = objects.flatMap((object) => objectsIn(object[key]));
    if (found.length === 0) continue;
    const names = new Set(found.flatMap((object) => Object.keys(object)));
    const table = context.inner.find(({ above }) => namesIn(above).has(key)) ??
      context.others.find(({ rows }) =>
        names.symmetricDifference(rows as ReadonlySetLike<string>).size === 0
      );
    if (table !== undefined) {
      // Keys of a summary may have the names of other objects' keys.
      compare(found, table, key === "summary" ? { ...context, inner: [] } : context);
      continue;
    }
    const described = namesIn(context.text);
    for (const name of names) assert.ok(described.has(name), `${name} of ${key} is not described`);
    compareInner(found, context);
  }
}

function tablesOf(heading: string): Table[] {
  const blocks = section(heading).split("\n\n");
  return blocks.flatMap((block, i) => {
    if (!block.startsWith("| key")) return [];
    const rows = block.trimEnd().split("\n").slice(2).flatMap((line) => {
      const [, keys, types, meaning] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
      return [...namesIn(keys!)].map((key) =>
        [key, { types: types!.split(", "), meaning: meaning! }] as const
      );
    });
    return [{ above: blocks[i - 1]!, rows: new Map(rows) }];
  });
}

/** Returns the words of a text that it marks as names. */
function namesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/[`"](\w+)[`"]/g)].map(([, name]) => name!));
}

function objectsIn(value: unknown): Objects {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return isObject(value) ? [value] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInstant(value: unknown): boolean {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(value);
}

/** Returns the objects of an output, one on each line. */
export function objectsOf(output: string): Objects {
  return output.trimEnd().split("\n").map((line) => JSON.parse(line));
}
