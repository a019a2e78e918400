import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";

const ANALYZE = "/usr/bin/systemd-analyze";

function installed(): boolean {
  try {
    return Deno.statSync(ANALYZE).isFile;
  } catch {
    return false;
  }
}

/** Overall exposure in tenths, as `docs/sandbox.md` states it. */
const EXPOSURES = { "strongmonitor.service": 23, "strongmonitor-nosudo.service": 16 };

for (const [unit, exposure] of Object.entries(EXPOSURES)) {
  Deno.test({
    name: `${unit} is exposed no more than it is documented to be${
      installed() ? "" : " (needs systemd-analyze)"
    }`,
    ignore: !installed(),
    async fn() {
      const path = fileURLToPath(new URL(`../${unit}`, import.meta.url));
      const { success, stderr } = await new Deno.Command(ANALYZE, {
        args: ["security", "--offline=yes", `--threshold=${exposure}`, path],
      }).output();
      assert.ok(success, new TextDecoder().decode(stderr));
    },
  });
}
