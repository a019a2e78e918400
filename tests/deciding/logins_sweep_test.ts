import { strict as assert } from "node:assert";
import type { LoginChange } from "../../lib/deciding/login_change.ts";
import { Logins } from "../../lib/deciding/logins.ts";
import { noteAll } from "../support/login_events.ts";

function login(address: string, time: number, method = "publickey"): LoginChange {
  return { kind: "opened", address, port: 1, pid: null, time, user: "me", method };
}

Deno.test("`Logins.sweep()` drops logins that count for nothing any more, and neither sessions nor updates", () => {
  const logins = new Logins({ span: 100, methods: new Set(["publickey", "password"]), factor: 3 });
  noteAll(logins, login("192.0.2.1", 10), login("192.0.2.2", 50), login("192.0.2.2", 20, "password"));
  logins.sweep(120);
  // As of an earlier instant the dropped ones would still count.
  const known = ["192.0.2.1", "192.0.2.2", "192.0.2.0/24"].map((target) => logins.trusted(target, 60)?.time);
  assert.deepEqual(known, [undefined, 50, 50]);
  assert.deepEqual(logins.openAddresses.toSorted(), ["192.0.2.1", "192.0.2.2"]);
  assert.equal(logins.takeUpdate().logins.length, 3);
});

Deno.test("`Logins.sweep()` keeps no login where logins count for nothing", () => {
  const logins = new Logins(null);
  noteAll(logins, login("192.0.2.1", 10));
  logins.sweep(10);
  assert.equal(logins.trusted("192.0.2.1", -5), null);
});
