import { dirname, join, resolve } from "node:path";
import { firstLineOf, UserError } from "../core/error.ts";
import { SERVICE_USER } from "../core/program.ts";
import { settingDenial } from "../core/read_denial.ts";
import { isAbsent } from "../core/file_identity.ts";
import { GUARDED, isGuarded } from "../core/state_files.ts";
import { type ServerAddress, socketOf } from "../postgres/database_config.ts";
import { buildHint, type BuildTarget } from "./build_hint.ts";

const MAX_CONFIG = 1 << 20;
const MAX_PASSWORD = 1024;

/** Name of the file beside the configuration that holds the database's password alone. */
export const PASSWORD_FILE = "db_password.secret";

/** Directory of an installed program's configuration. Every built program may read it. */
export const SETTINGS = "/etc/strongmonitor";

/** The one program of the administrator that the program for everybody may run. */
export const HOOK = `${SETTINGS}/notify`;

/** A file that a configuration needs. */
export interface Wanted {
  readonly path: string;
  /** Noun for messages, such as `the configuration`. */
  readonly what: string;
  /** Largest size, in bytes. */
  readonly most: number;
  /** How a user makes the file, for the error if it is missing. */
  readonly maker?: string;
  /** Configuration and state of a program that may read the file, for the advice to build one. */
  readonly target: BuildTarget;
}

/**
 * Reads the configuration file of `target`. Throws `UserError`: 66 if the file is missing or
 * unreadable, 77 if this program may not read it, 78 if it is no text.
 */
export function readConfig(target: BuildTarget): string {
  return readText({ path: target.config, what: "the configuration", most: MAX_CONFIG, target });
}

/**
 * Reads the database's password from `db_password.secret` beside the configuration file. Without
 * that file it is empty for a server that is reached by its socket. Throws `UserError` (78), also for
 * a file that everyone may read, or that holds more than one line.
 */
export function readPassword(target: BuildTarget, server: ServerAddress): string {
  const path = join(dirname(target.config), PASSWORD_FILE);
  if (socketOf(server) !== null && isAbsent(path)) return "";
  const what = "the database password";
  const maker = "type the password, then Enter and Ctrl+D, into: " +
    `sudo install -o root -g ${SERVICE_USER} -m 640 /dev/stdin ${path}`;
  const text = readText({ path, what, most: MAX_PASSWORD, target, maker });
  const { mode, gid } = Deno.statSync(path);
  if ((mode ?? 0) & 0o004) {
    // Mode 640 alone would hide a file of root's from the monitor.
    const giving = gid === 0 ? `sudo chgrp ${SERVICE_USER} ${path} && ` : "";
    throw unreadable(what, `everyone may read ${path}; forbid it with: ${giving}sudo chmod 640 ${path}`);
  }
  const password = text.replace(/[\r\n]+$/, "");
  if (password === "") throw unreadable(what, `${path} is empty`);
  if (/[\r\n]/.test(password)) throw unreadable(what, `${path} must hold one line, the password alone`);
  return password;
}

/** Opens a file for reading in pieces. Throws `UserError` (78). */
export function openFile(wanted: Wanted): Deno.FsFile {
  return attempt(wanted, () => Deno.openSync(wanted.path));
}

function readText(wanted: Wanted): string {
  const { path, what } = wanted;
  const bytes = attempt(wanted, () => Deno.readFileSync(path));
  if (bytes.includes(0)) throw unreadable(what, `${path} is binary, not text`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(what, `${path} is not UTF-8 text`);
  }
}

function attempt<T>({ path, what, most, target, maker }: Wanted, read: () => T): T {
  // Arguments name the configuration (66). It names all other files: a missing one is its mistake (78).
  const isConfig = path === target.config;
  const absent = isConfig ? 66 : 78;
  try {
    const info = Deno.statSync(path);
    const { isFile, isDirectory, size } = info;
    if (isDirectory) throw unreadable(what, `${path} is a directory`, absent);
    if (!isFile) throw unreadable(what, `${path} is not a regular file`, absent);
    if (size > most) throw unreadable(what, `${path} has ${size} bytes, more than the ${most} allowed`);
    if (isGuarded(info)) throw unreadable(what, `${path}: ${GUARDED}`);
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = isConfig && error instanceof Deno.errors.NotCapable ? 77 : absent;
    throw unreadable(what, explain(error, { path, target, maker }), code);
  }
}

function explain(error: unknown, { path, target, maker }: Omit<Wanted, "what" | "most">): string {
  const isConfig = path === target.config;
  if (error instanceof Deno.errors.NotFound) {
    const isUsual = path === `${SETTINGS}/config.jsonc`;
    const remedy = !isConfig
      ? maker
      : isUsual
      ? "`strongmonitor init` makes one"
      : "give the path of one that does";
    return `${path} does not exist${remedy ? `; ${remedy}` : ""}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return settingDenial(path, resolve(path));
  }
  if (error instanceof Deno.errors.NotCapable) {
    const draft = isConfig ? `; a draft can come through standard input: --config - < ${path}` : "";
    const mayMove = Deno.permissions.querySync({ name: "read", path: SETTINGS }).state === "granted";
    const remedy = `${mayMove ? `move it into ${SETTINGS}, or ` : ""}${buildHint(target)}`;
    return `this program may not read ${path}${draft}; ${isConfig ? "to run by it, " : ""}${remedy}`;
  }
  return `${path} cannot be read, ${firstLineOf(error)}`;
}

function unreadable(what: string, cause: string, code: 66 | 77 | 78 = 78): UserError {
  return new UserError(`Cannot read ${what}: ${cause}`, code);
}
