import { strict as assert } from "node:assert";
import { sbom } from "../../../tools/release/sbom.ts";

Deno.test("`sbom()` names npm packages as the purl specification does, scopes apart, with their checksums", () => {
  const npmPackages = {
    "zod@4.1.0": { name: "zod", version: "4.1.0" },
    "@logtape/logtape@1.0.4": { name: "@logtape/logtape", version: "1.0.4" },
  };
  const lock = { npm: { "zod@4.1.0": { integrity: "sha512-AAEC" } } };
  const bill = JSON.parse(sbom({ info: { npmPackages }, lock, version: "1.0.0", runtime: "2.4.2" }));
  assert.deepEqual(bill.components.map(({ purl, hashes }: Record<string, unknown>) => [purl, hashes]), [
    ["pkg:generic/deno@2.4.2", undefined],
    ["pkg:npm/%40logtape/logtape@1.0.4", []],
    ["pkg:npm/zod@4.1.0", [{ alg: "SHA-512", content: "000102" }]],
  ]);
});
