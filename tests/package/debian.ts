/** Debian systems of a test's own, each a directory with a root file system. */
import { strict as assert } from "node:assert";

/** The package that `deno task release` made. */
export const DEB = Deno.env.get("STRONGMONITOR_DEB") ?? "";

export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Registers a test that takes the package, root and these files; where they are lacking, it is skipped by name. */
export function test(
  name: string,
  files: readonly string[],
  fn: (context: Deno.TestContext) => Promise<void>,
): void {
  const lacking = [
    ...DEB === "" ? ["STRONGMONITOR_DEB"] : [],
    ...Deno.uid() === 0 ? [] : ["root"],
    ...files.filter((file) => !exists(file)),
  ].join(", ");
  Deno.test({ name: lacking === "" ? name : `${name} (needs ${lacking})`, ignore: lacking !== "", fn });
}

/** How a command ended, and what it wrote to standard output and error. */
export interface Output {
  readonly code: number;
  readonly text: string;
}

export async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], env, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** What it takes to make a `System` and to run commands in it. */
export const SYSTEM_TOOLS = ["/usr/bin/mmdebstrap", "/usr/bin/unshare"];

/** A Debian system in a directory, of which nothing is booted. */
export class System implements AsyncDisposable {
  private constructor(readonly root: string) {}

  static async make(suite: string, packages: readonly string[]): Promise<System> {
    const root = await Deno.makeTempDir({ prefix: `strongmonitor-${suite}-` });
    await Deno.chmod(root, 0o755);
    const include = `--include=${packages.join()}`;
    // Nobody needs the system after a power cut: dpkg need not wait for the disk.
    const options = ["--variant=apt", "--dpkgopt=force-unsafe-io", include];
    const { code, text } = await run("mmdebstrap", [...options, suite, root]);
    if (code !== 0) throw new Error(`Cannot make a Debian ${suite}: ${text}`);
    return new System(root);
  }

  /** Runs a line of shell inside, with a network of its own; throws unless it succeeds. */
  async sh(line: string): Promise<string> {
    const inside = `mount -t proc proc ${this.root}/proc; exec chroot ${this.root} sh -c "$1"`;
    const { code, text } = await run("unshare", [
      "--mount",
      "--pid",
      "--fork",
      "--net",
      "sh",
      "-c",
      inside,
      "sh",
      line,
    ], {
      DEBIAN_FRONTEND: "noninteractive",
      LC_ALL: "C.UTF-8",
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      TMPDIR: "/tmp",
    });
    assert.equal(code, 0, `${line}\n${text}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}
