import { strict as assert } from "node:assert";

const ROOT = new URL("../../", import.meta.url);

/** The text of a file of the project. */
function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

Deno.test("`.ci/versions` names the Deno that `deno task build --base=npm` takes as the oldest one", () => {
  const [, oldest] = read(".ci/versions").match(/^OLDEST_DENO=(\S+)$/m) ?? [];
  const [, base] = read("tools/npm_base.ts").match(/"@deno\/linux-x64-glibc@([^"]+)"/) ?? [];
  assert.ok(oldest, "there is an oldest Deno");
  assert.equal(oldest, base);
});

Deno.test("CHANGELOG.md tells what the version in deno.json brings", () => {
  const { version } = JSON.parse(read("deno.json"));
  const [, newest] = read("CHANGELOG.md").match(/^## \[(\d[^\]]*)\] - \d{4}-\d{2}-\d{2}$/m) ?? [];
  assert.equal(newest, version);
});
