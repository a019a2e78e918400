/** Bundles and compiles a program into one executable. */
import { basename, dirname } from "node:path";
import { stop, transform } from "esbuild";
import { SOCKET } from "../lib/config/permissions.ts";
import { UserError } from "../lib/core/error.ts";
import type { Base } from "./npm_base.ts";
import { PROJECT, scratchIn, type Target } from "./task.ts";

/**
 * Flags of V8, which must be set before it starts. Rules' regular expressions fall back to linear
 * time, so that no log line can stall the program. A flood would grow the young generation to 96
 * MiB and run no faster: it is bounded. It begins with V8's own mebibyte: 4 MiB take 5 MiB more at
 * a start, which is no faster. Without the memory saver, the heap of an idle monitor would grow from
 * 11 to 50 MiB before V8 looks for garbage in its old part. One compiler less saves a mebibyte, and
 * logs are read as fast. A line passes through some fifty small functions: V8 puts twice as many of
 * them into their callers as it would by default, so that a log takes a twentieth less.
 */
const V8_FLAGS = `--v8-flags=${
  [
    "--enable-experimental-regexp-engine-on-excessive-backtracks",
    "--max-semi-space-size=8",
    "--memory-saver-mode",
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
