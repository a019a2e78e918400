import { NEVER } from "../../lib/core/async.ts";
import { strict as assert } from "node:assert";
import { SECOND } from "../../lib/core/time.ts";
import { NftablesFirewall } from "../../lib/firewall/nftables.ts";
import { type Ban, nameOf } from "../../lib/deciding/ban.ts";
import { nftBan, NOW, runningClock } from "../support/nft_bans.ts";
import { eventually, script } from "../support/helpers.ts";

function ip(...args: string[]): { code: number; out: string } {
  const { code, stdout } = new Deno.Command("ip", { args, stderr: "null" }).outputSync();
  return { code, out: new TextDecoder().decode(stdout) };
}

function hasNamespaces(): boolean {
  try {
    const name = `sm-probe-${Deno.pid}`;
    return ip("netns", "add", name).code === 0 &&
      ip("netns", "exec", name, "nft", "list", "ruleset").code === 0 &&
      ip("netns", "del", name).code === 0;
  } catch {
    return false;
  }
}

const ignore = !hasNamespaces();
let made = 0;

interface Scene {
  /** Names of the two namespaces. */
  readonly own: string;
  readonly other: string;
  readonly firewall: NftablesFirewall;
  /** Runs a program in the namespace that is protected. */
  inside(...argv: string[]): { code: number; out: string };
  /** Runs one outside of it, where 192.0.2.2, 192.0.2.3 and 2001:db8::2 are. */
  peer(...argv: string[]): { code: number; out: string };
}

async function withNft(work: (scene: Scene) => Promise<void>): Promise<void> {
  const own = `sm-nft-${Deno.pid}-${++made}`, other = `${own}-peer`;
  const inside = (...argv: string[]) => ip("netns", "exec", own, ...argv);
  const peer = (...argv: string[]) => ip("netns", "exec", other, ...argv);
  ip("netns", "add", own);
  ip("netns", "add", other);
  try {
    ip("link", "add", "v0", "netns", own, "type", "veth", "peer", "name", "v0", "netns", other);
    for (const [name, hosts] of [[own, ["1"]], [other, ["2", "3"]]] as const) {
      ip("-n", name, "link", "set", "lo", "up");
      ip("-n", name, "link", "set", "v0", "up");
      for (const host of hosts) ip("-n", name, "addr", "add", `192.0.2.${host}/24`, "dev", "v0");
      ip("-n", name, "addr", "add", `2001:db8::${hosts[0]}/64`, "dev", "v0", "nodad");
    }
    const command = ["ip", "netns", "exec", own, "nft"];
    await work({
      firewall: new NftablesFirewall({ command, timeout: 60 * SECOND, clock: runningClock() }),
      own,
      other,
      inside,
      peer,
    });
  } finally {
    ip("netns", "del", own);
    ip("netns", "del", other);
  }
}

function nftTest(name: string, work: (scene: Scene) => Promise<void>): void {
  Deno.test({ name: `nftables: ${name}`, ignore, fn: () => withNft(work) });
}

/** A connection that is refused was let through: nobody listens. Only one that is dropped runs out of time (curl(1): 28). */
function reaches({ peer }: Scene, target: string, source: string, port = 80): boolean {
  const url = `http://${target.includes(":") ? `[${target}]` : target}:${port}`;
  const { code } = peer(
    "curl",
    "-g",
    "-s",
    "--noproxy",
    "*",
    "--connect-timeout",
    "1",
    "--interface",
    source,
    url,
  );
  assert.ok(code === 7 || code === 28, `curl: exit status ${code}`);
  return code === 7;
}

async function done(firewall: NftablesFirewall, bans: Ban[], what: "ban" | "unban" = "ban"): Promise<void> {
  const outcomes = await firewall[what](bans, NEVER);
  assert.deepEqual(outcomes, bans.map(({ address }) => ({ address, error: null })));
}

/** What differs, by the names of the bans. */
async function inspect(firewall: NftablesFirewall, bans: readonly Ban[]) {
  const { missing, stray } = await firewall.inspect(bans, NEVER);
  return { missing: missing.map(nameOf), stray: stray.map(nameOf).sort((a, b) => b.length - a.length) };
}

const RIGHT = { missing: [], stray: [] };

nftTest("a banned address gets nothing through, others do, and unban lets it in again", async (scene) => {
  const { firewall } = scene;
  assert.ok(reaches(scene, "192.0.2.1", "192.0.2.2"));
  await done(firewall, [nftBan("192.0.2.2", 600), nftBan("2001:db8::2", 600)]);
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.2"));
  assert.ok(reaches(scene, "192.0.2.1", "192.0.2.3"));
  assert.ok(!reaches(scene, "2001:db8::1", "2001:db8::2"));
  await done(firewall, [nftBan("192.0.2.2")], "unban");
  await done(firewall, [nftBan("192.0.2.2")], "unban");
  assert.ok(reaches(scene, "192.0.2.1", "192.0.2.2"));
});

nftTest("networks around one another keep ends of their own", async (scene) => {
  const bans = [
    nftBan("192.0.2.2", 100),
    nftBan("192.0.2.0/24", 200),
    nftBan("192.0.0.0/8"),
    nftBan("2001:db8::/48", 4e9),
  ];
  await done(scene.firewall, bans);
  assert.deepEqual(await inspect(scene.firewall, bans), RIGHT);
  await done(scene.firewall, bans.slice(2), "unban");
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.3"));
  await done(scene.firewall, [bans[1]!], "unban");
  assert.ok(reaches(scene, "192.0.2.1", "192.0.2.3"));
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.2"));
});

nftTest("a ban of what is banned moves its end", async ({ firewall }) => {
  for (const now of [nftBan("192.0.2.2", 100), nftBan("192.0.2.2", 9_999), nftBan("192.0.2.2")]) {
    await done(firewall, [now]);
    assert.deepEqual(await inspect(firewall, [now]), RIGHT);
  }
  const other = nftBan("192.0.2.2", 100);
  assert.deepEqual(await inspect(firewall, [other]), { missing: ["192.0.2.2"], stray: [] });
  await done(firewall, [nftBan("192.0.2.2", -5)]);
  assert.deepEqual(await inspect(firewall, []), RIGHT);
});

nftTest(
  "a banned neighbour is found on the link for all that, and a damaged table lets it be",
  async (scene) => {
    const { firewall, inside, other } = scene;
    // The other machine is a router, too: what lies behind it is reached by its link-local address.
    ip("-n", other, "addr", "add", "2001:db8:1::1/128", "dev", "lo");
    ip("-n", other, "addr", "add", "fe80::1/64", "dev", "v0", "nodad");
    inside("ip", "-6", "route", "add", "2001:db8:1::/64", "via", "fe80::1", "dev", "v0");
    const call = (target: string) =>
      inside("curl", "-g", "-s", "--noproxy", "*", "--connect-timeout", "1", `http://[${target}]:80`).code;
    // Nobody listens: a connection that is refused came through.
    const isBehindReached = () => call("2001:db8:1::1") === 7;
    const isFound = (neighbour: string, zone = "") => {
      inside("ip", "-6", "neigh", "flush", "dev", "v0");
      call(neighbour + zone);
      return /lladdr/.test(inside("ip", "-6", "neigh", "show", neighbour, "dev", "v0").out);
    };
    const bans = [nftBan("fe80::1", 600), nftBan("fe80::/10", 600), nftBan("2001:db8::2", 600)];
    await done(firewall, bans);
    assert.ok(!reaches(scene, "2001:db8::1", "2001:db8::2"));
    assert.ok(isFound("2001:db8::2"));
    assert.ok(isFound("fe80::1", "%25v0"));
    assert.ok(isBehindReached());
    const rule = inside("nft", "-a", "list", "chain", "inet", "strongmonitor", "input").out;
    const handle = /icmpv6.* handle (\d+)/.exec(rule)![1]!;
    inside("nft", "delete", "rule", "inet", "strongmonitor", "input", "handle", handle);
    assert.ok(!isFound("2001:db8::2"));
    assert.deepEqual((await inspect(firewall, bans)).missing, bans.map(nameOf));
    await done(firewall, bans);
    assert.deepEqual(await inspect(firewall, bans), RIGHT);
    assert.ok(isFound("2001:db8::2"));
  },
);

nftTest(
  "bans of one address by several scopes have ends of their own and are lifted one by one",
  async (scene) => {
    const { firewall } = scene;
    const [ssh, web, whole] = [
      nftBan("192.0.2.2", null, "tcp 22"),
      nftBan("192.0.2.2", 900, "tcp 22,80"),
      nftBan("192.0.2.2"),
    ];
    const open = () => [22, 80, 443].filter((port) => reaches(scene, "192.0.2.1", "192.0.2.2", port));
    await done(firewall, [ssh, web, whole]);
    assert.deepEqual(await inspect(firewall, [ssh, web, whole]), RIGHT);
    assert.deepEqual(await inspect(firewall, [web]), {
      missing: [],
      stray: ["192.0.2.2 (tcp 22)", "192.0.2.2"],
    });
    assert.deepEqual(open(), []);
    await done(firewall, [whole], "unban");
    assert.deepEqual(open(), [443]);
    await done(firewall, [web], "unban");
    assert.deepEqual(open(), [80, 443]);
    assert.deepEqual(await inspect(firewall, [ssh]), RIGHT);
  },
);

nftTest("a scope leaves the rest of the traffic alone", async (scene) => {
  await done(scene.firewall, [nftBan("192.0.2.2", 600, "tcp 22,8000-8010"), nftBan("192.0.2.3", 600, "udp")]);
  const open = [21, 22, 23, 8000, 8010, 8011].filter((port) =>
    reaches(scene, "192.0.2.1", "192.0.2.2", port)
  );
  assert.deepEqual(open, [21, 23, 8011]);
  assert.ok(reaches(scene, "192.0.2.1", "192.0.2.3"));
  await done(scene.firewall, [nftBan("192.0.2.2", 600)]);
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.2"));
});

nftTest("a call takes one run of nft, and finds a damaged table by it all the same", async (scene) => {
  const { own, inside } = scene;
  const directory = Deno.makeTempDirSync();
  const runs = `${directory}/runs`;
  const body = `echo run >> ${runs}; exec ip netns exec ${own} nft "$@"`;
  const command = [script(directory, { name: "nft", body })];
  const firewall = new NftablesFirewall({ command, timeout: 60 * SECOND, clock: runningClock() });
  await done(firewall, [nftBan("192.0.2.3", 600)]);
  Deno.removeSync(runs);
  await done(firewall, [nftBan("192.0.2.2", 600)]);
  await done(firewall, [nftBan("192.0.2.3", 600)], "unban");
  assert.equal(Deno.readTextFileSync(runs), "run\nrun\n");
  assert.deepEqual(await inspect(firewall, [nftBan("192.0.2.2", 600)]), RIGHT);
  for (const damage of ["flush chain inet strongmonitor input", "flush ruleset"]) {
    assert.equal(inside("nft", ...damage.split(" ")).code, 0);
    await done(firewall, [nftBan("192.0.2.2", 600)]);
    assert.deepEqual(await inspect(firewall, [nftBan("192.0.2.2", 600)]), RIGHT, damage);
  }
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.2"));
  Deno.removeSync(directory, { recursive: true });
});

nftTest(
  "what a reload of the firewall removed is missing, and comes back whole with the next call",
  async (scene) => {
    const { firewall, inside } = scene;
    const bans = [nftBan("192.0.2.2", 600), nftBan("2001:db8::/64", 600, "tcp 22")];
    await done(firewall, bans);
    const dormant = "add table inet strongmonitor { flags dormant; }";
    for (const damage of ["flush ruleset", "flush chain inet strongmonitor input", dormant]) {
      assert.equal(inside("nft", ...damage.split(" ")).code, 0);
      const { missing } = await inspect(firewall, bans);
      assert.deepEqual(missing, bans.map(nameOf), damage);
      await done(firewall, bans);
      assert.deepEqual(await inspect(firewall, bans), RIGHT, damage);
      assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.2"));
    }
  },
);

nftTest("the call that finds the table gone tells of it, once", async ({ own, inside }) => {
  const command = ["ip", "netns", "exec", own, "nft"];
  let losses = 0;
  const lost = () => void losses++;
  const firewall = new NftablesFirewall({ command, timeout: 60 * SECOND, clock: runningClock(), lost });
  const [first, second] = [nftBan("192.0.2.2", 600), nftBan("192.0.2.3", 600)];
  await done(firewall, [first]);
  for (const damage of ["flush ruleset", "delete table inet strongmonitor"]) {
    assert.equal(losses, 0);
    assert.equal(inside("nft", ...damage.split(" ")).code, 0);
    await done(firewall, [second]);
    assert.equal(losses--, 1);
    await done(firewall, [first]);
    assert.deepEqual(await inspect(firewall, [first, second]), RIGHT);
  }
  await firewall.clear(NEVER);
  await done(firewall, [first]);
  assert.equal(losses, 0);
});

nftTest("an nft without JSON will do, and tables of others that it cannot tell of", async ({ own }) => {
  const directory = Deno.makeTempDirSync();
  const refusals = { plain: "-j | --json) exit 1", poor: "-j | --json | ruleset) exit 1" };
  const bans = [
    nftBan("192.0.2.2", 600),
    nftBan("2001:db8::/64", 600, "udp"),
    nftBan("198.51.100.0/24", null, "tcp 22,80"),
  ];
  for (const [name, refusal] of Object.entries(refusals)) {
    const body = `for a in "$@"; do case $a in ${refusal};; esac; done\nexec ip netns exec ${own} nft "$@"`;
    const command = [script(directory, { name, body })];
    const firewall = new NftablesFirewall({ command, timeout: 60 * SECOND, clock: runningClock() });
    for (let round = 0; round < 2; round++) await done(firewall, bans);
    assert.deepEqual(await inspect(firewall, bans), RIGHT);
  }
  Deno.removeSync(directory, { recursive: true });
});

nftTest("a table of this name that somebody else has made is left alone, and told of", async (scene) => {
  const { firewall, inside } = scene;
  const table = "inet strongmonitor";
  const objects = [`add set ${table} friends { type ipv4_addr; }`, `add chain ${table} mine`];
  for (const object of objects) {
    for (const statement of [`add table ${table}`, object]) inside("nft", statement);
    const before = inside("nft", "list", "ruleset").out;
    const [outcome] = await firewall.ban([nftBan("192.0.2.2")], NEVER);
    assert.match(
      outcome!.error!,
      /^the table inet strongmonitor is not StrongMonitor's, as it holds the (set friends|chain mine)/,
    );
    await assert.rejects(firewall.inspect([], NEVER), /not StrongMonitor's/);
    assert.match((await firewall.clear(NEVER))!, /not StrongMonitor's/);
    assert.equal(inside("nft", "list", "ruleset").out, before);
    inside("nft", "flush", "ruleset");
  }
  await done(firewall, [nftBan("192.0.2.2")]);
  // In a table that is known to be ours nothing of others can keep bans out.
  for (const object of objects) inside("nft", object);
  await done(firewall, [nftBan("192.0.2.3")]);
  assert.ok(!reaches(scene, "192.0.2.1", "192.0.2.3"));
});

nftTest("a table without the mark in which all is ours is taken over", async ({ firewall, inside }) => {
  const bans = [nftBan("192.0.2.2", 600), nftBan("192.0.2.3", 600)];
  await done(firewall, [bans[0]!]);
  assert.equal(inside("nft", "delete chain inet strongmonitor made_by_strongmonitor").code, 0);
  await done(firewall, [bans[1]!]);
  assert.deepEqual(await inspect(firewall, bans), RIGHT);
  assert.match(inside("nft", "list", "ruleset").out, /chain made_by_strongmonitor/);
});

nftTest("nothing is missing where the list takes long to be told", async ({ firewall, own }) => {
  const bans = [nftBan("192.0.2.2", 600), nftBan("192.0.2.3", 5), nftBan("10.0.0.0/8")];
  await done(firewall, bans);
  const command = ["ip", "netns", "exec", own, "nft"];
  let calls = 0;
  const slow = new NftablesFirewall({
    command,
    timeout: 60 * SECOND,
    clock: () => NOW + 10 * SECOND * calls++,
  });
  assert.deepEqual(await inspect(slow, bans), RIGHT);
  assert.equal(calls, 2);
});

nftTest("a ban may last longer by as much as nft may take, and no longer", async ({ own }) => {
  let passed = 0;
  const firewall = new NftablesFirewall({
    command: ["ip", "netns", "exec", own, "nft"],
    timeout: 60 * SECOND,
    clock: () => NOW + passed * SECOND,
  });
  const bans = [nftBan("192.0.2.2", 600)];
  await done(firewall, bans);
  passed = 50;
  assert.deepEqual(await inspect(firewall, bans), RIGHT);
  passed = 500;
  assert.deepEqual(await inspect(firewall, bans), { missing: ["192.0.2.2"], stray: [] });
});

nftTest("ordinary calls double no rules and keep counters", async (scene) => {
  const { firewall, inside } = scene;
  await done(firewall, [nftBan("192.0.2.2", 600)]);
  reaches(scene, "192.0.2.1", "192.0.2.2");
  await done(firewall, [nftBan("192.0.2.3", 600), nftBan("10.0.0.0/8")]);
  const { out } = inside("nft", "list", "chain", "inet", "strongmonitor", "input");
  assert.equal(out.match(/drop/g)!.length, 2);
  assert.match(out, /@ip_32 counter packets [1-9]/);
});

nftTest("strays are told, and `clear()` removes everything", async ({ firewall, inside }) => {
  await done(firewall, [nftBan("192.0.2.0/24", 600)]);
  assert.deepEqual(await inspect(firewall, []), { missing: [], stray: ["192.0.2.0/24"] });
  assert.equal(await firewall.clear(NEVER), null);
  assert.equal(await firewall.clear(NEVER), null);
  assert.equal(inside("nft", "list", "ruleset").out, "");
});

nftTest("an address that nft cannot be told of does not sink the others", async ({ firewall }) => {
  const outcomes = await firewall.ban(
    [nftBan("192.0.2.2"), nftBan("x; flush ruleset"), nftBan("192.0.2.3")],
    NEVER,
  );
  assert.deepEqual(outcomes.map(({ error }) => error === null), [true, false, true]);
  assert.deepEqual(await inspect(firewall, [nftBan("192.0.2.2"), nftBan("192.0.2.3")]), RIGHT);
});

nftTest("100,000 bans can travel in one call", async ({ firewall }) => {
  const bans = Array.from(
    { length: 100_000 },
    (_, i) => nftBan(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, 86_400),
  );
  await done(firewall, bans);
  const { missing, stray } = await inspect(firewall, bans);
  assert.deepEqual([missing.length, stray.length], [0, 0]);
  await done(firewall, bans);
});

Deno.test("`NftablesFirewall` tells of an nft that fails, and of one that hangs", async () => {
  const failing = new NftablesFirewall({ command: ["false"], timeout: 5 * SECOND, clock: () => NOW });
  assert.deepEqual(await failing.ban([nftBan("192.0.2.2")], NEVER), [
    { address: "192.0.2.2", error: "false: exit status 1" },
  ]);
  const command = ["sh", "-c", "exec sleep 30"];
  const stuck = new NftablesFirewall({ command, timeout: SECOND / 5, clock: () => NOW });
  const [outcome] = await stuck.ban([nftBan("192.0.2.2")], NEVER);
  assert.match(outcome!.error!, /still running after 0.2 s$/);
  await eventually(() => stuck.parallel === 1);
});

Deno.test("`NftablesFirewall` takes no call while a comparison lists the table, but not for long", async () => {
  const directory = Deno.makeTempDirSync();
  const body = `until [ -e ${directory}/go ]; do sleep 0.02; done
    echo "Error: No such file or directory" >&2; exit 1`;
  const command = [script(directory, { name: "nft", body })];
  const firewall = new NftablesFirewall({ command, timeout: 60 * SECOND, clock: () => NOW });
  assert.equal(firewall.parallel, 1);
  const slow = firewall.inspect([], NEVER);
  assert.equal(firewall.parallel, 0, "each change would make nft list from the beginning");
  await eventually(() => firewall.parallel === 1);
  Deno.writeTextFileSync(`${directory}/go`, "");
  await slow;
  const quick = firewall.inspect([], NEVER);
  assert.equal(firewall.parallel, 0);
  await quick;
  assert.equal(firewall.parallel, 1);
  Deno.removeSync(directory, { recursive: true });
});

const SERVER = `const l = Deno.listen({ hostname: "192.0.2.1", port: 7000 }); console.log("up");
const c = await l.accept(); await c.readable.pipeTo(c.writable);`;
const CLIENT = `const c = await Deno.connect({ hostname: "192.0.2.1", port: 7000 });
const echo = async () => { await c.write(new Uint8Array(1)); return await c.read(new Uint8Array(1)); };
await echo(); console.log("connected"); await Deno.stdin.read(new Uint8Array(9));
const late = new Promise((r) => setTimeout(() => r("cut"), 1500));
console.log(await Promise.race([echo(), late])); Deno.exit();`;

nftTest("an established connection is cut", async ({ firewall, own, other }) => {
  const start = (space: string, code: string) =>
    new Deno.Command("ip", {
      args: ["netns", "exec", space, Deno.execPath(), "eval", code],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  for (const banned of [false, true]) {
    const server = start(own, SERVER), ready = server.stdout.getReader();
    await ready.read();
    const client = start(other, CLIENT),
      said = client.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await said.read()).value, "connected\n");
    if (banned) await done(firewall, [nftBan("192.0.2.2", 600)]);
    const input = client.stdin.getWriter();
    await input.write(new Uint8Array([10]));
    assert.equal((await said.read()).value, banned ? "cut\n" : "1\n");
    server.kill("SIGKILL");
    await Promise.all([input.close().catch(() => {}), server.stdin.close()]);
    await Promise.all([said.cancel(), ready.cancel(), client.status, server.status]);
  }
});
