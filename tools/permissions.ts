import { type Permissions, permissionsFor, SOCKET } from "../lib/config/permissions.ts";
import { SETTINGS } from "../lib/config/file.ts";
import type { Config } from "../lib/config/types.ts";
import { SEARCH_PATH } from "../lib/core/child_process.ts";
import { UserError } from "../lib/core/error.ts";

/** Names of the lists for people, in order. */
const WORDS: readonly (readonly [keyof Permissions, string])[] = [
  ["run", "may run"],
  ["net", "may reach"],
  ["read", "may read"],
  ["write", "may write"],
  ["env", "may know the variables"],
  ["sys", "may know of the machine"],
];

/** Returns permissions for `config`, and to read `/etc/strongmonitor`. */
export function buildPermissions(config: Config): Permissions {
  const needed = permissionsFor(config);
  const elsewhere = needed.read.filter((path) => !path.startsWith(`${SETTINGS}/`));
  return { ...needed, read: [SETTINGS, ...elsewhere.filter((path) => path !== SETTINGS)] };
}

/**
 * Returns `permissions` as options of `deno compile` and `deno run`, without prompts. `hasSockets`:
 * this Deno has `net` permissions for Unix sockets.
 * Permits a program at each path where it may stand: at each start, Deno would look up a bare name
 * in the caller's PATH and report missing programs.
 * @throws {UserError} code 78 for permissions that the options cannot express
 */
export function permissionOptions(
  permissions: Permissions,
  { hasSockets }: { hasSockets: boolean },
): string[] {
  const said = {
    ...permissions,
    run: permissions.run.flatMap(placesOf),
    net: permissions.net.filter((item) => hasSockets || !item.startsWith(SOCKET)),
  };
  const lists = WORDS.map(([kind]) => [kind, said[kind]] as const).filter(([, list]) => list.length > 0);
  const unsayable = lists.flatMap(([, list]) => list).find((item) => item.includes(","));
  if (unsayable) {
    throw new UserError(`Cannot allow "${unsayable}": Deno's options take no comma in a name`, 78);
  }
  return ["--no-prompt", ...lists.map(([kind, list]) => `--allow-${kind}=${list.join()}`)];
}

/** Returns the paths at which `spawn()` may find a program. */
function placesOf(program: string): string[] {
  return program.includes("/")
    ? [program]
    : SEARCH_PATH.split(":").map((directory) => `${directory}/${program}`);
}

/** Describes `permissions` for people, one a line. */
export function describePermissions(permissions: Permissions): string {
  const width = Math.max(...WORDS.map(([, words]) => words.length));
  return WORDS.flatMap(([kind, words]) => permissions[kind].map((item) => `${words.padEnd(width)}  ${item}`))
    .join("\n");
}
