/** Compiles one executable with fixed permissions, or those that a configuration asks for. */
import { basename, dirname, resolve } from "node:path";
import { stop, transform } from "esbuild";
import { type Permissions, SOCKET } from "../lib/config/permissions.ts";
import { STOCK } from "../lib/config/stock.ts";
import { loadConfig } from "../lib/config/load.ts";
import { whitelistProblem } from "../lib/config/whitelist_file.ts";
import { UserError } from "../lib/core/error.ts";
import { VERSION } from "../lib/core/program.ts";
import { modules } from "../modules/mod.ts";
import { type Base, npmBase } from "./npm_base.ts";
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
 * Flags of V8, which must be set before it starts. Rules' regular expressions fall back to linear
 * time, so that no log line can stall the program. A flood would grow the young generation to 96
 * MiB and run no faster: it is bounded. It begins with V8's own mebibyte: 4 MiB take 5 MiB more at
 * a start, which is no faster. Without the memory saver, the heap of an idle monitor would grow from
 * 11 to 50 MiB before V8 looks for garbage in its old part; then V8 also drops the code of the start.
 * One compiler less saves a mebibyte, and logs are read as fast. A line passes through some fifty
 * small functions: V8 puts twice as many of them into their callers as it would by default, so that a
 * log takes a twentieth less.
 */
const V8_FLAGS = `--v8-flags=${
  [
    "--enable-experimental-regexp-engine-on-excessive-backtracks",
    "--max-semi-space-size=8",
    "--memory-saver-mode",
    "--bytecode-old-age=2",
    "--no-sparkplug",
    "--max-inlined-bytecode-size-cumulative=2000",
  ].join()
}`;

/**
 * No `--quiet`: it would be compiled in, and the program would keep Deno's warnings to itself.
 * `--no-check`: the types were checked before the program was bundled. `--no-code-cache`: the cache
 * would be a file in /tmp that any user can put there first, and one bundle starts as quickly
 * without it. `--no-config`: Deno 2.4 embeds every npm package of a deno.json that it finds above
 * the bundle, tests' packages included: 12.3 MB of executable.
 */
const COMPILE_OPTIONS = [V8_FLAGS, "--no-check", "--no-code-cache", "--no-config"];

/** Input and output of `compile()`. */
export interface CompileOptions {
  /** Path of the executable, in an existing directory. */
  readonly output: string;
  /** Options of `deno compile` that permit something: see `permissionOptions()`. */
  readonly permissions: readonly string[];
  readonly base: Base;
  /** Default: this machine's. */
  readonly target?: Target;
}

/**
 * Bundles and compiles the program whose main file is `entry`: Deno would embed every file of an
 * npm package, and load it into memory. A dynamically imported module gets its own file, so that V8
 * reads only files that the command uses.
 * @throws {UserError} code 69 if a tool is missing, 1 if the program does not compile
 */
export async function compile(
  entry: string,
  { output, permissions, base, target }: CompileOptions,
): Promise<void> {
  await using scratch = await scratchIn(dirname(output), ".bundle-");
  try {
    await deno(base, ["check", "--quiet", entry]);
    await deno(base, ["bundle", "--quiet", "--code-splitting", `--outdir=${scratch.path}`, entry]);
    await settle(scratch.path, `${basename(entry, ".ts")}.js`);
    await deno(base, [
      "compile",
      ...COMPILE_OPTIONS,
      ...permissions,
      ...target === undefined ? [] : [`--target=${target}`],
      `--output=${output}`,
      `${scratch.path}/${basename(entry, ".ts")}.js`,
    ]);
  } catch (error) {
    const words = (error as Error).message;
    if (words.includes("@esbuild/")) throw new UserError(`Cannot get Deno's bundler: ${causeIn(words)}`, 69);
    if (!/denort|base binary/.test(words)) throw new UserError(`Cannot compile ${entry}:\n${words}`, 1);
    throw new UserError(
      `Cannot get Deno's runtime: ${causeIn(words)}; name one in DENORT_BIN, or build with --base=npm`,
      69,
    );
  } finally {
    await stop();
  }
}

/** Reports whether a Deno has `net` permissions for Unix sockets. Deno 2.4 refuses them. */
export async function hasSockets({ deno }: Base): Promise<boolean> {
  const args = ["run", "--quiet", "--no-config", `--allow-net=${SOCKET}/socket`, "data:,"];
  const { success } = await new Deno.Command(deno, { args, stdout: "null", stderr: "null" }).output();
  return success;
}

/** Name of a file that the bundler split off, with its hash. */
const SPLIT_OFF = /([\w-]+)-[A-Z0-9]{8}\.js/g;
/** Name of a CommonJS module in a bundle: its path from the project, through Deno's cache. */
const CACHED = /"[^"\n]*\/npm\/([^"\n]+"\()/g;

/**
 * Shortens a bundle's files, and makes equal bundles of equal sources: the program embeds names and
 * times of files, and the bundler's hashes depend on the directories of the project and of Deno's
 * cache. Numbers the files in the order in which they name each other, from `main` on, and dates them
 * back to 1970.
 */
async function settle(directory: string, main: string): Promise<void> {
  const codes = new Map([[main, ""]]);
  for (const name of codes.keys()) {
    const code = await shorten(await Deno.readTextFile(`${directory}/${name}`));
    codes.set(name, code);
    for (const [other] of code.matchAll(SPLIT_OFF)) codes.set(other, codes.get(other) ?? "");
  }
  const order = [...codes.keys()];
  const numbered = (text: string) =>
    text.replaceAll(SPLIT_OFF, (name, kind) => `${kind}-${order.indexOf(name)}.js`);
  for (const [name, code] of codes) {
    await Deno.remove(`${directory}/${name}`);
    const path = `${directory}/${numbered(name)}`;
    await Deno.writeTextFile(path, numbered(code));
    await Deno.utime(path, 0, 0);
  }
}

/** Declares a constant, or several, in a bundle. */
const CONSTANT = /^var (?=[A-Z][A-Z0-9_]* = |\[[A-Z0-9_,\s]+\] = )/gm;

/**
 * Shortens code, which V8 keeps in memory, and leaves out where this machine has its packages. All
 * names stay, for the traces of errors. The result is ASCII: V8 reads ASCII in place, and copies
 * anything else. The bundler declares constants as variables. V8 would load and check these at each
 * use: a log would take a twentieth more.
 */
async function shorten(text: string): Promise<string> {
  const { code } = await transform(text.replaceAll(CACHED, '"$1').replaceAll(CONSTANT, "const "), {
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 110,
    target: "esnext",
  });
  return code;
}

/** Runs a Deno in the project; throws its complaint if it fails. */
async function deno({ deno, denort }: Base, args: readonly string[]): Promise<void> {
  // Deno from npm trusts the system's certificates only when told to.
  const store = Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla,system";
  const { success, stderr } = await new Deno.Command(deno, {
    args: [...args],
    cwd: PROJECT,
    env: { NO_COLOR: "1", ...denort && { DENORT_BIN: denort, DENO_TLS_CA_STORE: store } },
    stdin: "null",
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).split("\nStack backtrace:")[0]!.trim());
}

/** Returns the most informative line of Deno's output. */
function causeIn(words: string): string {
  const causes = words.split("\n").map((line) => line.match(/^ +\d+: (.*)/)?.[1]).filter((cause) => cause);
  return causes[1] ?? causes[0] ?? words.split("\n")[0]!.replace(/^error: /, "");
}

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
  const config = loadConfig(path, { known: modules, state, withPassword: false });
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
