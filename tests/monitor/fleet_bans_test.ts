import { strict as assert } from "node:assert";
import type { Log } from "../../lib/core/log.ts";
import { HOUR, now } from "../../lib/core/time.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { FollowRules } from "../../lib/deciding/following.ts";
import { FleetBans } from "../../lib/monitor/fleet_bans.ts";
import { Fleet } from "../../lib/postgres/fleet.ts";
import { members, removeMember } from "../../lib/postgres/members.ts";
import { State } from "../../lib/state/state.ts";
import { eventually, MANUAL, memoryLog, scopeOf, temporaryState } from "../support/helpers.ts";
import { CONFIG, Scene } from "../support/monitor_scene.ts";
import { type Scene as Database, testOnPostgres } from "../support/postgres_fixtures.ts";

const RULES = { minReports: 1, window: HOUR, acceptFrom: null, modules: null, maxBans: 1_000 };

/** The bans of a server that is not connected. */
function unconnected(
  state: State,
  { log = memoryLog(), ...rules }: Partial<FollowRules> & { log?: Log },
): FleetBans {
  const whyNot = () => null;
  return new FleetBans({
    rules: { ...RULES, ...rules },
    state,
    log,
    whyNot,
    isReal: () => true,
    firewalls: new Set(),
    changed: () => {},
  });
}

/** A server of the fleet: its state, and what it protects. */
class Server implements AsyncDisposable {
  readonly log = memoryLog();
  readonly protected = new Set<string>();
  readonly fleet: Fleet;
  readonly #temporary: ReturnType<typeof temporaryState>;

  constructor(
    { login }: Database,
    hostName: string,
    { firewalls = [], ...rules }: Partial<typeof RULES> & { firewalls?: readonly string[] } = {},
  ) {
    this.#temporary = temporaryState();
    const bans = new FleetBans({
      rules: { ...RULES, ...rules },
      state: this.state,
      log: this.log,
      whyNot: (target) => this.protected.has(target) ? "whitelisted by command" : null,
      isReal: () => true,
      firewalls: new Set(firewalls),
      changed: () => this.fleet.wake(),
    });
    this.fleet = new Fleet(login, {
      outbox: this.state.outbox,
      hostName,
      log: this.log,
      keepLog: null,
      onWhitelist: () => {},
      sharing: {
        positions: this.state.fleet.positions(),
        window: HOUR,
        onNews: (news) => bans.take(news),
        takeRoom: () => bans.takeRoom(),
        released: () => bans.released(),
        followed: () => this.state.fleet.followedAddresses(),
      },
    });
  }

  get state(): State {
    return this.#temporary.state;
  }

  ban(address: string, over: Partial<NewBan> = {}): void {
    const provenance = { kind: "rule", name: "SSHD invalid_user" } as const;
    const times = { start: now(), until: now() + HOUR };
    this.state.bans.add({
      address,
      scope: "all",
      provenance,
      reason: "[SSHD] invalid_user",
      count: 6,
      ...times,
      ...over,
    });
    this.fleet.wake();
  }

  unban(address: string): void {
    this.state.bans.end(address, { reason: "unban", time: now() });
    this.fleet.wake();
  }

  /** Bans in force with who made them: `192.0.2.1 fleet a`. */
  get bans(): string[] {
    return this.state.bans.inForce().map(({ address, provenance: { kind, name } }) =>
      `${address} ${kind} ${name}`
    );
  }

  until(...bans: string[]): Promise<void> {
    return eventually(() => JSON.stringify(this.bans.toSorted()) === JSON.stringify(bans));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.close(5_000_000);
    this.#temporary[Symbol.dispose]();
  }
}

await testOnPostgres("three servers of a fleet", {
  "have the bans of each other in force, and lift them with the origin's": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    await using c = new Server(scene, "c");
    a.ban("192.0.2.1");
    await Promise.all([b, c].map((server) => server.until("192.0.2.1 fleet a")));
    assert.match(b.log.lines.join("\n"), /banning 192\.0\.2\.1 for 1h: \[FLEET\] a: \[SSHD\] invalid_user/);
    a.unban("192.0.2.1");
    await Promise.all([b, c].map((server) => server.until()));
    assert.deepEqual([...await scene.query("SELECT count(*)::int AS n FROM ban")], [{ n: 1 }]);
  },

  "follow a ban that had no room as soon as they look at all servers and there is some": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b", { maxBans: 1 });
    a.ban("192.0.2.1");
    await b.until("192.0.2.1 fleet a");
    a.ban("192.0.2.2");
    await eventually(() =>
      /not following .*192\.0\.2\.2 .*: no room, as max_bans is 1/.test(b.log.lines.join())
    );
    a.unban("192.0.2.1");
    await b.until();
    // Whoever connects anew looks at all servers.
    await scene.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await b.until("192.0.2.2 fleet a");
  },

  "have room for the bans of one although another fills what it may": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    await using c = new Server(scene, "c", { maxBans: 10 });
    for (let n = 10; n < 40; n++) b.ban(`192.0.2.${n}`);
    await eventually(() => c.log.lines.join().includes("no room"));
    a.ban("192.0.2.1");
    a.ban("192.0.2.2");
    await eventually(() => c.bans.filter((ban) => ban.endsWith("fleet a")).length === 2);
    assert.equal(c.bans.length, 7, "half of ten, and two of the other");
    // Bans that end make room, and whoever connects anew looks for bans that lack it.
    a.unban("192.0.2.1");
    a.unban("192.0.2.2");
    await eventually(() => c.bans.length === 5);
    for (let n = 10; n < 38; n++) b.unban(`192.0.2.${n}`);
    await eventually(async () => (await scene.query("SELECT FROM ban WHERE ended IS NULL")).length === 2);
    await scene.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await c.until("192.0.2.38 fleet b", "192.0.2.39 fleet b");
  },

  "spare whom they protect, and say so": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    b.protected.add("192.0.2.1");
    a.ban("192.0.2.1");
    a.ban("192.0.2.2");
    await b.until("192.0.2.2 fleet a");
    assert.match(
      b.log.lines.join("\n"),
      /not following the ban of 192\.0\.2\.1 for 1h \(\[FLEET\] a: \[SSHD\] invalid_user\): whitelisted by command/,
    );
    // They follow it once they look at all servers and protect its address no more.
    b.protected.clear();
    await scene.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    await b.until("192.0.2.1 fleet a", "192.0.2.2 fleet a");
  },

  "put their own ban in the place of another's, and take that up again afterwards": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    a.ban("192.0.2.1");
    await b.until("192.0.2.1 fleet a");
    b.ban("192.0.2.1", { until: now() + HOUR / 3600 });
    await b.until("192.0.2.1 rule SSHD invalid_user");
    // A lift by hand holds against the bans of others that began before.
    a.unban("192.0.2.1");
    await eventually(async () =>
      (await scene.query("SELECT FROM ban WHERE end_reason = 'unban'")).length === 1
    );
    a.fleet.ask(["192.0.2.1"]);
    a.ban("192.0.2.9");
    await b.until("192.0.2.1 rule SSHD invalid_user", "192.0.2.9 fleet a");
    await a.until("192.0.2.9 rule SSHD invalid_user");
    a.unban("192.0.2.9");
    a.ban("192.0.2.1");
    await eventually(() => b.state.bans.expire(now()).bans.length > 0);
    b.fleet.ask(b.state.fleet.freed(["192.0.2.1"]));
    await b.until("192.0.2.1 fleet a");
  },

  "ban for a module as the module's own firewall does, and say where they have none": async (scene) => {
    await using a = new Server(scene, "a", { firewalls: ["NGINX"] });
    await using b = new Server(scene, "b", { firewalls: ["NGINX"] });
    await using c = new Server(scene, "c");
    a.ban("192.0.2.1", { scope: scopeOf("module NGINX") });
    for (const server of [b, c]) await server.until("192.0.2.1 fleet a");
    assert.deepEqual(b.state.bans.inForce()[0]!.scope, { module: "NGINX" });
    assert.equal(c.state.bans.inForce()[0]!.scope, "all");
    assert.match(c.log.lines.join("\n"), /banning 192\.0\.2\.1 .*as NGINX has no firewall of its own here/);
  },

  "with min_reports wait for a second report": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    await using c = new Server(scene, "c", { minReports: 2 });
    a.ban("192.0.2.1");
    await b.until("192.0.2.1 fleet a");
    assert.deepEqual(c.bans, []);
    b.ban("192.0.2.1");
    await c.until("192.0.2.1 fleet b");
  },

  "cut one off, and lift what it alone banned": async (scene) => {
    await using a = new Server(scene, "a");
    await using b = new Server(scene, "b");
    await using c = new Server(scene, "c");
    a.ban("192.0.2.1");
    a.ban("192.0.2.2");
    await c.until("192.0.2.1 fleet a", "192.0.2.2 fleet a");
    b.ban("192.0.2.2");
    await eventually(async () => (await scene.query("SELECT 1 FROM ban")).length === 3);
    const removed = await removeMember(await scene.connect(), "a");
    assert.equal(removed.name, "a");
    await c.until("192.0.2.2 fleet b");
    await eventually(() => a.fleet.status().error !== null);
    assert.match(a.fleet.status().error!, /was removed from the fleet/);
    const states = (await members(await scene.connect())).map((
      { name, bans, removed },
    ) => [name, bans, removed !== null]);
    assert.deepEqual(states, [["a", 2, true], ["b", 1, false], ["c", 0, false]]);
  },
});

/** Hands over reports of a server on numbered addresses. Returns the number of followed bans. */
function takeReports(
  { bans, state }: { bans: FleetBans; state: State },
  { server, numbers, isInForce = true }: { server: string; numbers: readonly number[]; isInForce?: boolean },
): number {
  const provenance = { kind: "manual", name: "" } as const;
  const ban = {
    scope: "all",
    host: server,
    server,
    provenance,
    reason: "x",
    start: now(),
    until: null,
  } as const;
  const reports = numbers.map((n) => ({ ...ban, address: `192.0.2.${n}`, isInForce }));
  bans.take({
    addresses: reports.map(({ address }) => address),
    reports,
    positions: new Map(),
    members: [],
  });
  return state.fleet.followed();
}

Deno.test("`FleetBans.takeRoom()` reports room for a server's bans, however many others are followed meanwhile", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const bans = unconnected(state, { maxBans: 10 });
  const take = (server: string, numbers: readonly number[], isInForce = true) =>
    takeReports({ bans, state }, { server, numbers, isInForce });
  assert.equal(take("b", [1, 2, 3, 4, 5, 6]), 5);
  assert.equal(bans.takeRoom(), false);
  assert.equal(take("a", [11, 12]), 7);
  assert.equal(bans.takeRoom(), false);
  assert.equal(take("b", [1, 2], false), 5);
  assert.equal(bans.takeRoom(), true);
  assert.equal(bans.takeRoom(), false);
  assert.equal(take("b", [1, 6]), 6);
  assert.equal(bans.takeRoom(), false);
});

Deno.test("`FleetBans.takeRoom()` reports room for the only followed server until `max_bans` is full", () => {
  using temporary = temporaryState();
  const { state } = temporary;
  const bans = unconnected(state, { maxBans: 3, acceptFrom: new Set(["b"]) });
  const take = (numbers: readonly number[], isInForce = true) =>
    takeReports({ bans, state }, { server: "b", numbers, isInForce });
  assert.equal(take([1, 2, 3, 4]), 3);
  assert.equal(bans.takeRoom(), false);
  assert.equal(take([1], false), 2);
  assert.equal(bans.takeRoom(), true);
});

Deno.test("`FleetBans.take()` tells the log little of bans that change without end", () => {
  using temporary = temporaryState();
  const log = memoryLog();
  const bans = unconnected(temporary.state, { log });
  const addresses = Array.from({ length: 50 }, (_, n) => `192.0.2.${n}`);
  const report = {
    scope: "all",
    host: "id",
    server: "web1",
    reason: "x",
    start: now(),
    until: null,
  } as const;
  const provenance = { kind: "manual", name: "" } as const;
  for (let turn = 0; turn < 40; turn++) {
    const reports = addresses.map((address) => ({
      ...report,
      address,
      provenance,
      isInForce: turn % 2 === 0,
    }));
    bans.take({ addresses, reports, positions: new Map(), members: [] });
  }
  assert.equal(temporary.state.fleet.followed(), 0);
  assert.equal(log.lines.length, 101);
  assert.match(log.lines.at(-1)!, /the fleet's bans change often/);
});

Deno.test("the program lifts bans of other servers when it is to follow none any more", async () => {
  await using scene = new Scene();
  scene.configure({ ...CONFIG, unban_command: "./ban %s" });
  Deno.mkdirSync(scene.stateDirectory);
  const state = new State(scene.stateDirectory);
  const ban = { scope: "all", reason: "x", count: 1, start: now(), until: null } as const;
  state.bans.add({ ...ban, address: "203.0.113.1", provenance: { kind: "fleet", name: "web1" } });
  state.bans.add({ ...ban, address: "203.0.113.2", provenance: MANUAL });
  state.close();
  scene.start();
  await scene.said(/lifting 1 ban of other servers: this one follows none any more/);
  await eventually(() => scene.banned().length > 0);
  assert.deepEqual(scene.ask(({ bans }) => bans.inForce().map(({ address }) => address)), ["203.0.113.2"]);
});
