import { strict as assert } from "node:assert";
import { dirname, join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;
const IMPORT = /^(?:import|export)\s[^;]*?from "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

/** The files of a directory and those in it, from the project's directory. */
function filesIn(directory: string): string[] {
  return Array.from(Deno.readDirSync(ROOT + directory)).flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(`${directory}/${name}`) : name.endsWith(".ts") ? [`${directory}/${name}`] : []
  );
}

/** A way from `file` back to a file on it, the first that is found; null: there is none. */
function circleFrom(
  file: string,
  imports: ReadonlyMap<string, readonly string[]>,
  { way = [], done }: { way?: readonly string[]; done: Set<string> },
): string[] | null {
  if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
  if (done.has(file)) return null;
  for (const imported of imports.get(file) ?? []) {
    const circle = circleFrom(imported, imports, { way: [...way, file], done });
    if (circle !== null) return circle;
  }
  done.add(file);
  return null;
}

/** All files that load with a file: those that it imports, except types, and theirs. */
function loadedWith(file: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(file)) return loaded;
  loaded.add(file);
  for (const [statement, fixed] of Deno.readTextFileSync(ROOT + file).matchAll(IMPORT)) {
    if (fixed !== undefined && !statement.startsWith("import type")) {
      loadedWith(join(dirname(file), fixed), loaded);
    }
  }
  return loaded;
}

const PRODUCT = ["main.ts", ...["lib", "modules", "tools"].flatMap(filesIn)];

Deno.test("no file has more than 250 lines of code", () => {
  const isCode = (line: string) => !/^\s*(?:$|\/\/|\/?\*)/.test(line);
  const long = PRODUCT.filter((file) =>
    Deno.readTextFileSync(ROOT + file).split("\n").filter(isCode).length > 250
  );
  assert.deepEqual(long, []);
});

Deno.test("no files import each other in a circle, types included", () => {
  const imports = new Map(PRODUCT.map((file) => [
    file,
    [...Deno.readTextFileSync(ROOT + file).matchAll(IMPORT)]
      .map(([, fixed, late]) => join(dirname(file), (fixed ?? late)!)),
  ]));
  assert.ok([...imports.values()].flat().length > PRODUCT.length, "finds imports");
  const done = new Set<string>();
  for (const file of PRODUCT) assert.equal(circleFrom(file, imports, { done })?.join(" -> "), undefined);
});

Deno.test("commands that use no state load neither its code nor that of the journal and PostgreSQL", () => {
  for (const command of ["match", "rehearsal/replay"]) {
    const loaded = [...loadedWith(`lib/commands/${command}.ts`)];
    assert.ok(loaded.includes("lib/config/load.ts"), "finds imports");
    const needless = /^lib\/(?:state|sources\/(?:journal|files)|postgres)\/(?!database_config)/;
    assert.deepEqual(loaded.filter((file) => needless.test(file)), [], command);
  }
});
