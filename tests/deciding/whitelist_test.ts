import { strict as assert } from "node:assert";
import { Whitelist } from "../../lib/deciding/whitelist.ts";

Deno.test("`Whitelist.covering()` says who whitelists an address, and loopback always", () => {
  const whitelist = new Whitelist();
  whitelist.set("configuration", ["198.51.100.0/24"]);
  assert.equal(whitelist.covering("198.51.100.9"), "configuration");
  assert.equal(whitelist.covering("198.51.0.0/16"), "configuration");
  assert.equal(whitelist.covering("127.8.8.8"), "loopback");
  assert.equal(whitelist.covering("::1"), "loopback");
  assert.equal(whitelist.covering("203.0.113.1"), null);
  whitelist.set("configuration", []);
  assert.equal(whitelist.covering("198.51.100.9"), null);
});
