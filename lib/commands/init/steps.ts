import { SHIPPED } from "../../config/shipped.ts";
import { childEnvironment } from "../../core/child_process.ts";
import { UserError } from "../../core/error.ts";
import { shellWord } from "../../core/text.ts";
import { SERVICE_USER, type SystemUser } from "../machine.ts";

/** A command that root has to run. */
export interface Step {
  /** Program and arguments, without sudo. */
  readonly argv: readonly string[];
  /** Text for its standard input; null: none. */
  readonly input: string | null;
}

/**
 * Returns what root has to do so that the monitor runs with `text` in the file `path`, without what
 * is done already. What may have been edited there stays beside it, as `path.~1~`.
 */
export function stepsFor(
  text: string,
  { path, user, unit }: { path: string; user: SystemUser | null; unit: string },
): Step[] {
  const folder = path.slice(0, path.lastIndexOf("/"));
  const owned = ["-o", "root", "-g", SERVICE_USER];
  const keep = ["edited", "hidden"].includes(targetAt(path)) ? ["--backup=numbered"] : [];
  const addUser = ["useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", SERVICE_USER];
  return [
    ...(user === null ? [step(addUser)] : []),
    ...(hasFolder(folder) ? [] : [step(["install", "-d", ...owned, "-m", "750", folder])]),
    step(["install", ...keep, ...owned, "-m", "640", "/dev/stdin", path], text),
    step(["systemctl", "enable", unit]),
    step(["systemctl", "restart", unit]),
  ];
}

/**
 * Returns a step as a command for a shell; `source` is what prints its input; null: the command
 * itself holds it.
 */
export function shellCommand({ argv, input }: Step, source: string | null): string {
  const line = ["sudo", ...argv].map(shellWord).join(" ");
  if (input === null) return line;
  return source === null ? `cat << 'END' | ${line}\n${input}END` : `${source} | ${line}`;
}

/** Runs a step through sudo, which may ask for a password. Returns whether it succeeded. Throws `UserError` (69). */
export async function runStep({ argv, input }: Step): Promise<boolean> {
  const child = startSudo(argv, input === null ? "inherit" : "piped");
  if (input !== null) {
    const bytes = new TextEncoder().encode(input);
    // A step that ends without reading tells by its exit status.
    await ReadableStream.from([bytes]).pipeTo(child.stdin).catch(() => {});
  }
  return (await child.status).success;
}

function startSudo(argv: readonly string[], stdin: "inherit" | "piped"): Deno.ChildProcess {
  try {
    return new Deno.Command("sudo", {
      args: ["--", ...argv],
      ...childEnvironment(),
      stdin,
      stdout: "null",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable)) throw error;
    const cause = error instanceof Deno.errors.NotFound
      ? "it is not installed"
      : "this program may run nothing by it";
    throw new UserError(`Cannot run sudo: ${cause}; run the commands above yourself`, 69);
  }
}

/** What stands where the configuration is to go; only root can tell what is `hidden`. */
export type Target = "absent" | "shipped" | "edited" | "hidden";

/** Looks at what stands at `path`, as far as this user may. */
export function targetAt(path: string): Target {
  try {
    return Deno.readTextFileSync(path) === SHIPPED ? "shipped" : "edited";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : "hidden";
  }
}

/** Reports whether `path` is an edited configuration: root looks where this user may not. */
export async function isEdited(path: string): Promise<boolean> {
  const target = targetAt(path);
  if (target !== "hidden") return target === "edited";
  return !await runStep(step(["test", "!", "-e", path])) &&
    !await runStep(step(["cmp", "--silent", "-", path], SHIPPED));
}

function step(argv: readonly string[], input: string | null = null): Step {
  return { argv, input };
}

/** Reports whether a directory is there; true where this user may not look, as it is then. */
function hasFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}
