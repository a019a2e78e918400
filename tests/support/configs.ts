import { strict as assert } from "node:assert";
import { join } from "node:path";
import type { Config } from "../../lib/config/types.ts";
import { loadConfig } from "../../lib/config/load.ts";
import { UserError } from "../../lib/core/error.ts";
import { HOUR, SECOND } from "../../lib/core/time.ts";
import { modules } from "../../modules/mod.ts";

export { modules as known };
export const SHIPPED = new URL("../../config.jsonc", import.meta.url).pathname;

export const RULE = '{ "name": "a", "str": "I", "limit": 1 }';
export const MODULES = `"modules": { "SSHD": { "rules": [${RULE}] } }`;
export const DB = '"DB": { "host": "h", "user": "u", "database": "d" }';

/** Returns a configuration with one rule and top-level `keys`. */
export const top = (keys: string) => `{ ${keys}, ${MODULES} }`;
/** Returns a configuration whose one rule has `keys`. */
export const rule = (keys: string) => `{ "modules": { "SSHD": { "rules": [{ ${keys} }] } } }`;
/** Returns a configuration whose one rule is valid but for `keys`, which are added. */
export const more = (keys: string) => rule(`"name": "a", "str": "I", "limit": 1, ${keys}`);

/** Returns a configuration of a user's own service, with `keys` beside its rule. */
export const own = (keys: string) =>
  `{ "modules": { "ftp": { ${keys}, "rules": [{ "name": "a", "limit": 1 }] } } }`;

/** Returns a configuration without modules that only observes, but for what `over` has. */
export function plainConfig(over: Partial<Config>): Config {
  return {
    name: "config.jsonc",
    path: "/etc/strongmonitor/config.jsonc",
    target: { config: "/etc/strongmonitor/config.jsonc" },
    stateDirectory: "/var/lib/strongmonitor",
    modules: [],
    tests: [],
    moduleBans: [],
    ban: {
      firewall: "observe",
      nft: ["sudo", "-n", "nft"],
      unbanOnStop: false,
      command: null,
      unban: null,
      timeout: 10 * SECOND,
      concurrency: 4,
    },
    database: null,
    metricsFile: null,
    notify: null,
    whitelist: { members: [], files: [], refresh: 300 * SECOND },
    ipv6Prefix: 64,
    networkBans: [],
    trust: null,
    following: null,
    keepLog: null,
    keepLogSize: null,
    keepBans: null,
    journalWake: null,
    knock: { prefix: "knock-", time: 12 * HOUR },
    complain: () => "",
    ...over,
  };
}

/** Runs `use` in a temporary directory with these files. */
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
    (directory) => loadConfig(join(directory, "config.jsonc"), { known: modules }),
  );
}

/** Returns the message of the `UserError` that `run` throws with a code, without the directory's name. */
export function refusal(run: () => unknown, directory = "", code = 78): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof UserError, String((error as Error).stack));
    assert.equal(error.code, code, error.message);
    return directory ? error.message.replaceAll(`${directory}/`, "") : error.message;
  }
  assert.fail("was accepted");
}

export function refusalOf(text: string | Uint8Array): string {
  return inDirectory(
    { "config.jsonc": text },
    (directory) =>
      refusal(
        () => loadConfig(join(directory, "config.jsonc"), { known: modules }),
        directory,
      ),
  );
}
