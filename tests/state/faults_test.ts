import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import type { NewBan } from "../../lib/deciding/ban.ts";
import { Database } from "../../lib/state/database.ts";
import { MANUAL } from "../support/helpers.ts";
import { FAULTS } from "../support/faults.ts";

function ban(i: number): NewBan {
  const address = `10.0.${i >> 8}.${i & 255}`;
  return {
    address,
    scope: "all",
    provenance: MANUAL,
    reason: "x".repeat(200),
    count: 0,
    start: i,
    until: null,
  };
}

const BANS = Array.from({ length: 1_000 }, (_, i) => ban(i));

for (const { name, ignore, error, run } of FAULTS) {
  Deno.test({
    name: `\`BanTable\` changes nothing while ${name}, and all afterwards`,
    ignore,
    fn: () =>
      run(({ bans, enforcement, breakDown, repair }) => {
        bans.addAll(BANS.slice(0, 10));
        breakDown();
        for (let i = 0; i < 3; i++) {
          assert.throws(() => bans.addAll(BANS), error);
          assert.throws(() => bans.end("10.0.0.1", { reason: "unban", time: 5 }), error);
          assert.throws(() => enforcement.trying([1, 2, 3], "nftables"), error);
          assert.throws(() =>
            bans.transaction(() => {
              bans.end("10.0.0.2", { reason: "unban", time: 5 });
              bans.addAll(BANS);
            }), error);
        }
        assert.equal(bans.inForce().length, 10);
        assert.ok(bans.inForce().every(({ appliedBy }) => appliedBy === null));
        repair();
        bans.addAll(BANS);
        assert.equal(bans.inForce().length, 1_000);
        assert.equal(bans.end("10.0.0.1", { reason: "unban", time: 5 }), 1);
      }),
  });
}

Deno.test("`Database` gives the room of its log back after a reader that kept SQLite from copying the log", () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const database = new Database(directory);
  const log = `${directory}/state.db-wal`;
  const reader = new DatabaseSync(`${directory}/state.db`);
  const write = () => database.setMeta("x", new Uint8Array(1 << 20));
  try {
    reader.exec("BEGIN; SELECT count(*) FROM meta");
    for (let i = 0; i < 80; i++) write();
    assert.ok(Deno.statSync(log).size > 80 << 20, "the log grows");
    reader.exec("COMMIT");
    for (let i = 0; i < 40; i++) write();
    assert.ok(Deno.statSync(log).size <= 32 << 20, "the log is short again");
  } finally {
    reader.close();
    database.close();
    Deno.removeSync(directory, { recursive: true });
  }
});
