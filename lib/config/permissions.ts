import { dirname, join } from "node:path";
import { childEnvironment, isSudo, KILL } from "../core/child_process.ts";
import { type DatabaseConfig, socketOf, spellServer } from "../postgres/database_config.ts";
import type { Path } from "./document.ts";
import { commandsOf, firewallsOf } from "./firewalls.ts";
import type { Config, ConfiguredFirewall } from "./types.ts";
import { PASSWORD_FILE } from "./file.ts";
import { isInJournal } from "../reading/module.ts";

/** Permissions in the syntax of Deno's `--allow-…` options. An empty list allows nothing. */
export interface Permissions {
  /** Programs, by name or absolute path. */
  readonly run: readonly string[];
  /** `host:port` to connect to; a bare host name may be resolved as well. */
  readonly net: readonly string[];
  /** Absolute paths of files, and of directories with everything inside. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  /** Variables; `*` at the end stands for any text. */
  readonly env: readonly string[];
  /** Facts about the machine. */
  readonly sys: readonly string[];
}

/** Files with name servers; systemd-resolved lists its upstream servers in the second. */
export const RESOLVERS = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"] as const;
/** Prints the journal. */
export const JOURNAL = "journalctl";
/** Lists default routes. Deno lets only a program with all permissions read /proc/net/route. */
export const ROUTES = "ip";
/** Resolves names like the system. Deno resolves a name only with the permission to reach it. */
export const RESOLVER = "getent";

/** Facts about the machine. The user's name, which errors mention, needs the last three. */
export const FACTS = ["hostname", "networkInterfaces", "osUptime", "uid", "gid", "userInfo"] as const;
/** Variables that the database's driver reads on its own; it fails without the permission. */
export const DATABASE_VARIABLES = "PG*";

/** Variable with the name of sudo's caller, whom the monitor's log names for a command's change. */
export const SUDOER = "SUDO_USER";

/** A permission that a configuration needs. */
export interface Need {
  readonly kind: keyof Permissions;
  readonly item: string;
  /** Name by which the user knows it. */
  readonly thing: string;
  /** The key of the configuration that causes it; null: every monitor needs it. */
  readonly key: Path | null;
}

/** Returns exactly the permissions that a monitor needs to run by `config`. */
export function permissionsFor(config: Config): Permissions {
  const needs = needsOf(config);
  const of = (kind: keyof Permissions) => [
    ...new Set(needs.flatMap((need) => need.kind === kind ? need.item : [])),
  ];
  const [run, net, read] = [of("run"), of("net"), of("read")];
  return { run, net, read, write: of("write"), env: of("env"), sys: of("sys") };
}

function needsOf(config: Config): Need[] {
  const { path, stateDirectory, database, notify, whitelist, modules } = config;
  const journal = modules.find(({ module }) => isInJournal(module));
  return [
    ...(journal ? [need("run", JOURNAL, ["modules", journal.module.name])] : []),
    need("run", ROUTES),
    need("run", RESOLVER),
    ...firewallsOf(config).flatMap(firewallNeeds),
    ...(notify ? [need("run", notify.program, ["notify"]), need("run", KILL)] : []),
    need("read", path),
    need("read", stateDirectory, ["state"]),
    need("write", stateDirectory, ["state"]),
    ...metricsNeeds(config),
    ...whitelist.files.map((file) => need("read", file.path, ["whitelist_files"])),
    ...RESOLVERS.map((file) => need("read", file)),
    // Rotated files are in the same directory.
    ...modules.flatMap(({ module: { name, files } }) =>
      files.map((file) => need("read", fixedDirectory(file), ["modules", name, "match", "file"]))
    ),
    ...(database ? databaseNeeds(database, path) : []),
    ...FACTS.map((fact) => need("sys", fact)),
    need("env", SUDOER),
  ];
}

/** Renaming one file to the other needs the right to read and write both. */
function metricsNeeds({ metricsFile, stateDirectory }: Config): Need[] {
  if (metricsFile === null || metricsFile.startsWith(`${stateDirectory}/`)) return [];
  return [metricsFile, freshMetricsFile(metricsFile)].flatMap((file) =>
    (["read", "write"] as const).map((kind) => need(kind, file, ["metrics_file"], metricsFile))
  );
}

/** Returns the file that replaces a metrics file when complete; node_exporter reads none such. */
export function freshMetricsFile(metricsFile: string): string {
  return `${metricsFile}.new`;
}

function need(kind: keyof Permissions, item: string, key: Path | null = null, thing = item): Need {
  return { kind, item, key, thing };
}

function firewallNeeds(firewall: ConfiguredFirewall): Need[] {
  const needs = commandsOf(firewall).map(({ key, command }) => need("run", command[0]!, key));
  if (firewall.ban.firewall === "nftables") return needs;
  const ends = needs.some(({ item }) => !isSudo(item));
  return ends ? [...needs, need("run", KILL)] : needs;
}

function databaseNeeds(server: DatabaseConfig, config: string): Need[] {
  const key = ["DB", "host"];
  const socket = socketOf(server);
  const ways = socket === null
    ? [need("net", spellServer(server), key)]
    : [need("net", `${SOCKET}${socket}`, key, socket), need("read", socket, key), need("write", socket, key)];
  return [
    ...ways,
    need("read", join(dirname(config), PASSWORD_FILE), ["DB"]),
    ...server.sslrootcert === undefined ? [] : [need("read", server.sslrootcert, ["DB", "sslrootcert"])],
    need("env", DATABASE_VARIABLES, ["DB"]),
  ];
}

/**
 * Prefix of a Unix socket in a `net` permission. Deno 2.4 does not know it: there the right to read
 * and write the file is enough.
 */
export const SOCKET = "unix:";

/** Returns the directory of a pattern above its first name with a wildcard. */
function fixedDirectory(pattern: string): string {
  return dirname(pattern.slice(0, pattern.search(/[*?]|$/)) + "x");
}

/**
 * Returns the needs of `config` that this process may not meet; empty: it can run. It can run
 * without ending children of a ban command, and without knowing who called sudo.
 */
export function missingNeeds(config: Config): Need[] {
  return needsOf(config).filter(({ kind, item }) =>
    item !== SUDOER && (kind === "run" ? item !== KILL && hindrance(item) === "forbidden" : !may(kind, item))
  );
}

/** Keys by which Deno's descriptors name what is permitted. */
const DESCRIBED = { run: "command", net: "host", read: "path", write: "path", env: "variable", sys: "kind" };

/** Reports whether this process has a permission. */
export function may(kind: keyof Permissions, item: string): boolean {
  try {
    const descriptor = { name: kind, [DESCRIBED[kind]]: item } as unknown as Deno.PermissionDescriptor;
    return Deno.permissions.querySync(descriptor).state === "granted";
  } catch {
    // Deno 2.4 does not know `SOCKET`.
    return item.startsWith(SOCKET);
  }
}

/**
 * Returns why this process cannot start the program `command`; null: it can. Deno's query denies a
 * program that is not installed, so it cannot tell a missing program from a forbidden one. An attempt
 * to start it in a directory where no program can start can: Deno looks for the program first, then
 * at the permission, then at the directory ("cwd"), and runs nothing.
 */
export function hindrance(command: string): "missing" | "forbidden" | null {
  try {
    new Deno.Command(command, { ...childEnvironment(), cwd: "/dev/null" }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return error.message.includes(" cwd ") ? null : "missing";
    if (error instanceof Deno.errors.NotCapable) return "forbidden";
  }
  return null;
}
