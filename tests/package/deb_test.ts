/**
 * The Debian package that `deno task release` made, named by STRONGMONITOR_DEB: installed, upgraded, removed and purged in Debian
 * systems of its own. Each is a directory with a root file system, in namespaces of its own, where nothing is booted.
 */
import { strict as assert } from "node:assert";
import { bootedInContainers } from "./container.ts";
import { DEB, run, System, SYSTEM_TOOLS, test } from "./debian.ts";
import { installAndPurge, INSTALLED_AND_PURGED, UNBOOTED_PACKAGES } from "./unbooted.ts";

const SUITES = ["bookworm", "trixie"];
/** Suites whose systems booted_test.ts makes in any case, and uses for this before it boots them. */
const booted = await bootedInContainers();
/** Largest package, in bytes. */
const MOST = 35 << 20;

test("the package has at most 35 MiB, and lintian finds no error in it", ["/usr/bin/lintian"], async () => {
  assert.ok(Deno.statSync(DEB).size <= MOST);
  const { text } = await run("lintian", ["--fail-on=error", "--allow-root", DEB]);
  assert.doesNotMatch(text, /^E:/m);
});

for (const suite of SUITES.filter((suite) => !booted.includes(suite))) {
  test(`the package is ${INSTALLED_AND_PURGED} in Debian ${suite}`, SYSTEM_TOOLS, async () => {
    await using system = await System.make(suite, UNBOOTED_PACKAGES);
    await installAndPurge(system);
  });
}
