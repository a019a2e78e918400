import { strict as assert } from "node:assert";
import { MODULE_FAILURES, ModuleHealth } from "../../lib/reading/health.ts";
import { LineReader } from "../../lib/reading/line_reader.ts";
import { UserError } from "../../lib/core/error.ts";
import { A, B, entry, line, readAll } from "../support/reader_records.ts";

Deno.test("a module that throws three times in a row is given up, and the others work on", () => {
  const complaints: string[] = [];
  const health = new ModuleHealth(["a", "b"], (complaint) => complaints.push(complaint));
  const reader = new LineReader([A, B], health);
  const fail = entry("fail", "aa");
  const fine = entry("a 192.0.2.1", "aa");
  assert.equal(readAll(reader, [fail, fail, fine])[2]?.address, "192.0.2.1");
  assert.deepEqual(health.givenUp, []);
  assert.equal(readAll(reader, [...Array(MODULE_FAILURES).fill(fail), fine]).at(-1)?.isUnderstood, false);
  assert.deepEqual(health.givenUp, ["a"]);
  assert.equal(complaints.at(-1), "module a failed 3 times in a row and is given up");
  assert.equal(readAll(reader, [line("b 192.0.2.1")])[0]?.address, "192.0.2.1");
  const last = entry("fail", "bb");
  assert.throws(() => readAll(reader, Array(MODULE_FAILURES).fill(last)), UserError);
});
