/** The patterns of docs/modules.md on lines as the services write them, behind their heads. */
import { strict as assert } from "node:assert";
import { pattern } from "../../modules/pattern/pattern.ts";
import { SERVICES } from "../samples/services.ts";
import { inZone } from "../support/helpers.ts";
import { NO_OPTIONS, openForm } from "../support/messages.ts";
import { line, readAll, readerOf } from "../support/reader_records.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/modules.md", import.meta.url));
const PATTERNS: Readonly<Record<string, string>> = JSON.parse(/```json\n(.*?)```/s.exec(PAGE)![1]!);
const [IPV4, IPV6] = ["203.0.113.5", "2001:db8::5"];
const SECOND = Date.UTC(2026, 2, 1, 10, 56, 10) * 1_000;

Deno.test("docs/modules.md has a pattern for each service with samples", () => {
  assert.deepEqual(Object.keys(PATTERNS).sort(), Object.keys(SERVICES).sort());
});

for (const [name, { lines, hostile, honest = [] }] of Object.entries(SERVICES)) {
  const reader = openForm(pattern.form({ ...NO_OPTIONS, patterns: [PATTERNS[name]!] }));
  const read = (text: string) =>
    readAll(readerOf([{ index: 0, identifiers: [], units: [], reader }]), [line(text)])[0];

  Deno.test(`docs/modules.md: the pattern of ${name} finds addresses and times`, () =>
    inZone("UTC", () => {
      const found = lines.map((text) => read(text)?.address);
      assert.deepEqual(found, lines.map((text) => text.includes(IPV6) ? IPV6 : IPV4));
      assert.deepEqual(new Set(found), new Set([IPV4, IPV6]));
      for (const text of lines) {
        assert.equal(Math.floor(read(text)!.time / 1_000_000) * 1_000_000, SECOND, text);
      }
    }));

  Deno.test(`docs/modules.md: the pattern of ${name} names nobody of a stranger's choice, nor honest clients`, () => {
    for (const text of honest) assert.equal(read(text)?.address ?? null, null, text);
    for (const text of hostile) assert.ok([IPV4, null, undefined].includes(read(text)?.address), text);
  });
}
