import { strict as assert } from "node:assert";
import { loadConfig } from "../../lib/config/load.ts";
import { inDirectory, known, MODULES } from "../support/configs.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  ...[...Deno.readDirSync(new URL("docs/", ROOT))].map(({ name }) => `docs/${name}`),
].filter((path) => path.endsWith(".md"));

/** Returns the examples of a page. Keys alone become a whole configuration. */
function examplesOf(page: string): string[] {
  const text = Deno.readTextFileSync(new URL(page, ROOT));
  return [...text.matchAll(/^```jsonc\n(.*?)^```/gms)].map(([, block]) => {
    const inner = block!.trim().replace(/^\{(.*)\}$/s, "$1");
    return `{ ${block!.includes('"modules"') ? inner : `${inner.replace(/,\s*$/, "")}, ${MODULES}`} }`;
  });
}

Deno.test("each configuration that README.md or a page of docs/ shows can be loaded", () => {
  const examples = PAGES.flatMap((page) => examplesOf(page).map((text) => [page, text] as const));
  assert.ok(examples.length > 30, `${examples.length} examples`);
  for (const [page, text] of examples) {
    inDirectory({ "config.jsonc": text, "db-ca.pem": "" }, (directory) => {
      const path = `${directory}/config.jsonc`;
      assert.doesNotThrow(() => loadConfig(path, { known }), `${page}:\n${text}`);
    });
  }
});
