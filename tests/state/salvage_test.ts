import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { inMemory } from "../../lib/state/connect.ts";
import { salvage } from "../../lib/state/salvage.ts";
import { FIRST_RELEASE, migrate } from "../../lib/state/schema.ts";

Deno.test("`salvage()` leaves out rows that a missing page has emptied, and copies all others", () => {
  const [from, to] = [inMemory(), inMemory()];
  // What SQLite reads of such a page breaks the rules of its table.
  from.exec(`
    DROP TABLE position;
    CREATE TABLE position (source TEXT, position TEXT);
    INSERT INTO position VALUES ('one', '1'), ('two', NULL), ('three', '3');
  `);
  const { rows, isWhole } = salvage(from, to, { lines: true });
  assert.deepEqual([rows.position, isWhole], [2, false]);
  from.close();
  to.close();
});

Deno.test("`salvage()` counts no change as sent or confirmed whose ban is lost, as its number is given again", () => {
  const [from, to] = [inMemory(), inMemory()];
  from.exec(`
    INSERT INTO ban (change, address, reason, count, start) VALUES (3, '192.0.2.1', '', 1, 0);
    INSERT INTO meta VALUES ('sent_ban', 9), ('shipped_ban', 8);
  `);
  salvage(from, to, { lines: true });
  const numbers = to.prepare("SELECT value FROM meta WHERE key IN ('sent_ban', 'shipped_ban')").all();
  assert.deepEqual(numbers.map(({ value }) => value), [3, 3]);
  from.close();
  to.close();
});

Deno.test("`salvage()` copies a state of the first release without its counters where they are garbage", () => {
  const [from, to] = [new DatabaseSync(":memory:"), inMemory()];
  migrate(from, FIRST_RELEASE.version);
  from.exec(`
    INSERT INTO tally VALUES (1, NULL, '{"forgotten":[],"addresses":["192.0');
    INSERT INTO ban (change, address, reason, count, start) VALUES (3, '192.0.2.1', '[MANUAL] x', 1, 0);
  `);
  const { rows, isWhole } = salvage(from, to, { lines: true });
  assert.deepEqual([rows.ban, rows.note, isWhole], [1, 0, false]);
  const { reason } = to.prepare("SELECT reason FROM ban WHERE provenance = 'manual'").get()!;
  assert.equal(reason, "[MANUAL] x");
  from.close();
  to.close();
});
