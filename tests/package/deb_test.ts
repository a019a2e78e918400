/**
 * The Debian package that `deno task release` made, named by STRONGMONITOR_DEB: installed, upgraded, removed and purged in Debian
 * systems of its own. Each is a directory with a root file system, in namespaces of its own, where nothing is booted.
 */
import { strict as assert } from "node:assert";

const DEB = Deno.env.get("STRONGMONITOR_DEB") ?? "";
const SUITES = ["bookworm", "trixie"];
const PACKAGES = "systemd,nftables,iproute2";
/** Largest package, in bytes. */
const MOST = 35 << 20;

const LACKING = [
  ...DEB === "" ? ["STRONGMONITOR_DEB"] : [],
  ...Deno.uid() === 0 ? [] : ["root"],
  ...["mmdebstrap", "lintian", "unshare"].filter((program) => !exists(`/usr/bin/${program}`)),
].join(", ");

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

interface Output {
  readonly code: number;
  readonly text: string;
}

async function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Output> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], env, stdin: "null" })
    .output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A Debian system in a directory. */
class System implements AsyncDisposable {
  private constructor(readonly root: string) {}

  static async make(suite: string): Promise<System> {
    const root = await Deno.makeTempDir({ prefix: `strongmonitor-${suite}-` });
    await Deno.chmod(root, 0o755);
    const { code, text } = await run("mmdebstrap", ["--variant=apt", `--include=${PACKAGES}`, suite, root]);
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
    });
    assert.equal(code, 0, `${line}\n${text}`);
    return text;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: LACKING === "" ? name : `${name} (needs ${LACKING})`, ignore: LACKING !== "", fn });
}

test("the package has at most 35 MiB, and lintian finds no error in it", async () => {
  assert.ok(Deno.statSync(DEB).size <= MOST);
  const { text } = await run("lintian", ["--fail-on=error", "--allow-root", DEB]);
  assert.doesNotMatch(text, /^E:/m);
});

for (const suite of SUITES) {
  test(`the package is installed in Debian ${suite}, upgraded with bans kept, and purged without a trace`, async () => {
    await using system = await System.make(suite);
    await Deno.copyFile(DEB, `${system.root}/tmp/it.deb`);
    const before = await system.sh(
      "find / -xdev -path /proc -prune -o -path '/var/*' -prune -o -print | sort",
    );
    await system.sh("dpkg --install /tmp/it.deb");
    assert.match(await system.sh("strongmonitor --version"), /^\d+\.\d+\.\d+\n$/);
    assert.match(
      await system.sh("id strongmonitor"),
      /\(adm\).*\(systemd-journal\)|\(systemd-journal\).*\(adm\)/,
    );
    assert.match(
      await system.sh("stat --format='%A %U:%G' /etc/strongmonitor /etc/strongmonitor/config.jsonc"),
      /^drwxr-x--- root:strongmonitor\n-rw-r----- root:strongmonitor\n$/,
    );
    await system.sh("systemctl is-enabled strongmonitor.service");
    await system.sh(
      "grep -qx AmbientCapabilities=CAP_NET_ADMIN /usr/lib/systemd/system/strongmonitor.service && " +
        "grep -qx AmbientCapabilities= /usr/lib/systemd/system/strongmonitor-sudo.service",
    );
    assert.match(
      await system.sh("MANPAGER=cat; gzip -dc /usr/share/man/man8/strongmonitor.8.gz"),
      /strongmonitor bans/,
    );
    await system.sh("bash -n /usr/share/bash-completion/completions/strongmonitor");

    await system.sh(
      "install -d -o strongmonitor -g strongmonitor -m 700 /var/lib/strongmonitor && " +
        "echo '// mine' >> /etc/strongmonitor/config.jsonc",
    );
    await Deno.writeTextFile(`${system.root}/var/lib/strongmonitor/state.db`, "bans");
    await system.sh("dpkg --install /tmp/it.deb");
    assert.match(await Deno.readTextFile(`${system.root}/etc/strongmonitor/config.jsonc`), /\/\/ mine\n$/);
    assert.equal(await Deno.readTextFile(`${system.root}/var/lib/strongmonitor/state.db`), "bans");

    await system.sh("dpkg --remove strongmonitor");
    assert.equal(await Deno.readTextFile(`${system.root}/var/lib/strongmonitor/state.db`), "bans");
    await system.sh(
      "nft 'add table inet strongmonitor; add chain inet strongmonitor made_by_strongmonitor' && " +
        "dpkg --purge strongmonitor && ! nft list table inet strongmonitor",
    );
    assert.ok(!exists(`${system.root}/var/lib/strongmonitor/state.db`));
    const after = await system.sh(
      "find / -xdev -path /proc -prune -o -path '/var/*' -prune -o -print | sort",
    );
    const left = new Set(after.split("\n")).difference(new Set(before.split("\n")));
    assert.deepEqual(
      [...left].filter((path) => !/^\/run\/|^\/etc\/.*-$|^\/etc\/\.pwd\.lock$/.test(path)),
      [],
    );
  });
}
