import { strict as assert } from "node:assert";
import { Congestion } from "../../lib/enforcing/congestion.ts";
import { Queue } from "../../lib/enforcing/queue.ts";
import { Refusals } from "../../lib/enforcing/refusals.ts";
import { Turns } from "../../lib/enforcing/turns.ts";
import { SECOND } from "../../lib/core/time.ts";
import type { NewBan, Provenance } from "../../lib/deciding/ban.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import { MANUAL, memoryLog, type TemporaryState, temporaryState } from "../support/helpers.ts";

const NOBODY_WHITELISTED = { endIfWhitelisted: () => false };

class OneByOne extends ObserveFirewall {
  override readonly name: string = "one by one";
  override readonly batch: number = 1;
}

function ban(address: string, module: string | Provenance, count = 6): NewBan {
  const provenance = typeof module === "string"
    ? { kind: "rule" as const, name: `${module} probes` }
    : module;
  return { address, scope: "all", provenance, reason: "x", count, start: 1_000, until: null };
}

/** What a firewall that takes one ban at a time is told of in `calls` calls, each done before the next. */
function orderOf({ state }: TemporaryState, calls: number, clock = () => 2_000): string[] {
  const { enforcement } = state;
  const queue = new Queue({ state: enforcement, firewall: new OneByOne(), clock, ends: NOBODY_WHITELISTED });
  return Array.from({ length: calls }, () => {
    const work = queue.next();
    if (work === null) return "nothing";
    const ids = work.bans.map(({ id }) => id);
    if (work.isLift) enforcement.lifted(ids);
    else enforcement.applied(ids, { firewall: "one by one", time: 2_000 });
    return (work.isLift ? "lift " : "") + work.bans.map(({ address }) => address);
  });
}

Deno.test("`Queue` has modules take turns, and what people did comes every other time", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.addAll([ban("203.0.113.1", "SSHD")]);
  enforcement.applied([1], { firewall: "one by one", time: 1_500 });
  bans.addAll(Array.from({ length: 1_000 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, "NGINX")));
  bans.addAll([ban("192.0.2.1", "SSHD"), ban("192.0.2.2", "MAIL")]);
  bans.addAll([ban("192.0.2.3", MANUAL), ban("192.0.2.4", MANUAL)]);
  bans.end("203.0.113.1", { reason: "unban", time: 1_600 });
  assert.deepEqual(orderOf(temporary, 7), [
    "192.0.2.4",
    "192.0.2.2",
    "lift 203.0.113.1",
    "10.0.3.231",
    "192.0.2.3",
    "192.0.2.1",
    "10.0.3.230",
  ]);
});

Deno.test("`Queue` tells of the newest first, those with most hits before the others, and now and then of the oldest", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.addAll(Array.from({ length: 200 }, (_, i) => ban(`10.0.0.${i}`, "NGINX", i === 190 ? 60 : 6)));
  bans.addAll([ban("192.0.2.9", "NGINX", 90)]);
  bans.addAll(Array.from({ length: 63 }, (_, i) => ban(`10.0.1.${i}`, "NGINX")));
  assert.deepEqual(orderOf(temporary, 5), [
    "192.0.2.9",
    "10.0.1.62",
    "10.0.1.61",
    "10.0.0.0",
    "10.0.1.60",
  ]);
});

Deno.test("`Queue` has bans that failed wait behind new ones, but not for ever", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.addAll(Array.from({ length: 9 }, (_, i) => ban(`192.0.2.${i}`, "SSHD")));
  for (const id of [1, 2]) enforcement.failed(id, { error: "busy", time: 2_000 });
  const later = () => 10 * SECOND;
  assert.deepEqual(orderOf(temporary, 4, later), ["192.0.2.8", "192.0.2.7", "192.0.2.6", "192.0.2.0"]);
  assert.deepEqual(orderOf(temporary, 5, () => 3_000).at(-1), "nothing", "the other one's time has not come");
});

Deno.test("`Queue` fills a call that takes many with all turns, and mixes no lifts into it", () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  bans.addAll([ban("203.0.113.1", "SSHD")]);
  enforcement.applied([1], { firewall: "many", time: 1_500 });
  bans.end("203.0.113.1", { reason: "unban", time: 1_600 });
  bans.addAll([ban("192.0.2.1", "SSHD"), ban("192.0.2.2", "NGINX"), ban("192.0.2.3", MANUAL)]);
  class Many extends OneByOne {
    override readonly name = "many";
    override readonly batch = 100;
  }
  const queue = new Queue({
    state: enforcement,
    firewall: new Many(),
    clock: () => 2_000,
    ends: NOBODY_WHITELISTED,
  });
  const work = queue.next()!;
  assert.deepEqual(work.bans.map(({ address }) => address).sort(), ["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  queue.begin(work);
  assert.deepEqual(queue.next(), { ...queue.next(), isLift: true });
});

Deno.test("`Turns.order()` keeps none waiting, whichever turns there are", () => {
  const turns = new Turns();
  const names = ["expired", "manual", "network", "rule A", "rule B", "unban"];
  const came = Array.from({ length: 20 }, () => {
    const [first] = turns.order(names);
    turns.came(first!);
    return first!;
  });
  const shares = names.map((name) => came.filter((one) => one === name).length);
  assert.deepEqual(shares, [3, 5, 3, 2, 2, 5]);
});

Deno.test("`Refusals` tells of a failure once however many addresses meet with it, and then in numbers", () => {
  using temporary = temporaryState();
  const { bans } = temporary.state;
  bans.addAll(Array.from({ length: 2_000 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, "SSHD")));
  const log = memoryLog();
  let time = 0;
  const refusals = new Refusals(log, () => time);
  const refuse = (words: string) => {
    for (const stored of bans.inForce()) {
      const { address } = stored;
      const outcome = { address, error: `fw ${address}: ${words} at ${time}`, failure: `fw %s: ${words}` };
      refusals.refused([{ ban: stored, outcome }]);
      time += 10;
    }
  };
  refuse("exit status 1");
  refuse("exit status 2");
  assert.deepEqual(log.lines, [
    "error: the firewall refused, trying again: fw 10.0.0.0: exit status 1 at 0",
    "error: the firewall refused, trying again: fw 10.0.0.0: exit status 2 at 20000",
  ]);
  log.lines.length = 0;
  time = 61 * SECOND;
  refuse("exit status 1");
  assert.deepEqual(log.lines, [
    "error: the firewall refused 2000 more bans, trying again: fw 10.0.0.0: exit status 1 at 61000000",
  ]);
  log.lines.length = 0;
  for (const stored of bans.inForce()) refusals.taken({ ...stored, attempts: 1 });
  time += 60 * SECOND;
  refusals.taken({ ...bans.inForce()[0]!, attempts: 3 });
  assert.deepEqual(log.lines, [
    "info: the firewall took 10.0.0.0 after 1 failed try",
    "info: the firewall took 10.0.0.0 and 1999 other bans after 3 failed tries",
  ]);
  log.lines.length = 0;
  for (const stored of bans.inForce()) refusals.stays(stored);
  time = 0;
  refusals.stays(bans.inForce()[1]!);
  assert.deepEqual(log.lines, [
    "warn: 10.0.0.0 stays in the firewall: there is no unban_command",
    "warn: 10.0.0.1 and 1999 other bans stay in the firewall: there is no unban_command",
  ], "a clock that was set back keeps nothing secret");
});

Deno.test("`Congestion` warns once where bans come faster than they are carried out, and again after it was over", () => {
  const log = memoryLog();
  let [time, waiting] = [0, 0];
  const congestion = new Congestion({
    firewall: new OneByOne(),
    log,
    clock: () => time,
    state: { backlog: () => waiting },
  });
  const step = (more: number, done: number) => {
    waiting += more - done;
    congestion.carriedOut(done);
    time += 5 * SECOND;
    congestion.look();
  };
  for (let i = 0; i < 10; i++) step(i === 0 ? 1_000 : 0, 100);
  assert.deepEqual(log.lines, [], "it is through with them within a minute");
  for (let i = 0; i < 20; i++) step(200, 10);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]!, /^warn: 380 bans wait for the firewall, which took 10 within 5s: .*nftables/);
  step(0, waiting);
  for (let i = 0; i < 20; i++) step(200, 10);
  assert.equal(log.lines.length, 2);
});

Deno.test("`Congestion.stuck()` complains once of programs that do not end, and not while they are ending", () => {
  let time = 0;
  const log = memoryLog();
  const firewall = new ObserveFirewall();
  const congestion = new Congestion({ firewall, log, clock: () => time, state: { backlog: () => 1 } });
  const stuckAt = (second: number) => {
    time = second * SECOND;
    congestion.stuck(true);
    return log.lines.length;
  };
  assert.deepEqual([0, 1, 4].map(stuckAt), [0, 0, 0]);
  congestion.stuck(false);
  assert.deepEqual([6, 10, 11, 12].map(stuckAt), [0, 0, 1, 1]);
  assert.match(log.lines[0]!, /^error: no ban is carried out: .* cannot be ended$/);
  congestion.stuck(false);
  assert.deepEqual([20, 8, 12, 13].map(stuckAt), [1, 1, 1, 2], "the clock was set back");
});
