import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import { maintainerOf } from "../../tools/release/debian.ts";

const RELEASE = fileURLToPath(new URL("../../tools/release.ts", import.meta.url));

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
