import { dirname, join } from "node:path";
import { UserError } from "../types.ts";

const MAX_CONFIG = 1 << 20;
const MAX_PASSWORD = 1024;

/** Name of the file beside the configuration that holds the database's password and nothing else. */
export const PASSWORD_FILE = "db_password.secret";

/**
 * The text of the configuration file `path`.
 * @throws {UserError} code 78 for a file that is missing, unreadable, no regular file, above 1 MiB or not text
 */
export function readConfig(path: string): string {
  return readText(path, { what: "the configuration", most: MAX_CONFIG });
}

/**
 * The database password, from `db_password.secret` beside the configuration file `path`; a newline at its end does
 * not count.
 * @throws {UserError} code 78 for a file that is missing, unreadable, empty, of several lines, or readable by
 * everyone
 */
export function readPassword(path: string): string {
  const file = join(dirname(path), PASSWORD_FILE);
  const what = "the database password";
  const text = readText(file, { what, most: MAX_PASSWORD });
  if ((Deno.statSync(file).mode ?? 0) & 0o004) {
    throw unreadable(what, `everyone may read ${file}, forbid it with chmod 640`);
  }
  const password = text.replace(/[\r\n]+$/, "");
  if (password === "") throw unreadable(what, `${file} is empty`);
  if (/[\r\n]/.test(password)) throw unreadable(what, `${file} must hold one line, the password alone`);
  return password;
}

function readText(path: string, { what, most }: { what: string; most: number }): string {
  const bytes = attempt(path, what, () => {
    const { isFile, isDirectory, size } = Deno.statSync(path);
    if (isDirectory) throw unreadable(what, `${path} is a directory`);
    if (!isFile) throw unreadable(what, `${path} is not a regular file`);
    if (size > most) throw unreadable(what, `${path} has ${size} bytes, more than the ${most} allowed`);
    return Deno.readFileSync(path);
  });
  if (bytes.includes(0)) throw unreadable(what, `${path} is binary, not text`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(what, `${path} is not UTF-8 text`);
  }
}

function attempt<T>(path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw unreadable(what, explain(path, error));
  }
}

function explain(path: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `${path} does not exist`;
  if (error instanceof Deno.errors.PermissionDenied) return `this user may not read ${path}`;
  if (error instanceof Deno.errors.NotCapable) {
    return `this program was built without the right to read ${path}, build it with deno task build --config ${path}`;
  }
  return `${path} cannot be read, ${error instanceof Error ? error.message.split("\n")[0] : error}`;
}

function unreadable(what: string, cause: string): UserError {
  return new UserError(`Cannot read ${what}: ${cause}`, 78);
}
