import { directoryOf, isAbsent } from "../../core/file_identity.ts";
import { UNEDITED } from "../../config/shipped.ts";
import { childEnvironment } from "../../core/child_process.ts";
import { UserError } from "../../core/error.ts";
import { shellWord } from "../../core/text.ts";
import { SERVICE_USER } from "../../core/program.ts";
import { asRoot, type SystemUser } from "../common/machine.ts";

/** A command for root. */
export interface Step {
  /** Program and arguments, without sudo. */
  readonly argv: readonly string[];
  /** Text for its standard input; null: none. */
  readonly input: string | null;
}

/**
 * Returns the remaining commands for root that run the monitor by `unit` with `text` in the file
 * `path`. Keeps an edited file as `path.~1~`.
 */
export function stepsFor(
  text: string,
  { path, user, unit }: { path: string; user: SystemUser | null; unit: string | null },
): Step[] {
  const folder = directoryOf(path);
  const owned = ["-o", "root", "-g", SERVICE_USER];
  const keep = ["edited", "hidden"].includes(targetAt(path)) ? ["--backup=numbered"] : [];
  const addUser = ["useradd", "--system", "--user-group", "--shell", "/usr/sbin/nologin", SERVICE_USER];
  return [
    ...(user === null ? [step(addUser)] : []),
    ...(isAbsent(folder) ? [step(["install", "-d", ...owned, "-m", "750", folder])] : []),
    step(["install", ...keep, ...owned, "-m", "640", "/dev/stdin", path], text),
    ...(unit === null ? [] : [step(["systemctl", "enable", unit]), step(["systemctl", "restart", unit])]),
  ];
}

/** Returns a step as a shell command; `source` prints its input; null: the command holds it. */
export function shellCommand({ argv, input }: Step, source: string | null): string {
  const line = asRoot(argv.map(shellWord).join(" "));
  if (input === null) return line;
  return source === null ? `cat << 'END' | ${line}\n${input}END` : `${source} | ${line}`;
}

/** Runs a step with sudo; reports whether it succeeded. Throws `UserError` (69). */
export async function runStep({ argv, input }: Step): Promise<boolean> {
  const child = startSudo(argv, input === null ? "inherit" : "piped");
  if (input !== null) {
    const bytes = new TextEncoder().encode(input);
    // A step that ends without reading reports by its exit status.
    await ReadableStream.from([bytes]).pipeTo(child.stdin).catch(() => {});
  }
  return (await child.status).success;
}

function startSudo(argv: readonly string[], stdin: "inherit" | "piped"): Deno.ChildProcess {
  try {
    return new Deno.Command("sudo", {
      args: ["--", ...argv],
      // No program starts in a directory that this user may not enter, such as root's home after su.
      cwd: "/",
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

/** State of the configuration's path; `hidden`: only root can look. */
export type Target = "absent" | "shipped" | "edited" | "hidden";

/** Looks at `path`, as far as this user may. */
export function targetAt(path: string): Target {
  try {
    return UNEDITED.includes(Deno.readTextFileSync(path)) ? "shipped" : "edited";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : "hidden";
  }
}

/** Reports whether `path` is an edited configuration; asks root if this user may not look. */
export async function isEdited(path: string): Promise<boolean> {
  const target = targetAt(path);
  if (target !== "hidden") return target === "edited";
  if (await runStep(step(["test", "!", "-e", path]))) return false;
  for (const text of UNEDITED) if (await runStep(step(["cmp", "--silent", "-", path], text))) return false;
  return true;
}

function step(argv: readonly string[], input: string | null = null): Step {
  return { argv, input };
}
