import { strict as assert } from "node:assert";
import { join } from "node:path";
import type { Config } from "../../lib/config/types.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { UserError } from "../../lib/core/error.ts";
import { modules } from "../../modules/mod.ts";

export { modules as known };
export const SHIPPED = new URL("../../config.jsonc", import.meta.url).pathname;

export const RULE = '{ "name": "a", "str": "x", "limit": 1 }';
export const MODULES = `"modules": { "SSHD": { "rules": [${RULE}] } }`;
export const DB = '"DB": { "host": "h", "user": "u", "database": "d" }';

/** A configuration with `keys` at the top and one rule. */
export const top = (keys: string) => `{ ${keys}, ${MODULES} }`;
/** A configuration whose one rule has `keys`. */
export const rule = (keys: string) => `{ "modules": { "SSHD": { "rules": [{ ${keys} }] } } }`;
/** Likewise, added to a rule that is right. */
export const more = (keys: string) => rule(`"name": "a", "str": "x", "limit": 1, ${keys}`);

/** A configuration of a service of the user's own, with `keys` beside its rule. */
export const own = (keys: string) =>
  `{ "modules": { "ftp": { ${keys}, "rules": [{ "name": "a", "limit": 1 }] } } }`;

/** Runs `use` in a directory that holds these files and is gone afterwards. */
export function inDirectory<T>(files: Record<string, string | Uint8Array>, use: (directory: string) => T): T {
  const directory = Deno.makeTempDirSync();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(join(directory, name), bytes);
      Deno.chmodSync(join(directory, name), 0o640);
    }
    return use(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

export function load(text: string): Config {
  return inDirectory(
    { "config.jsonc": text },
    (directory) => loadConfig(join(directory, "config.jsonc"), { known: modules, withPassword: false }),
  );
}

/** The message of the `UserError` 78 that `run` throws, without the directory's name. */
export function refusal(run: () => unknown, directory = ""): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.code, 78);
    return directory ? error.message.replaceAll(`${directory}/`, "") : error.message;
  }
  assert.fail("was accepted");
}

export function refusalOf(text: string | Uint8Array): string {
  return inDirectory(
    { "config.jsonc": text },
    (directory) =>
      refusal(
        () => loadConfig(join(directory, "config.jsonc"), { known: modules, withPassword: false }),
        directory,
      ),
  );
}
