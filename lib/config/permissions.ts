import { dirname, join } from "node:path";
import { childEnvironment, hasOwnChildren, KILL } from "../core/child_process.ts";
import { type DatabaseConfig, socketOf, spellServer } from "../postgres/database_config.ts";
import type { Path } from "./document.ts";
import { type Carrier, carriersOf, commandsOf } from "./firewalls.ts";
import type { Config } from "./types.ts";
import { PASSWORD_FILE } from "./file.ts";
import type { ModuleRules } from "../rules/rule.ts";

/**
 * Permissions of a program, in the syntax of Deno's `--allow-…` options. An empty list allows
 * nothing.
 */
export interface Permissions {
  /** Programs, by name or absolute path. */
  readonly run: readonly string[];
  /** `host:port` to connect to; a bare host name may be resolved as well. */
  readonly net: readonly string[];
  /** Absolute paths of files, and of directories with all that is in them. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Variables; `*` at the end stands for any rest. */
  readonly env: readonly string[];
  /** Facts about the machine. */
  readonly sys: readonly string[];
}

/** Where name servers stand; systemd-resolved keeps those behind its own in the second file. */
export const RESOLVERS = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] as const;
/** Prints the journal. */
export const JOURNAL = "journalctl";
/** Lists default routes. Deno lets no program read /proc/net/route that may not do everything. */
export const ROUTES = "ip";
/** Resolves names as the system does. Deno has no permission to resolve a name without reaching it. */
export const RESOLVER = "getent";

/** Facts about the machine. The name of the user, which stands in errors, takes the last three. */
export const FACTS = ["hostname", "networkInterfaces", "osUptime", "uid", "gid", "userInfo"] as const;
/** Variables that the database's driver reads on its own. It fails when it may not. */
export const DATABASE_VARIABLES = "PG*";

/** Who called sudo: a change by a command stands in the monitor's log with that name. */
export const SUDOER = "SUDO_USER";

/** A permission that a configuration needs. */
export interface Need {
  readonly kind: keyof Permissions;
  readonly item: string;
  /** The key of the configuration that asks for it; null: every monitor needs it. */
  readonly key: Path | null;
}

/** Returns the permissions that a monitor needs to run by `config`, and no others. */
export function permissionsFor(config: Config): Permissions {
  const needs = needsOf(config);
  const of = (kind: keyof Permissions) => [
    ...new Set(needs.flatMap((need) => need.kind === kind ? need.item : [])),
  ];
  return {
    run: of("run"),
    net: of("net"),
    read: of("read"),
    write: of("write"),
    env: of("env"),
    sys: of("sys"),
  };
}

function needsOf(config: Config): Need[] {
  const { path, stateDirectory, database, notify, whitelist, modules } = config;
  const journal = modules.find(readsJournal);
  return [
    ...(journal ? [need("run", JOURNAL, ["modules", journal.module.name])] : []),
    need("run", ROUTES),
    need("run", RESOLVER),
    ...carriersOf(config).flatMap(firewallNeeds),
    ...(notify ? [need("run", notify.program, ["notify"]), need("run", KILL)] : []),
    need("read", path),
    need("read", stateDirectory, ["state"]),
    need("write", stateDirectory, ["state"]),
    ...metricsNeeds(config),
    ...whitelist.files.map((file) => need("read", file.path, ["whitelist_files"])),
    ...RESOLVERS.map((file) => need("read", file)),
    // Rotated files lie in the same directory.
    ...modules.flatMap(({ module: { name, files } }) =>
      files.map((file) => need("read", fixedDirectory(file), ["modules", name, "match", "file"]))
    ),
    ...(database ? databaseNeeds(database, path) : []),
    ...FACTS.map((fact) => need("sys", fact)),
    need("env", SUDOER),
  ];
}

/** Renaming one file to the other takes the right to read and to write both. */
function metricsNeeds({ metricsFile, stateDirectory }: Config): Need[] {
  if (metricsFile === null || metricsFile.startsWith(`${stateDirectory}/`)) return [];
  return [metricsFile, freshMetricsFile(metricsFile)].flatMap((file) =>
    (["read", "write"] as const).map((kind) => need(kind, file, ["metrics_file"]))
  );
}

/**
 * The file that takes the place of a metrics file when all is written. Its name is one that
 * node_exporter does not read.
 */
export function freshMetricsFile(metricsFile: string): string {
  return `${metricsFile}.new`;
}

function need(kind: keyof Permissions, item: string, key: Path | null = null): Need {
  return { kind, item, key };
}

function firewallNeeds(carrier: Carrier): Need[] {
  const needs = commandsOf(carrier).map(({ key, command }) => need("run", command[0]!, key));
  if (carrier.ban.firewall === "nftables") return needs;
  const ends = needs.some(({ item }) => hasOwnChildren(item));
  return ends ? [...needs, need("run", KILL)] : needs;
}

function databaseNeeds(server: DatabaseConfig, config: string): Need[] {
  const key = ["DB", "host"];
  const socket = socketOf(server);
  const ways = socket === null
    ? [need("net", spellServer(server), key)]
    : [need("net", `${SOCKET}${socket}`, key), need("read", socket, key), need("write", socket, key)];
  return [
    ...ways,
    need("read", join(dirname(config), PASSWORD_FILE), ["DB"]),
    ...server.sslrootcert === undefined ? [] : [need("read", server.sslrootcert, ["DB", "sslrootcert"])],
    need("env", DATABASE_VARIABLES, ["DB"]),
  ];
}

/**
 * Begins the Unix socket in a `net` permission. Deno 2.4 knows none: there the right to read and
 * write the file is enough.
 */
export const SOCKET = "unix:";

function readsJournal({ module }: ModuleRules): boolean {
  return module.identifiers.length > 0 || module.units.length > 0;
}

/** The part of a path with wildcards before the first directory whose name holds one. */
function fixedDirectory(pattern: string): string {
  return dirname(pattern.slice(0, pattern.search(/[*?]|$/)) + "x");
}

/**
 * Returns what `config` needs and this process may not do; an empty list when it can run. A program that
 * cannot end what a ban command left behind can, and one that cannot tell who called sudo.
 */
export function missingNeeds(config: Config): Need[] {
  return needsOf(config).filter(({ kind, item }) =>
    item !== SUDOER && (kind === "run" ? item !== KILL && isForbiddenProgram(item) : !may(kind, item))
  );
}

/** Reports whether this process has a permission. */
export function may(kind: keyof Permissions, item: string): boolean {
  try {
    return Deno.permissions.querySync(descriptorOf(kind, item)).state === "granted";
  } catch {
    // Deno 2.4 does not know `SOCKET`.
    return item.startsWith(SOCKET);
  }
}

function descriptorOf(kind: keyof Permissions, item: string): Deno.PermissionDescriptor {
  switch (kind) {
    case "run":
      return { name: kind, command: item };
    case "net":
      return { name: kind, host: item };
    case "env":
      return { name: kind, variable: item };
    case "sys":
      return { name: kind, kind: item } as Deno.SysPermissionDescriptor;
    default:
      return { name: kind, path: item };
  }
}

/**
 * Reports whether this process may not run `command`. Deno grants no program that is not installed,
 * so the query alone cannot tell a missing program from a forbidden one. An attempt to start it
 * where no program can start can: Deno looks for the program first, then at the permission, then at
 * the directory, and runs nothing.
 */
function isForbiddenProgram(command: string): boolean {
  if (may("run", command)) return false;
  try {
    new Deno.Command(command, { ...childEnvironment(), cwd: "/dev/null" }).spawn();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotCapable;
  }
}
