import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { putAddress } from "../../lib/core/address.ts";
import { mightContain } from "../../lib/state/line_index.ts";
import { lineOf } from "../support/events.ts";
import { NO_LOGINS, type TemporaryState, temporaryState } from "../support/helpers.ts";

const RECORD = {
  source: "journal",
  position: "1",
  notes: { groups: [], forgotten: null, rows: [] },
  logins: NO_LOGINS,
  bans: [],
  knocks: [],
};

function wordsOf(address: string): Int32Array {
  const words = new Int32Array(4);
  putAddress(address, words);
  return words;
}

interface Chapter {
  last: number;
  lines: number;
  filter: Uint8Array;
}

function chapters({ directory }: TemporaryState): Chapter[] {
  const db = new DatabaseSync(`${directory}/state.db`, { readOnly: true });
  const rows = db.prepare("SELECT * FROM log_index ORDER BY last").all() as unknown as Chapter[];
  db.close();
  return rows;
}

/** Records a line of each address in batches of 1,000. */
function recordAll(temporary: TemporaryState, addresses: readonly string[]) {
  const batches = temporary.state.batches(["SSHD"]);
  addresses.forEach((address, i) => {
    batches.lines.add(lineOf({ module: 0, address, time: i, message: "x" }));
    if (i % 1_000 < 999 && i < addresses.length - 1) return;
    batches.write(RECORD);
    batches.lines.clear();
  });
  return batches;
}

Deno.test("`LineIndex` writes a filter for each chapter, which holds every address and network of it and few others", () => {
  using temporary = temporaryState();
  const addresses = Array.from({ length: 40_000 }, (_, i) => `10.${i >> 12}.${i >> 6 & 63}.${i & 63}`);
  recordAll(temporary, [...addresses, "2001:db8:5:6::7"]).flush({ isLast: true });
  const [first, second, ...others] = chapters(temporary);
  assert.deepEqual([first!.last, first!.lines, second!.last, second!.lines, others], [
    33_000,
    33_000,
    40_001,
    7_001,
    [],
  ]);
  for (const [i, address] of addresses.entries()) {
    assert.ok(mightContain((i < 33_000 ? first! : second!).filter, wordsOf(address)), address);
  }
  for (const known of ["10.9.1.0", "2001:db8::", "2001:db8:5::", "2001:db8:5:6::7"]) {
    assert.ok(mightContain(second!.filter, wordsOf(known)), known);
  }
  const strangers = Array.from({ length: 10_000 }, (_, i) => `192.${i >> 8}.${i & 255}.1`);
  for (const { filter } of [first!, second!]) {
    const found = strangers.filter((address) => mightContain(filter, wordsOf(address)));
    assert.ok(found.length < 500, `${found.length} of 10,000 strangers`);
  }
  assert.ok(first!.filter.length <= 65_536 && second!.filter.length < first!.filter.length);
});

Deno.test("`LineIndex` keeps a small filter of a chapter with few addresses", () => {
  using temporary = temporaryState();
  recordAll(temporary, Array.from({ length: 5_000 }, (_, i) => `192.0.2.${i % 20}`)).flush({ isLast: true });
  const [{ filter }] = chapters(temporary) as [Chapter];
  assert.ok(filter.length <= 64, `${filter.length} bytes`);
  assert.deepEqual(["192.0.2.7", "192.0.2.0"].map((address) => mightContain(filter, wordsOf(address))), [
    true,
    true,
  ]);
});

Deno.test("`LineIndex` writes no chapter across a jump of the lines' numbers", () => {
  using temporary = temporaryState();
  const batches = recordAll(temporary, ["192.0.2.1"]);
  temporary.exec("UPDATE sqlite_sequence SET seq = 70 WHERE name = 'log_batch'");
  batches.lines.add(lineOf({ module: 0, address: "192.0.2.2", time: 1, message: "x" }));
  batches.write(RECORD);
  batches.flush({ isLast: true });
  assert.deepEqual(chapters(temporary), []);
});
