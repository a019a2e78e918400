import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { load, top } from "../support/configs.ts";

Deno.test("ended bans are kept as long as bans grow by them and networks are banned for them", () => {
  const DAY = 86_400 * SECOND;
  const keep = (keys: string) => load(top(`"keep_bans": "30d"${keys}`)).keepBans! / DAY;
  assert.equal(keep(""), 30);
  assert.equal(keep(', "forget_after": "60d"'), 30, "bans that do not grow need no earlier ones");
  assert.equal(keep(', "ban_time": "1h", "ban_time_factor": 2, "forget_after": "60d"'), 60);
  assert.equal(keep(', "network_bans": [{ "ipv4": 24, "limit": 5, "window": "90d" }]'), 90);
  assert.equal(load(top('"keep_bans": "forever"')).keepBans, null);
});
