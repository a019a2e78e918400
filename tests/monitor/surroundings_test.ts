import { strict as assert } from "node:assert";
import { DAY, type Micros, SECOND } from "../../lib/core/time.ts";
import { type KeptOrigin, SURROUNDINGS } from "../../lib/deciding/whitelist.ts";
import {
  gatewaysIn,
  isOfDefaultRoute,
  nameServersIn,
  Surroundings,
  type SurroundingsSources,
  systemSources,
} from "../../lib/monitor/surroundings.ts";
import { pause } from "../../lib/core/async.ts";
import { watchOutput } from "../../lib/core/output_watch.ts";
import { eventually, memoryLog, temporaryState } from "../support/helpers.ts";
import { inNamespace, lacking } from "../support/namespace.ts";

const ROUTES = `default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.7 metric 100
default via inet6 fe80::5 dev eth0 metric 7
default via 198.51.100.1 dev eth1 table 100
default dev wg0 scope link metric 300
default metric 50
\tnexthop via 203.0.113.1 dev eth0 weight 1
\tnexthop via 2001:db8::1 dev eth1 weight 1
unreachable default dev lo metric 4294967295 error -101 pref medium
`;

Deno.test("`gatewaysIn()` reads all gateways of default routes", () => {
  assert.deepEqual(gatewaysIn(ROUTES), [
    "192.0.2.1",
    "fe80::5",
    "198.51.100.1",
    "203.0.113.1",
    "2001:db8::1",
  ]);
  assert.deepEqual(gatewaysIn(""), []);
});

Deno.test("`nameServersIn()` reads the lines of resolv.conf that count", () => {
  const text =
    "# nameserver 192.0.2.9\n;nameserver 192.0.2.9\nsearch nameserver.example\nnameserver 192.0.2.53\n" +
    "  nameserver\t2001:db8::53 # that one\nnameserver fe80::1%eth0\noptions edns0\n";
  assert.deepEqual(nameServersIn(text), ["192.0.2.53", "2001:db8::53", "fe80::1%eth0"]);
});

/** A machine whose answers can be set. */
class Scene implements Disposable {
  readonly temporary = temporaryState();
  readonly log = memoryLog();
  now: Micros = 1_800_000_000 * SECOND;
  changes = 0;
  routes: string | null = null;
  resolvers: string | null = null;
  /** Of IPv6. */
  otherRoutes: string | null = "";
  readonly sources: SurroundingsSources = {
    routes: () => Promise.resolve({ "ip -4": this.routes, "ip -6": this.otherRoutes }),
    resolvers: () => ({ "/etc/resolv.conf": this.resolvers }),
    watch: (changed) => {
      this.routesChanged = changed;
      return Promise.resolve();
    },
  };
  routesChanged = () => {};

  open(database: string | null = null): Surroundings {
    const { temporary: { state }, log, sources } = this;
    const changed = () => void this.changes++;
    return new Surroundings({ state, log, clock: () => this.now, sources, database, changed });
  }

  /** What the state whitelists, as of now. */
  get listed(): Record<string, string[]> {
    const of = (origin: KeptOrigin) =>
      this.temporary.state.whitelist(origin, this.now).map(({ address }) => address);
    return Object.fromEntries(SURROUNDINGS.map((origin) => [origin, of(origin).sort()]));
  }

  /** Asks the system once. */
  async look(surroundings: Surroundings): Promise<void> {
    const stop = new AbortController();
    const following = surroundings.follow(stop.signal);
    await eventually(() => surroundings.isKnown);
    stop.abort();
    await following;
  }

  [Symbol.dispose](): void {
    this.temporary[Symbol.dispose]();
  }
}

Deno.test("`Surroundings` whitelists gateways, name servers and the database's host", async () => {
  using scene = new Scene();
  scene.routes = "default via 192.0.2.1 dev eth0";
  scene.resolvers = "nameserver 127.0.0.53\nnameserver 192.0.2.53";
  const surroundings = scene.open("198.51.100.5");
  assert.equal(surroundings.isKnown, false);
  await scene.look(surroundings);
  const all = { "gateway": ["192.0.2.1"], "name server": ["192.0.2.53"], "database host": ["198.51.100.5"] };
  assert.deepEqual(scene.listed, all);
  const { changes } = scene;
  await scene.look(surroundings);
  assert.equal(scene.changes, changes, "nothing new is no change");
});

Deno.test("`Surroundings` asks again when routes change", async () => {
  using scene = new Scene();
  scene.routes = "default via 192.0.2.1 dev eth0";
  const stop = new AbortController();
  const following = scene.open().follow(stop.signal);
  await eventually(() => scene.listed.gateway!.length > 0);
  scene.routes = "default via 192.0.2.9 dev eth0";
  scene.routesChanged();
  await eventually(() => scene.listed.gateway!.includes("192.0.2.9"));
  stop.abort();
  await following;
});

Deno.test("`Surroundings` takes no answer for no news, after a start too", async () => {
  using scene = new Scene();
  scene.routes = "default via 192.0.2.1 dev eth0";
  scene.resolvers = "nameserver 192.0.2.53";
  const first = scene.open("db.example.org");
  first.note("database host", ["198.51.100.5"]);
  await scene.look(first);
  const before = scene.listed;
  for (const nothing of [null, "", "default dev wg0 scope link"]) {
    scene.routes = scene.resolvers = nothing;
    scene.now += 30 * DAY;
    await scene.look(scene.open("db.example.org"));
    assert.deepEqual(scene.listed, before, String(nothing));
  }
});

Deno.test("`Surroundings` keeps for a day who is no longer found beside others", async () => {
  using scene = new Scene();
  const surroundings = scene.open();
  scene.routes = "default via 192.0.2.1 dev eth0";
  await scene.look(surroundings);
  scene.routes = "default via 192.0.2.2 dev eth1";
  await scene.look(surroundings);
  assert.deepEqual(scene.listed.gateway, ["192.0.2.1", "192.0.2.2"]);
  scene.now += DAY - SECOND;
  await scene.look(surroundings);
  assert.deepEqual(scene.listed.gateway, ["192.0.2.1", "192.0.2.2"]);
  scene.now += 2 * SECOND;
  assert.deepEqual(scene.listed.gateway, ["192.0.2.2"]);
});

Deno.test("`Surroundings` lets nobody go whose source does not answer while another does, after a start too", async () => {
  using scene = new Scene();
  scene.routes = "default via 192.0.2.1 dev eth0";
  scene.otherRoutes = "default via 2001:db8::1 dev eth0\ndefault via 192.0.2.1 dev eth0";
  await scene.look(scene.open());
  const all = ["192.0.2.1", "2001:db8::1"];
  for (const routes of ["default via 192.0.2.1 dev eth0", "default via 192.0.2.2 dev eth0"]) {
    Object.assign(scene, { routes, otherRoutes: null });
    await scene.look(scene.open());
    scene.now += 2 * DAY;
    assert.deepEqual(scene.listed.gateway!.filter((address) => address !== "192.0.2.2"), all);
  }
  scene.otherRoutes = "";
  await scene.look(scene.open());
  scene.now += 2 * DAY;
  assert.deepEqual(scene.listed.gateway, ["192.0.2.2"]);
});

Deno.test("`Surroundings` goes on where a source throws", async () => {
  using scene = new Scene();
  const surroundings = scene.open();
  const { sources } = scene;
  scene.resolvers = "nameserver 192.0.2.53";
  Object.assign(sources, { routes: () => Promise.reject(new Error("no more processes")) });
  await scene.look(surroundings);
  assert.deepEqual(scene.listed["name server"], ["192.0.2.53"]);
  assert.match(scene.log.lines.join(), /^warn: Cannot look for gateways .*no more processes$/);
});

Deno.test("`Surroundings` lets go of the host of a database that is configured no longer", () => {
  using scene = new Scene();
  scene.open("198.51.100.5");
  assert.deepEqual(scene.listed["database host"], ["198.51.100.5"]);
  scene.open(null);
  assert.deepEqual(scene.listed["database host"], []);
});

Deno.test("`Surroundings` goes on where the state cannot be written", async () => {
  using scene = new Scene();
  const surroundings = scene.open();
  const { state } = scene.temporary;
  const { replaceWhitelist: write, whitelist: read } = state;
  state.replaceWhitelist = state.whitelist = () => {
    throw new Error("database is locked");
  };
  scene.routes = "default via 192.0.2.1 dev eth0";
  await scene.look(surroundings);
  Object.assign(state, { replaceWhitelist: write, whitelist: read });
  assert.deepEqual(scene.listed.gateway, []);
  await scene.look(surroundings);
  assert.deepEqual(scene.listed.gateway, ["192.0.2.1"]);
});

Deno.test("`isOfDefaultRoute()` tells the lines of `ip monitor` about default routes from others", () => {
  const lines: Record<string, boolean> = {
    "default via 192.0.2.1 dev eth0 proto dhcp metric 100 ": true,
    "Deleted default via 192.0.2.1 dev eth0 ": true,
    "default metric 9 ": true,
    "\tnexthop via 192.0.2.5 dev v0 weight 1 ": false,
    "unreachable default dev lo metric 4294967295 error -101": true,
    "Deleted unreachable default dev lo metric 1": true,
    "198.51.100.0/24 via 192.0.2.1 dev eth0 ": false,
    "local 192.0.2.2 dev eth0 table local proto kernel scope host src 192.0.2.2 ": false,
    "fe80::/64 dev default proto kernel metric 256 pref medium": false,
  };
  for (const [line, isDefault] of Object.entries(lines)) {
    assert.equal(isOfDefaultRoute(line), isDefault, line);
  }
});

Deno.test({
  name: "`ip monitor` tells of a new default route",
  ignore: lacking("ip"),
  fn: () =>
    inNamespace(async (run, namespace) => {
      const ip = (...words: string[]) => run(["ip", ...words]);
      await ip("link", "add", "v0", "type", "veth", "peer", "name", "v1");
      for (const link of ["v0", "v1"]) await ip("link", "set", link, "up");
      await ip("addr", "add", "192.0.2.2/24", "dev", "v0");
      const stop = new AbortController();
      let count = 0;
      const told = (lines: readonly string[]) => void (count += lines.filter(isOfDefaultRoute).length);
      const argv = ["ip", "netns", "exec", namespace, "ip", "monitor", "route"];
      const watching = watchOutput(argv, { told, missed: () => {}, signal: stop.signal });
      // It is not known when it has begun to listen.
      for (let i = 0; count === 0 && i < 100; i++) {
        await ip("route", "replace", "default", "via", `192.0.2.${3 + i}`);
        await pause(50);
      }
      stop.abort();
      await watching;
      assert.ok(count > 0);
    }),
});

Deno.test({
  name: "`ip route` tells the gateways of all tables as `gatewaysIn()` reads them",
  ignore: lacking("ip"),
  fn: () =>
    inNamespace(async (run) => {
      const ip = (...words: string[]) => run(["ip", ...words]);
      await ip("link", "set", "lo", "up");
      await ip("link", "add", "v0", "type", "veth", "peer", "name", "v1");
      for (const link of ["v0", "v1"]) await ip("link", "set", link, "up");
      for (const address of ["192.0.2.2/24", "198.51.100.2/24"]) {
        await ip("addr", "add", address, "dev", "v0");
      }
      await ip("addr", "add", "2001:db8::2/64", "dev", "v0", "nodad");
      await ip("route", "add", "default", "via", "192.0.2.1");
      await ip("route", "add", "default", "via", "192.0.2.9", "table", "100");
      await ip(
        "route",
        "add",
        "default",
        "metric",
        "9",
        "nexthop",
        "via",
        "198.51.100.3",
        "nexthop",
        "via",
        "192.0.2.4",
      );
      await ip("-6", "route", "add", "default", "via", "2001:db8::1");
      const routes = async (family: string) =>
        gatewaysIn((await ip(family, "route", "show", "table", "all", "default")).stdout).sort();
      assert.deepEqual(await routes("-4"), ["192.0.2.1", "192.0.2.4", "192.0.2.9", "198.51.100.3"]);
      assert.deepEqual(await routes("-6"), ["2001:db8::1"]);
    }),
});

Deno.test(
  "`systemSources()` answers on this machine without a complaint",
  { ignore: lacking("ip") },
  async () => {
    const log = memoryLog();
    const sources = systemSources(log);
    const { "ip -4": routes } = await sources.routes(new AbortController().signal);
    assert.equal(typeof routes, "string");
    assert.equal(typeof sources.resolvers()["/etc/resolv.conf"], "string");
    assert.deepEqual(log.lines, []);
  },
);

Deno.test("`systemSources()` says once of each family of addresses why its routes are unknown", async () => {
  const log = memoryLog();
  const run = ([, family]: readonly string[]) =>
    Promise.resolve({ output: "", error: `no ${family}`, words: "", uncertain: false });
  const sources = systemSources(log, { run });
  for (let round = 0; round < 3; round++) await sources.routes(new AbortController().signal);
  assert.equal(log.lines.length, 2);
});
