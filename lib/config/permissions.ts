import { basename, dirname, join } from "node:path";
import { childEnvironment, KILL } from "../core/child_process.ts";
import type { Config, WhitelistConfig } from "./types.ts";
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
/** Lists default routes. Deno lets no program read /proc/net/route that may not do everything. */
export const ROUTES = "ip";

/** Who called sudo: a change by a command stands in the monitor's log with that name. */
export const SUDOER = "SUDO_USER";

/** Permissions that Deno needs to tell the name of the user, which stands in errors. */
const USER = ["uid", "gid", "userInfo"];

/** Returns the permissions that a monitor needs to run by `config`, and no others. */
export function permissionsFor(
  { path, stateDirectory, ban, database, whitelist, modules }: Config,
): Permissions {
  const commands = ban.firewall === "nftables"
    ? [ban.nft[0]!]
    : [ban.command, ban.unban].flatMap((command) => command?.[0] ?? []);
  // What sudo starts is root's, and not ours to end.
  const ends = ban.firewall !== "nftables" && commands.some((program) => basename(program) !== "sudo");
  return {
    run: unique([
      ...(modules.some(readsJournal) ? ["journalctl"] : []),
      ROUTES,
      ...commands,
      ...(ends ? [KILL] : []),
    ]),
    net: unique([...(database ? [hostPort(database)] : []), ...whitelistedNames(whitelist)]),
    read: unique([
      path,
      ...(database ? [join(dirname(path), PASSWORD_FILE)] : []),
      stateDirectory,
      ...whitelist.files.map(({ path }) => path),
      ...RESOLVERS,
      // Rotated files lie in the same directory.
      ...modules.flatMap(({ module }) => module.files.map(fixedDirectory)),
    ]),
    write: [stateDirectory],
    // The driver of the database reads these on its own, and fails when it may not.
    env: [SUDOER, ...(database ? ["PG*"] : [])],
    sys: ["hostname", "networkInterfaces", "osUptime", ...USER],
  };
}

function whitelistedNames({ members, files }: WhitelistConfig): string[] {
  return [...members, ...files.flatMap((file) => file.read().content.names)]
    .flatMap(({ address, isName }) => isName ? address : []);
}

function readsJournal({ module }: ModuleRules): boolean {
  return module.identifiers.length > 0 || module.units.length > 0;
}

/** The part of a path with wildcards before the first directory whose name holds one. */
function fixedDirectory(pattern: string): string {
  return dirname(pattern.slice(0, pattern.search(/[*?]|$/)) + "x");
}

/**
 * Returns what `config` needs and this process may not do, such as `to run sudo`; an empty list
 * when it can run. DNS names of whitelist files are left out: a name that was added after the build
 * must not keep the monitor from starting. Nor must a program that cannot end what a ban command left
 * behind, or tell who called sudo.
 */
export function missingPermissions(config: Config): string[] {
  const { files } = config.whitelist;
  const { run, net, read, write, env, sys } = permissionsFor({
    ...config,
    whitelist: { ...config.whitelist, files: [] },
  });
  return [
    ...run.filter((command) => command !== KILL && isForbiddenProgram(command)).map((command) =>
      `to run ${command}`
    ),
    ...net.filter((host) => lacks({ name: "net", host })).map((host) => `to reach ${host}`),
    ...[...read, ...files.map(({ path }) => path)].filter((path) => lacks({ name: "read", path })).map((
      path,
    ) => `to read ${path}`),
    ...write.filter((path) => lacks({ name: "write", path })).map((path) => `to write ${path}`),
    ...env.filter((variable) => variable !== SUDOER && lacks({ name: "env", variable })).map((variable) =>
      `to know the variables ${variable}`
    ),
    ...sys.filter((kind) => lacks({ name: "sys", kind } as Deno.SysPermissionDescriptor))
      .map((kind) => `to know ${kind}`),
  ];
}

function lacks(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state !== "granted";
}

/**
 * Reports whether this process may not run `command`. Deno grants no program that is not installed,
 * so the query alone cannot tell a missing program from a forbidden one. An attempt to start it
 * where no program can start can: Deno looks for the program first, then at the permission, then at
 * the directory, and runs nothing.
 */
function isForbiddenProgram(command: string): boolean {
  if (!lacks({ name: "run", command })) return false;
  try {
    new Deno.Command(command, { ...childEnvironment(), cwd: "/dev/null" }).spawn();
    return false;
  } catch (error) {
    return error instanceof Deno.errors.NotCapable;
  }
}

function hostPort({ host, port }: { host: string; port: number }): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function unique(words: readonly string[]): string[] {
  return [...new Set(words)];
}
