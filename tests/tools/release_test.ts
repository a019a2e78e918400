import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { layDebian, maintainerOf } from "../../tools/release/debian.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));
const RELEASE = `${PROJECT}/tools/release.ts`;

Deno.test("every file that a page of docs/ links to in docs/ is in the Debian package", async () => {
  const pages = await Deno.makeTempDir();
  const root = await Deno.makeTempDir();
  try {
    for (
      const page of [
        "strongmonitor.8.gz",
        "strongmonitor.bash",
        "_strongmonitor",
        "strongmonitor.fish",
        "changelog.gz",
        "changelog.Debian.gz",
      ]
    ) await Deno.writeTextFile(`${pages}/${page}`, "");
    layDebian(root, {
      project: PROJECT,
      program: `${PROJECT}/main.ts`,
      pages,
      version: "1.0.0",
      architecture: "amd64",
      maintainer: "Jane <jane@example.org>",
    });
    const docs = `${root}/usr/share/doc/strongmonitor/docs`;
    let links = 0;
    for (const { name } of Deno.readDirSync(docs)) {
      if (!name.endsWith(".md")) continue;
      const text = (await Deno.readTextFile(`${docs}/${name}`)).replaceAll(/`[^`]*`/g, "");
      for (const [, to] of text.matchAll(/\]\(([\w-][\w./-]*)/g)) {
        if (to!.startsWith("http")) continue;
        assert.ok(await Deno.stat(`${docs}/${to}`).catch(() => null), `${name} links to ${to}`);
        links++;
      }
    }
    assert.ok(links > 50);
  } finally {
    await Deno.remove(pages, { recursive: true });
    await Deno.remove(root, { recursive: true });
  }
});

for (const epoch of ["yesterday", "", "-5", "99999999999999"]) {
  Deno.test(`\`deno task release\` refuses the time "${epoch}" in a sentence, before it builds`, async () => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-prompt",
        "--no-check",
        "--allow-all",
        RELEASE,
        "--output=/dev/null/dist",
      ],
      env: { SOURCE_DATE_EPOCH: epoch, NO_COLOR: "1" },
    }).output();
    assert.deepEqual([code, new TextDecoder().decode(stderr)], [
      64,
      `SOURCE_DATE_EPOCH must be the seconds since 1970, got "${epoch}"\n`,
    ]);
  });
}

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
