/** Builds one executable with fixed permissions, or those that a configuration asks for. */
import { basename, dirname, resolve } from "node:path";
import type { Permissions } from "../lib/config/permissions.ts";
import { STOCK } from "../lib/config/stock.ts";
import { loadConfig } from "../lib/config/load.ts";
import { whitelistProblem } from "../lib/config/whitelist_file.ts";
import { UserError } from "../lib/core/error.ts";
import { VERSION } from "../lib/core/program.ts";
import { modules } from "../modules/mod.ts";
import { compile, hasSockets } from "./compile.ts";
import { npmBase } from "./npm_base.ts";
import { buildPermissions, describePermissions, permissionOptions } from "./permissions.ts";
import { PROJECT, readOptions, runProgram, scratchIn, type Target, targetOf, TARGETS } from "./task.ts";

const HELP = `Usage: deno task build [options]

Compiles StrongMonitor into one executable: for everybody, with few and fixed permissions, or with those that one
configuration asks for, and no others. Prints them.

Options:
  --config <file>      build for this configuration alone
  --state <directory>  with --config: state to use instead of the one that the configuration names
  --output <file>      executable to make (default: dist/strongmonitor of the project)
  --target <machine>   x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu (default: this machine's)
  --base=npm           take Deno 2.4.2 and its runtime from npm, where Deno's download site cannot be reached
                       (x86_64 Linux alone); otherwise the running Deno compiles, upon its own runtime
  --help               print this

Environment:
  DENORT_BIN           runtime (denort) to build upon, for the target and of exactly the compiling Deno's version

Exit codes: 0 done, 1 failed, 64 wrong usage, 69 something needed is unavailable, 78 wrong configuration
`;

/**
 * Requires a compiled program to be for `target`, by `e_machine` of its ELF header (elf(5)).
 * @throws {UserError} code 1
 */
export function requireMachine(program: string, target: Target): void {
  using file = Deno.openSync(program);
  const header = new Uint8Array(20);
  file.readSync(header);
  const machine = header[18]! | header[19]! << 8;
  if (machine === TARGETS[target].machine) return;
  throw new UserError(`What was compiled is not for ${target}: is DENORT_BIN for another machine?`, 1);
}

/** Returns a program's version: a runtime of another version compiles, and fails when it starts. */
async function versionOf(program: string): Promise<string> {
  const command = new Deno.Command(program, { args: ["--version"], env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  if (success) return new TextDecoder().decode(stdout).trim();
  const complaint = new TextDecoder().decode(stderr).trim().split("\n")[0];
  throw new UserError(
    `What was compiled does not start (${complaint}): is DENORT_BIN of another version than Deno ${Deno.version.deno}?`,
    1,
  );
}

/** Resolves paths from the user's directory: the task may run from anywhere in the project. */
function parse(args: readonly string[]) {
  const here = Deno.env.get("INIT_CWD") ?? Deno.cwd();
  const text = { type: "string" } as const;
  const [paths, words] = [{ config: text, state: text, output: text }, { base: text, target: text }];
  const options = { ...paths, ...words, help: { type: "boolean" } } as const;
  const { config, state, output, base, target, help = false } = readOptions(args, { task: "build", options });
  if (base !== undefined && base !== "npm") throw new UserError(`--base must be npm, got ${base}`, 64);
  if (state !== undefined && config === undefined) {
    throw new UserError("--state needs --config: without it the state is in /var/lib/strongmonitor", 64);
  }
  return {
    config: config === undefined ? undefined : resolve(here, config),
    state: state === undefined ? undefined : resolve(here, state),
    output: resolve(here, output ?? `${PROJECT}/dist/strongmonitor`),
    base,
    target: targetOf(target),
    help,
  };
}

/** The permissions of a program for everybody, or for one configuration. */
function permissionsOf({ config: path, state }: ReturnType<typeof parse>): Permissions {
  if (path === undefined) return STOCK;
  const config = loadConfig(path, { known: modules, state });
  const problem = whitelistProblem(config.whitelist);
  if (problem !== null) throw problem;
  return buildPermissions(config);
}

/** Runs `deno task build`. Throws `UserError` (1, 64, 69, 78). */
export async function build(args: readonly string[]): Promise<void> {
  const given = parse(args);
  const { config, output, base, target, help } = given;
  if (help) return console.log(HELP);
  const permissions = permissionsOf(given);
  const whom = config === undefined ? "For everybody" : `By ${config}`;
  console.log(`${whom} the program\n\n${describePermissions(permissions)}\n\nand nothing else.\n`);
  const chosen = base === "npm"
    ? await npmBase(console.log, target)
    : { deno: Deno.execPath(), denort: null };
  const options = permissionOptions(permissions, { hasSockets: await hasSockets(chosen) });
  console.log("compiling (the first time downloads what it takes)");
  await Deno.mkdir(dirname(output), { recursive: true });
  await using scratch = await scratchIn(dirname(output), ".build-");
  // A program that does not start must not replace one that does.
  const fresh = `${scratch.path}/${basename(output)}`;
  await compile(`${PROJECT}/main.ts`, { output: fresh, permissions: options, base: chosen, target });
  requireMachine(fresh, target);
  const version = target === Deno.build.target
    ? await versionOf(fresh)
    : `${VERSION} for ${target}, not tried here`;
  await Deno.rename(fresh, output);
  console.log(`${output} is strongmonitor ${version}`);
}

if (import.meta.main) await runProgram(build);
