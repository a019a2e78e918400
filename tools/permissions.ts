import type { Config } from "../lib/config/types.ts";
import { type Permissions, permissionsFor } from "../lib/config/permissions.ts";
import { UserError } from "../lib/core/error.ts";

/** Where an installed program finds its configuration. */
const INSTALLED = "/etc/strongmonitor";

/** How the lists are told to people, in this order. */
const WORDS: readonly (readonly [keyof Permissions, string])[] = [
  ["run", "may run"],
  ["net", "may reach"],
  ["read", "may read"],
  ["write", "may write"],
  ["env", "may know the variables"],
  ["sys", "may know of the machine"],
];

/** What a program built for `config` may do: what it needs for that, and to read `/etc/strongmonitor`. */
export function buildPermissions(config: Config): Permissions {
  const needed = permissionsFor(config);
  const elsewhere = needed.read.filter((path) => !path.startsWith(`${INSTALLED}/`));
  return { ...needed, read: [INSTALLED, ...elsewhere.filter((path) => path !== INSTALLED)] };
}

/**
 * `permissions` as options of `deno compile` and `deno run`: nothing else, and no questions asked.
 * @throws {UserError} code 78 for what the options cannot say
 */
export function permissionOptions(permissions: Permissions): string[] {
  const lists = WORDS.map(([kind]) => [kind, permissions[kind]] as const).filter(([, list]) =>
    list.length > 0
  );
  const unsayable = lists.flatMap(([, list]) => list).find((item) => item.includes(","));
  if (unsayable) {
    throw new UserError(`Cannot allow "${unsayable}": Deno's options take no comma in a name`, 78);
  }
  return ["--no-prompt", ...lists.map(([kind, list]) => `--allow-${kind}=${list.join()}`)];
}

/** `permissions` for people, one a line. */
export function describePermissions(permissions: Permissions): string {
  const width = Math.max(...WORDS.map(([, words]) => words.length));
  return WORDS.flatMap(([kind, words]) => permissions[kind].map((item) => `${words.padEnd(width)}  ${item}`))
    .join("\n");
}
