import { strict as assert } from "node:assert";
import { buildHint, type BuildTarget } from "../../lib/config/build_hint.ts";

const CASES: [target: BuildTarget, options: string][] = [
  [{ config: "/etc/c.jsonc" }, "--config /etc/c.jsonc"],
  [{ config: "/etc/c.jsonc", state: "/s" }, "--config /etc/c.jsonc --state /s"],
  [{ config: "c.jsonc", state: "./s" }, `--config ${Deno.cwd()}/c.jsonc --state ${Deno.cwd()}/s`],
  [{ config: "/my files/it's.jsonc" }, `--config '/my files/it'\\''s.jsonc'`],
];
for (const [target, options] of CASES) {
  Deno.test(`\`buildHint()\` names what to build for by absolute paths: ${JSON.stringify(target)}`, () => {
    assert.equal(
      buildHint(target),
      `build one that may, where its source is, with: deno task build ${options} ` +
        `(or, without Deno: npx -y deno@2 task build ${options})`,
    );
  });
}
