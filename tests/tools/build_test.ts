import { strict as assert } from "node:assert";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { requireMachine } from "../../tools/build.ts";
import { compile } from "../../tools/compile.ts";
import { elfImage } from "../../tools/npm_base.ts";
import { type Target, TARGETS } from "../../tools/task.ts";
import { script } from "../support/helpers.ts";

const BUILD = fileURLToPath(new URL("../../tools/build.ts", import.meta.url));
const X86_64_LINUX = Deno.build.target === "x86_64-unknown-linux-gnu";

/** An empty directory, gone at the end of the scope. */
function scratch(): { readonly path: string } & Disposable {
  const path = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** Runs the build tool as `deno task build` does, in `cwd` and with nothing cached. */
async function build(
  args: readonly string[],
  { cwd, path = Deno.env.get("PATH")! }: { cwd: string; path?: string },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-all", BUILD, ...args],
    cwd,
    env: { INIT_CWD: cwd, XDG_CACHE_HOME: cwd, DENO_DIR: denoDirectory(), PATH: path, NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Deno's own cache, which must not move with the user's. */
function denoDirectory(): string {
  const { DENO_DIR, XDG_CACHE_HOME, HOME } = Deno.env.toObject();
  return DENO_DIR ?? `${XDG_CACHE_HOME || `${HOME}/.cache`}/deno`;
}

Deno.test("`deno task build --help` names every option and exit code", async () => {
  using directory = scratch();
  const { code, stdout } = await build(["--help"], { cwd: directory.path });
  assert.equal(code, 0);
  const options = ["--config", "--state", "--output", "--target", "--base=npm", "DENORT_BIN"];
  for (const word of [...options, "64", "69", "78"]) {
    assert.ok(stdout.includes(word), word);
  }
});

const WRONG_USAGE: readonly (readonly [string[], RegExp])[] = [
  [["--bse=npm"], /^Unknown option '--bse': see deno task build --help\n$/],
  [["--base=deb"], /^--base must be npm, got deb\n$/],
  [["--state=/s"], /^--state needs --config: /],
  [["--target=riscv"], /^--target must be x86_64-\S+ or aarch64-\S+, got riscv\n$/],
  [["config.jsonc"], /^Unexpected argument 'config\.jsonc': see deno task build --help\n$/],
];
for (const [args, expected] of WRONG_USAGE) {
  Deno.test(`\`deno task build ${args.join(" ")}\` is wrong usage`, async () => {
    using directory = scratch();
    const { code, stderr } = await build(args, { cwd: directory.path });
    assert.match(stderr, expected);
    assert.equal(code, 64);
  });
}

Deno.test("`deno task build` refuses a configuration that is wrong before it fetches anything", async () => {
  using directory = scratch();
  Deno.writeTextFileSync(`${directory.path}/wrong.jsonc`, `{ "modules": { "SSHD": { "rules": [] } } }`);
  const { code, stderr } = await build(["--config", "wrong.jsonc", "--base=npm"], { cwd: directory.path });
  assert.match(stderr, /^Cannot load modules\.SSHD\.rules: must hold at least one rule.*wrong\.jsonc:1:/);
  assert.equal(code, 78);
});

Deno.test("`deno task build --base=npm` compiles for no other machine", async () => {
  using directory = scratch();
  const args = ["--base=npm", "--target=aarch64-unknown-linux-gnu", "--output=out"];
  const { code, stderr } = await build(args, { cwd: directory.path });
  assert.match(stderr, /^Cannot build with --base=npm on or for aarch64-unknown-linux-gnu: /);
  assert.equal(code, 69);
});

Deno.test("`requireMachine()` refuses a program for another machine", () => {
  assert.throws(() => requireMachine(Deno.execPath(), otherTarget()), {
    code: 1,
    message: /is DENORT_BIN for /,
  });
  requireMachine(Deno.execPath(), Deno.build.target as Target);
});

function otherTarget(): Target {
  return (Object.keys(TARGETS) as Target[]).find((target) => target !== Deno.build.target)!;
}

/** What stands in for npm: an archive that holds `content` where the first package has its program. */
function fakeNpm(directory: string, content: string): string {
  const bin = `${directory}/bin`;
  Deno.mkdirSync(bin);
  script(bin, {
    name: "npm",
    body: `mkdir -p "$4/package" && printf %s '${content}' > "$4/package/deno" &&
      tar -czf "$4/fetched.tgz" -C "$4" package && echo fetched.tgz`,
  });
  return `${bin}:/usr/bin:/bin`;
}

Deno.test({
  name: "`deno task build --base=npm` refuses a package that is not the one it knows",
  ignore: !X86_64_LINUX,
  async fn() {
    using directory = scratch();
    const path = fakeNpm(directory.path, "something else");
    const { code, stderr } = await build(["--base=npm", "--output=out"], { cwd: directory.path, path });
    assert.match(
      stderr,
      /^Cannot fetch @deno\S+ from npm: its sha256 is [0-9a-f]{64} instead of [0-9a-f]{64}\n$/,
    );
    assert.equal(code, 69);
    assert.deepEqual([...Deno.readDirSync(`${directory.path}/strongmonitor`)], [], "nothing of it is kept");
  },
});

Deno.test({
  name: "`deno task build --base=npm` says when npm is missing, and when it fails",
  ignore: !X86_64_LINUX,
  async fn() {
    using directory = scratch();
    const empty = `${directory.path}/empty`;
    Deno.mkdirSync(empty);
    const missing = await build(["--base=npm"], { cwd: directory.path, path: empty });
    assert.match(missing.stderr, /^Cannot fetch \S+ from npm: npm and tar must be installed\n$/);
    script(empty, { name: "npm", body: "echo 'npm error network is down' >&2; exit 1" });
    const failing = await build(["--base=npm"], { cwd: directory.path, path: `${empty}:/bin` });
    assert.match(failing.stderr, /^Cannot fetch \S+ from npm: npm failed: npm error network is down\n$/);
    assert.deepEqual([missing.code, failing.code], [69, 69]);
  },
});

/** Compiles a program of one line, upon a runtime that does not exist. */
function compileUpon(
  denort: string,
  { code, directory }: { code: string; directory: string },
): Promise<void> {
  const entry = `${directory}/main.ts`;
  Deno.writeTextFileSync(entry, code);
  const base = { deno: Deno.execPath(), denort };
  return compile(entry, { output: `${directory}/program`, permissions: [], base });
}

/** esbuild's service ends a moment after it is stopped. */
const AND_ESBUILD = { sanitizeOps: false, sanitizeResources: false };

Deno.test("`compile()` says what to do without a runtime to build upon", AND_ESBUILD, async () => {
  using directory = scratch();
  const compiled = compileUpon("/nonexistent/denort", { code: "console.log(1);", directory: directory.path });
  await assert.rejects(compiled, {
    code: 69,
    message: /^Cannot get Deno's runtime: .*DENORT_BIN.*--base=npm$/,
  });
});

Deno.test("`compile()` says what is missing where npm does not answer", AND_ESBUILD, async () => {
  using directory = scratch();
  const words = `error: Failed loading http://npm/@esbuild for package "@esbuild/linux-x64"`;
  script(directory.path, { name: "deno", body: `echo '${words}' >&2; exit 1` });
  const base = { deno: `${directory.path}/deno`, denort: null };
  await assert.rejects(compile("main.ts", { output: `${directory.path}/program`, permissions: [], base }), {
    code: 69,
    message: /^Cannot get Deno's bundler: Failed loading \S+ for package "@esbuild\/linux-x64"$/,
  });
});

Deno.test("`compile()` passes on what Deno has against a program", AND_ESBUILD, async () => {
  using directory = scratch();
  const compiled = compileUpon("/nonexistent/denort", {
    code: "const n: number = '';",
    directory: directory.path,
  });
  await assert.rejects(compiled, { code: 1, message: /^Cannot compile [\s\S]*TS2322/ });
});

Deno.test(
  "`compile()` embeds no npm package, even when its output lies in the project",
  AND_ESBUILD,
  async () => {
    const project = fileURLToPath(new URL("../..", import.meta.url));
    Deno.mkdirSync(`${project}dist`, { recursive: true });
    const directory = Deno.makeTempDirSync({ dir: `${project}dist`, prefix: "build-test-" });
    try {
      const code = "import ipaddr from 'ipaddr.js'; console.log('the program itself', ipaddr);";
      Deno.writeTextFileSync(`${directory}/main.ts`, code);
      // Any ELF file takes what is embedded; this one is small and always there.
      const base = { deno: Deno.execPath(), denort: "/bin/true" };
      await compile(`${directory}/main.ts`, { output: `${directory}/program`, permissions: [], base });
      const executable = Deno.readFileSync(`${directory}/program`);
      assert.ok(holds(executable, "the program itself"), "the program is embedded");
      assert.ok(!holds(executable, "otplib"), "a package that only tests import is not");
      assert.ok(!holds(executable, "/npm/registry"), "no place of packages on this machine is");
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  },
);

Deno.test(
  "`compile()` makes equal programs of equal sources, wherever and whenever",
  AND_ESBUILD,
  async () => {
    using directory = scratch();
    // Any ELF file takes what is embedded; this one is small and always there.
    const base = { deno: Deno.execPath(), denort: "/bin/true" };
    const made = [];
    for (const place of [`${directory.path}/here`, `${directory.path}/there/deeper`]) {
      Deno.mkdirSync(place, { recursive: true });
      Deno.writeTextFileSync(`${place}/main.ts`, "console.log(await import('./late.ts'));");
      Deno.writeTextFileSync(`${place}/late.ts`, "export const late = 'embedded as well';");
      await compile(`${place}/main.ts`, { output: `${place}/program`, permissions: [], base });
      made.push(Deno.readFileSync(`${place}/program`));
    }
    assert.ok(holds(made[0]!, "embedded as well"));
    assert.ok(Buffer.from(made[0]!).equals(made[1]!));
  },
);

/** Reports whether a text stands in bytes. */
function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer).includes(text);
}

Deno.test("`elfImage()` ends where the section header table does", () => {
  const header = new Uint8Array(64);
  const view = new DataView(header.buffer);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setBigUint64(40, 100n, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  const file = new Uint8Array(1000);
  file.set(header);
  assert.equal(elfImage(file).length, 100 + 3 * 64);
});

Deno.test("`elfImage()` leaves alone what is no ELF file", () => {
  for (
    const file of [
      new Uint8Array(0),
      new Uint8Array(1000),
      new TextEncoder().encode("#!/bin/sh\n".repeat(20)),
    ]
  ) {
    assert.equal(elfImage(file), file);
  }
});
