import { strict as assert } from "node:assert";
import type { Boot } from "../../lib/core/boot.ts";
import type { BanTable } from "../../lib/state/ban_table.ts";
import { scopeOf, temporaryState } from "../support/helpers.ts";
import { DUE, EXPIRED, ruleBan, UNBANNED } from "../support/rule_bans.ts";

function boot(id: string, start = 0): Boot {
  return { id, uptime: 0, start };
}

function expired(bans: BanTable, now: number): string[] {
  return bans.expire(now).bans.map(({ address }) => address);
}

Deno.test("`EnforcementTable` tells the firewall of a ban until it has it, and of its end until that is done", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan({ until: 20_000 }));
  const [waiting] = enforcement.toApply(DUE);
  enforcement.applied([waiting!.id], { firewall: "command", time: 10_000 });
  assert.equal(enforcement.toApply(DUE).length, 0);
  assert.deepEqual(expired(bans, 19_999), []);
  assert.deepEqual(expired(bans, 20_000), ["192.0.2.1"]);
  assert.equal(enforcement.toApply(DUE).length, 0);
  enforcement.lifted([enforcement.toLift(EXPIRED)[0]!.id]);
  assert.equal(enforcement.toLift(EXPIRED).length, 0);
  assert.equal(bans.history(5)[0]!.endReason, "expired");
});

Deno.test("`EnforcementTable.begin()` has bans applied again that a reboot or another firewall took away", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan());
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  const waiting = (firewall: string, id: string, takesOver = true) => {
    enforcement.begin(firewall, { boot: boot(id), takesOver, anew: false });
    return enforcement.toApply(DUE).length;
  };
  assert.equal(waiting("command", "a"), 0, "the same firewall, no reboot");
  assert.equal(waiting("observe", "a", false), 0, "who only observes leaves them to the other");
  assert.equal(waiting("nftables", "a"), 1, "another firewall has yet to be told");
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  assert.equal(waiting("command", "b"), 1, "the machine has started since");
});

Deno.test("`EnforcementTable` lifts nothing that a reboot has lifted", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan({ until: 20_000 }));
  enforcement.applied([1], { firewall: "command", time: 10_000 });
  bans.expire(20_000);
  assert.equal(enforcement.toLift(EXPIRED).length, 1);
  enforcement.begin("command", { boot: boot("a", 15_000), takesOver: true, anew: false });
  assert.equal(enforcement.toLift(EXPIRED).length, 0);
  assert.equal(enforcement.nextDue("command"), null);
});

Deno.test("`EnforcementTable` lifts what a crash left half applied, and nothing that a newer ban holds", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan());
  enforcement.trying([1], "command");
  bans.end("192.0.2.1", { reason: "unban", time: 5_000 });
  assert.equal(enforcement.toLift(UNBANNED).length, 1, "it may have reached the firewall");
  bans.add(ruleBan({ start: 6_000 }));
  enforcement.trying([1], "command");
  assert.equal(enforcement.toLift(UNBANNED).length, 0, "the address is to be banned");
  enforcement.applied([2], { firewall: "command", time: 7_000 });
  bans.end("192.0.2.1", { reason: "unban", time: 8_000 });
  assert.deepEqual(enforcement.toLift(UNBANNED).map(({ id }) => id), [2], "one lift is enough");
});

Deno.test("`EnforcementTable.failed()` waits longer each time, up to five minutes", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.add(ruleBan());
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    const [due] = enforcement.toApply({ ...DUE, now: 1e15 });
    enforcement.failed(due!.id, { error: "no", time: 0 });
    waits.push(enforcement.nextDue("command")! / 1e6);
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
  assert.equal(bans.failing()[0]!.attempts, 12);
});

Deno.test("`EnforcementTable` lifts one scope of an address while another is in force", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.addAll([ruleBan({ scope: scopeOf("tcp 22"), until: 5_000 }), ruleBan({ scope: scopeOf("tcp 80") })]);
  enforcement.applied([1, 2], { firewall: "command", time: 1 });
  bans.expire(5_000);
  assert.deepEqual(enforcement.toLift(EXPIRED).map(({ id }) => id), [1]);
  enforcement.begin("command", { boot: boot("a"), takesOver: true, anew: false, knowsScopes: false });
  assert.deepEqual(enforcement.toLift(EXPIRED), [], "to a firewall without scopes they are one");
  assert.equal(enforcement.nextDue("command"), null);
});

Deno.test("`EnforcementTable.begin()` goes by the boot and not by the clock, which may start anew with each boot", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const begin = (boot: Boot) => {
    enforcement.begin("command", { boot, takesOver: true, anew: false });
    return enforcement.toApply(DUE).length;
  };
  const HOUR = 3_600_000_000;
  begin({ id: null, uptime: 5, start: 0 });
  bans.add(ruleBan());
  enforcement.applied([1], { firewall: "command", time: 5 * HOUR });
  enforcement.noteBoot({ id: null, uptime: 5 * HOUR, start: 0 });
  assert.equal(begin({ id: null, uptime: 6 * HOUR, start: 0 }), 0, "the same boot");
  assert.equal(
    begin({ id: null, uptime: 20, start: 0 }),
    1,
    "another one, whose clock began where the last did",
  );
});
