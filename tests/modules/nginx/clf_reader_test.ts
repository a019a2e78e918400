import { strict as assert } from "node:assert";
import { encode } from "../../../lib/core/bytes.ts";
import { resolveStamp } from "../../../lib/core/stamp.ts";
import { readClfTime } from "../../../lib/core/timestamp.ts";
import { CLF_LENGTH, ClfReader } from "../../../modules/nginx/clf_reader.ts";
import { Random } from "../../support/random.ts";

Deno.test("`ClfReader.read()` reads the times that `readClfTime()` reads, whatever came before", () => {
  const random = new Random(31);
  const reader = new ClfReader();
  let found = 0;
  for (let i = 0; i < 20_000; i++) {
    const day = random.pick(["06", "06", "31", "00"]);
    const month = random.pick(["May", "May", "Feb", "Mai"]);
    const time = `${random.pick(["10:56", "10:57", "00:00", "23:59", "24:00", "10.56", "10:60"])}:${
      random.pick(["10", "59", "60", "61", "1x"])
    }`;
    const text = `${day}/${month}/2026:${time} ${random.pick(["+0200", "+0200", "-0930", "+02:0"])}`;
    const stamp = readClfTime(text)?.stamp ?? null;
    const { bytes } = encode(text);
    assert.equal(text.length, CLF_LENGTH);
    assert.equal(reader.read(bytes, 0), stamp !== null, text);
    if (stamp === null) continue;
    found++;
    const expected = resolveStamp(stamp, { now: 0, before: NaN });
    assert.equal(reader.time, expected, text);
    assert.deepEqual(reader.stamp, Number.isNaN(expected) ? stamp : null, text);
  }
  assert.ok(found > 5_000);
});
