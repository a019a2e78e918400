import { type Permissions, permissionsFor, SOCKET } from "../lib/config/permissions.ts";
import { SETTINGS } from "../lib/config/file.ts";
import type { Config } from "../lib/config/types.ts";
import { SEARCH_PATH } from "../lib/core/child_process.ts";
import { UserError } from "../lib/core/error.ts";

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
  const elsewhere = needed.read.filter((path) => !path.startsWith(`${SETTINGS}/`));
  return { ...needed, read: [SETTINGS, ...elsewhere.filter((path) => path !== SETTINGS)] };
}

/**
 * `permissions` as options of `deno compile` and `deno run`: nothing else, and no questions asked.
 * `hasSockets` says whether this Deno has `net` permissions for Unix sockets.
 *
 * A program is permitted at the paths where it may stand. Deno would look for a bare name at each
 * start, in the PATH of whoever starts ours, and note those that are missing.
 * @throws {UserError} code 78 for what the options cannot say
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

/** `permissions` for people, one a line. */
export function describePermissions(permissions: Permissions): string {
  const width = Math.max(...WORDS.map(([, words]) => words.length));
  return WORDS.flatMap(([kind, words]) => permissions[kind].map((item) => `${words.padEnd(width)}  ${item}`))
    .join("\n");
}
