import { strict as assert } from "node:assert";
import { inMemory } from "../../lib/state/connect.ts";
import { salvage } from "../../lib/state/salvage.ts";

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
