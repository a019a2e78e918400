/** Options, exit codes and directories that the tasks of deno.json share. */
import { fileURLToPath } from "node:url";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { UserError } from "../lib/core/error.ts";

/** Directory of the project, without a slash at its end. */
export const PROJECT = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** Runs a program to its end; null: it is not installed. */
export async function outputOf(
  program: string,
  options: Deno.CommandOptions,
): Promise<Deno.CommandOutput | null> {
  try {
    return await new Deno.Command(program, options).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Makes a directory below `parent` that is removed with all its content when its scope ends. */
export async function scratchIn(parent: string, prefix: string) {
  const path = await Deno.makeTempDir({ dir: parent, prefix });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Reads the options of `deno task TASK`. Throws `UserError` (64). */
export function readOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  { task, options }: { task: string; options: T },
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UserError(`${(error as Error).message.split(". ")[0]}: see deno task ${task} --help`, 64);
  }
}

/** Runs a program; prints a `UserError` as one sentence and exits with its code. */
export async function runProgram(main: (args: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await main(Deno.args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    console.error(error.message);
    Deno.exit(error.code);
  }
}

/** Machines by Deno's name: Debian's name, and `e_machine` of ELF's header. */
export const TARGETS = {
  "x86_64-unknown-linux-gnu": { debian: "amd64", machine: 62 },
  "aarch64-unknown-linux-gnu": { debian: "arm64", machine: 183 },
} as const;

/** A machine by Deno's name. */
export type Target = keyof typeof TARGETS;

/** Reads the option `--target`; undefined: this machine. Throws `UserError` (64). */
export function targetOf(option: string | undefined): Target {
  const target = option ?? Deno.build.target;
  if (target in TARGETS) return target as Target;
  const names = Object.keys(TARGETS).join(" or ");
  throw new UserError(
    option === undefined
      ? `Cannot compile for this machine, ${target}: the program runs on ${names}`
      : `--target must be ${names}, got ${target}`,
    64,
  );
}
