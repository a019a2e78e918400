import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { layDebian, maintainerOf } from "../../tools/release/debian.ts";
import { layTarball } from "../../tools/release.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const RELEASE = `${PROJECT}/tools/release.ts`;

/** Makes a tree in `root`, and returns the folder of its `README.md` and `docs/`. */
const LAID = {
  "the Debian package": (root: string, pages: string) => {
    layDebian(root, {
      ...{ project: PROJECT, program: `${PROJECT}/main.ts`, pages, version: "1.0.0", architecture: "amd64" },
      maintainer: "Jane <jane@example.org>",
    });
    return `${root}/usr/share/doc/strongmonitor`;
  },
  "the tarball": (root: string, pages: string) => {
    layTarball(root, { project: PROJECT, program: `${PROJECT}/main.ts`, pages });
    return root;
  },
};

for (const [where, lay] of Object.entries(LAID)) {
  Deno.test(`every file that README.md or a page of docs/ links to in docs/ is in ${where}`, async () => {
    const pages = await makePages();
    const root = await Deno.makeTempDir();
    try {
      const folder = lay(root, pages);
      let links = 0;
      for (const page of ["README.md", ...pagesIn(`${folder}/docs`).map((name) => `docs/${name}`)]) {
        const text = (await Deno.readTextFile(`${folder}/${page}`)).replaceAll(/`[^`]*`/g, "");
        for (const [, to] of text.matchAll(/\]\(([\w-][\w./-]*)/g)) {
          const linked = new URL(to!, `file://${folder}/${page}`);
          if (to!.startsWith("http") || !linked.pathname.startsWith(`${folder}/docs/`)) continue;
          assert.ok(await Deno.stat(linked).catch(() => null), `${page} links to ${to}`);
          links++;
        }
      }
      assert.ok(links > 50);
    } finally {
      await Deno.remove(pages, { recursive: true });
      await Deno.remove(root, { recursive: true });
    }
  });
}

Deno.test("everybody may read each file of the Debian package, whatever the umask of who builds it", async () => {
  const pages = await makePages();
  const root = await Deno.makeTempDir();
  try {
    const parts = {
      project: PROJECT,
      program: `${PROJECT}/main.ts`,
      pages,
      version: "1.0.0",
      maintainer: "J <j@k>",
    };
    const module = new URL("../../tools/release/debian.ts", import.meta.url);
    const code = `import { layDebian } from "${module}";
      layDebian("${root}", ${JSON.stringify({ ...parts, architecture: "amd64" })});`;
    // In a process of its own: other tests share this one's umask.
    const args = [
      "run",
      "--allow-all",
      "--no-check",
      "--quiet",
      `data:text/typescript,${encodeURIComponent(code)}`,
    ];
    const shell = ["-c", 'umask 077 && exec "$@"', "sh", Deno.execPath(), ...args];
    const { success } = await new Deno.Command("sh", { args: shell, cwd: PROJECT }).output();
    assert.ok(success);
    const { stdout } = await new Deno.Command("find", { args: [root, "-type", "f", "!", "-perm", "-444"] })
      .output();
    assert.equal(new TextDecoder().decode(stdout), "");
  } finally {
    await Deno.remove(pages, { recursive: true });
    await Deno.remove(root, { recursive: true });
  }
});

/** Makes a directory with empty pages. */
async function makePages(): Promise<string> {
  const directory = await Deno.makeTempDir();
  const completions = ["strongmonitor.bash", "_strongmonitor", "strongmonitor.fish"];
  for (const page of ["strongmonitor.8.gz", ...completions, "changelog.gz", "changelog.Debian.gz"]) {
    await Deno.writeTextFile(`${directory}/${page}`, "");
  }
  return directory;
}

function pagesIn(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name }) => name.endsWith(".md") ? [name] : []);
}

/** Runs the release to a place where it cannot write. Returns its exit code and complaint. */
async function release(env: Record<string, string>): Promise<[code: number, complaint: string]> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--no-check", "--allow-all", RELEASE, "--output=/dev/null/dist"],
    env: { NO_COLOR: "1", ...env },
  }).output();
  return [code, new TextDecoder().decode(stderr)];
}

for (const epoch of ["yesterday", "", "-5", "99999999999999"]) {
  Deno.test(`\`deno task release\` refuses the time "${epoch}" in a sentence, before it builds`, async () => {
    assert.deepEqual(await release({ SOURCE_DATE_EPOCH: epoch }), [
      64,
      `SOURCE_DATE_EPOCH must be the seconds since 1970, got "${epoch}"\n`,
    ]);
  });
}

Deno.test("`deno task release` names a program that is not installed", async () => {
  assert.deepEqual(await release({ PATH: "/nonexistent" }), [69, "Cannot run git: is it installed?\n"]);
});

for (
  const [name, address] of [["", "a@b"], ["Jane", "nobody"], ["Jane\nDepends: x", "a@b"], [
    "A, B",
    "a@b",
  ]] as const
) {
  Deno.test(`\`deno task release\` refuses the maintainer ${JSON.stringify(name)} at "${address}"`, () => {
    assert.throws(
      () => maintainerOf(name, address),
      /^UserError: Cannot name the maintainer .* set DEBFULLNAME/,
    );
  });
}
