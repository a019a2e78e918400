import { strict as assert } from "node:assert";
import { BOOTED_SUITES, bootsContainers, CONTAINER_TOOLS } from "./container.ts";
import { exists } from "./debian.ts";

const lacking = [
  ...BOOTED_SUITES.length > 0 ? [] : ["BOOTED_SUITES"],
  ...Deno.uid() === 0 ? [] : ["root"],
  ...CONTAINER_TOOLS.filter((file) => !exists(file)),
];
const isAble = lacking.length === 0 && await bootsContainers();

Deno.test({
  name: `\`bootsContainers()\` is false where systemd-nspawn starts programs, but no systemd${
    isAble ? "" : ` (needs ${lacking.join(", ") || "systemd-nspawn that boots"})`
  }`,
  ignore: !isAble,
  async fn() {
    // It starts `true` with this as well.
    assert.ok(!await bootsContainers(["--drop-capability=CAP_SYS_ADMIN"]));
  },
});
