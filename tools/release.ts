/** Makes a release: the program, a tarball, a Debian package, checksums and a bill of materials. */
import { resolve } from "node:path";
import { commandLine } from "../lib/commands/command_line/command_line.ts";
import { UserError } from "../lib/core/error.ts";
import { VERSION } from "../lib/core/program.ts";
import { outputOf, PROJECT, readOptions, runProgram, scratchIn, targetOf, TARGETS } from "./task.ts";
import { build } from "./build.ts";
import { type Architecture, debianChangelog, layDebian, maintainerOf, type Parts } from "./release/debian.ts";
import { copy, copyFolder, sha256 } from "./release/files.ts";
import { bashCompletion, fishCompletion, manPage, zshCompletion } from "./release/pages.ts";
import { sbom } from "./release/sbom.ts";

const HELP = `Usage: deno task release [options]

Makes in dist/ the program for everybody, a tarball and a Debian package of it, a bill of materials (CycloneDX) and
SHA256SUMS. Two releases of one commit are equal, byte by byte.

Options:
  --output <directory>  where to put them (default: dist of the project)
  --target <machine>    x86_64-unknown-linux-gnu or aarch64-unknown-linux-gnu (default: this machine's)
  --base=npm            for tests: see deno task build
  --help                print this

Environment:
  SOURCE_DATE_EPOCH     time of the release in seconds since 1970 (default: that of the last commit)
  DEBFULLNAME, DEBEMAIL  who answers for the Debian package (default: the author of the last commit)

Exit codes: 0 done, 1 failed, 64 wrong usage, 69 something needed is unavailable
`;

/** The first package of this version. */
const DEBIAN_VERSION = `${VERSION}-1`;

/** Makes the release. Throws `UserError` (1, 64, 69). */
async function release(args: readonly string[]): Promise<void> {
  const { output = `${PROJECT}/dist`, base, target, help } = parse(args);
  if (help) return console.log(HELP);
  const epoch = epochIn(
    Deno.env.get("SOURCE_DATE_EPOCH") ?? await run("git", ["log", "-1", "--format=%ct"]),
  );
  const maintainer = await maintainerNow();
  const directory = resolve(Deno.env.get("INIT_CWD") ?? Deno.cwd(), output);
  await Deno.mkdir(directory, { recursive: true });
  await using temporary = await scratchIn(directory, ".release-");
  const scratch = temporary.path;
  const program = `${directory}/strongmonitor`;
  await build([`--output=${program}`, `--target=${target}`, ...base]);
  await writePages(`${scratch}/pages`, { epoch, maintainer });
  const architecture = TARGETS[target].debian;
  const made = [
    program,
    await tarball(directory, { scratch, program, epoch, architecture }),
    await debian(directory, { scratch, program, epoch, maintainer, architecture }),
    await bill(directory, { program }),
  ];
  const sums = made.map((path) =>
    `${sha256(Deno.readFileSync(path))}  ${path.slice(directory.length + 1)}\n`
  );
  await Deno.writeTextFile(`${directory}/SHA256SUMS`, sums.join(""));
  for (const path of [...made, `${directory}/SHA256SUMS`]) console.log(path);
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const options = { output: text, base: text, target: text, help: { type: "boolean" } } as const;
  const { output, base, target, help = false } = readOptions(args, { task: "release", options });
  return { output, base: base === undefined ? [] : [`--base=${base}`], target: targetOf(target), help };
}

function epochIn(text: string): number {
  if (/^\d{1,11}$/.test(text)) return Number(text);
  throw new UserError(`SOURCE_DATE_EPOCH must be the seconds since 1970, got "${text}"`, 64);
}

/** Returns the package's maintainer as for debchange(1), by default the last commit's author. */
async function maintainerNow(): Promise<string> {
  const told = async (variable: string, format: string) =>
    Deno.env.get(variable) ?? await run("git", ["log", "-1", `--format=${format}`]);
  return maintainerOf(await told("DEBFULLNAME", "%an"), await told("DEBEMAIL", "%ae"));
}

/** Writes manual page, completions and changelog, from the command line's definition. */
async function writePages(
  directory: string,
  { epoch, maintainer }: Pick<Made, "epoch" | "maintainer">,
): Promise<void> {
  const program = commandLine({
    version: VERSION,
    exit: () => {},
    log: () => Promise.reject(new Error("nothing runs here")),
    signals: () => {
      throw new Error("nothing runs here");
    },
  });
  const date = new Date(epoch * 1_000).toISOString().slice(0, 10);
  const pages = {
    "strongmonitor.8": manPage(program, { version: VERSION, date }),
    "strongmonitor.bash": bashCompletion(program),
    "_strongmonitor": zshCompletion(program),
    "strongmonitor.fish": fishCompletion(program),
    "changelog": await Deno.readTextFile(`${PROJECT}/CHANGELOG.md`),
    "changelog.Debian": debianChangelog(
      { version: DEBIAN_VERSION, maintainer },
      new Date(epoch * 1_000).toUTCString(),
    ),
  };
  await Deno.mkdir(directory);
  for (const [name, text] of Object.entries(pages)) {
    await Deno.writeTextFile(`${directory}/${name}`, text);
    if (/\.8$|^changelog/.test(name)) await run("gzip", ["--best", "--no-name", `${directory}/${name}`]);
  }
}

interface Made {
  readonly scratch: string;
  readonly program: string;
  /** Time of all files, in seconds since 1970. */
  readonly epoch: number;
  readonly maintainer: string;
  readonly architecture: Architecture;
}

async function tarball(
  directory: string,
  { scratch, program, epoch, architecture }: Omit<Made, "maintainer">,
): Promise<string> {
  const name = `strongmonitor-${VERSION}`;
  const path = `${directory}/${name}-linux-${architecture}.tar.gz`;
  const root = `${scratch}/tar`;
  layTarball(`${root}/${name}`, { project: PROJECT, program, pages: `${scratch}/pages` });
  const order = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mtime=@${epoch}`,
    "--mode=u=rwX,go=rX",
  ];
  await run("tar", [...order, "--use-compress-program=gzip --no-name", "-cf", path, "-C", root, name]);
  return path;
}

/** Files beside the program, by their paths in the project. */
const SHIPPED = [
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "config.jsonc",
  "strongmonitor.service",
  "strongmonitor-sudo.service",
];

/** Writes the tarball's tree into `root`. */
export function layTarball(
  root: string,
  { project, program, pages }: Pick<Parts, "project" | "program" | "pages">,
): void {
  copy(program, `${root}/strongmonitor`, 0o755);
  for (const file of SHIPPED) copy(`${project}/${file}`, `${root}/${file}`, 0o644);
  copyFolder(`${project}/docs`, `${root}/docs`);
  for (const { name: page } of Deno.readDirSync(pages)) {
    if (!page.startsWith("changelog")) copy(`${pages}/${page}`, `${root}/share/${page}`, 0o644);
  }
}

async function debian(
  directory: string,
  { scratch, program, epoch, maintainer, architecture }: Made,
): Promise<string> {
  const path = `${directory}/strongmonitor_${DEBIAN_VERSION}_${architecture}.deb`;
  const root = `${scratch}/deb`;
  Deno.mkdirSync(root, { mode: 0o755 });
  layDebian(root, {
    project: PROJECT,
    program,
    pages: `${scratch}/pages`,
    version: DEBIAN_VERSION,
    architecture,
    maintainer,
  });
  await run("find", [root, "-type", "d", "-exec", "chmod", "755", "{}", "+"]);
  await run("dpkg-deb", ["--root-owner-group", "-Zxz", "-z6", "--build", root, path], {
    env: { SOURCE_DATE_EPOCH: String(epoch) },
  });
  return path;
}

async function bill(directory: string, { program }: { program: string }): Promise<string> {
  const path = `${directory}/strongmonitor-${VERSION}.cdx.json`;
  const info = JSON.parse(await run(Deno.execPath(), ["info", "--json", `${PROJECT}/main.ts`]));
  const lock = JSON.parse(await Deno.readTextFile(`${PROJECT}/deno.lock`));
  await Deno.writeTextFile(path, sbom({ info, lock, version: VERSION, runtime: await runtimeOf(program) }));
  return path;
}

/** Returns the version of the program's Deno, found in the program's bytes. */
async function runtimeOf(program: string): Promise<string> {
  const found = await run("grep", ["-aom1", "Deno/[0-9][0-9.]*", program]);
  return found.split("\n")[0]!.slice("Deno/".length);
}

/** Runs a program in the project, and returns its output. Throws `UserError` (1, 69). */
async function run(
  program: string,
  args: string[],
  { env }: Pick<Deno.CommandOptions, "env"> = {},
): Promise<string> {
  const child = await outputOf(program, { args, cwd: PROJECT, env, stdin: "null", stderr: "inherit" });
  if (child === null) throw new UserError(`Cannot run ${program}: is it installed?`, 69);
  if (!child.success) throw new UserError(`${program} failed: exit status ${child.code}`, 1);
  return new TextDecoder().decode(child.stdout).trim();
}

if (import.meta.main) await runProgram(release);
