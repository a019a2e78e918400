import { strict as assert } from "node:assert";
import { attack, login } from "./client.ts";
import { inKernel } from "./kernel.ts";
import { banned, fakeAttack, LIMIT, RULE, scene, untilRunning, untilSaid } from "./scene.ts";
import { CLIENTS, SERVER, type Server } from "./server.ts";
import { startNginx } from "./web.ts";
import { type Daemon, until } from "./world.ts";

const LOG = "/var/log/nginx/auth.log";

/** Configures bans by nftables, by sshd's lines in the journal or in a file. */
function configure(server: Server, { isFile = false, ...keys }: Record<string, unknown> = {}): Promise<void> {
  const rules = [isFile ? { ...RULE, limit: 1 } : RULE];
  return server.configure(JSON.stringify({
    firewall: "nftables",
    nft_command: "sudo -n /opt/nft.sh",
    modules: { SSHD: { ...isFile ? { match: { file: LOG } } : {}, rules } },
    ...keys,
  }));
}

/** Returns the number of nft's transactions since the last call. */
async function transactions(server: Server): Promise<number> {
  const { stdout } = await server.world.run(["cat", "/run/nft_transactions"]);
  await server.world.run(["rm", "-f", "/run/nft_transactions"]);
  return stdout.length;
}

function untilHeld(server: Server, count: number): Promise<true> {
  return until(
    `${count} bans in the kernel`,
    async () => (await inKernel(server)).size === count || undefined,
  );
}

async function kill(monitor: Daemon): Promise<void> {
  monitor.kill("SIGKILL");
  await monitor.status;
}

/** Returns addresses of a network of 65,536. */
function addresses(count: number, network = 10): string[] {
  return Array.from({ length: count }, (_, i) => `${network}.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
}

scene(
  "10,000 addresses are banned in a burst, and 110,000 restored at a start, in few transactions",
  async (server) => {
    await server.world.sh("install", "-d", "-m", "755", "/var/log/nginx");
    await server.world.write(LOG, "");
    await configure(server, { isFile: true });
    const monitor = server.startMonitor();
    await untilRunning(server);
    await transactions(server);
    const attackers = addresses(10_000);
    const began = performance.now();
    const lines = attackers.map((address) =>
      `Failed password for root from ${address} port 22 ssh2\n`.repeat(2)
    );
    await server.world.write(LOG, lines.join(""));
    await untilHeld(server, 10_000);
    const burst = performance.now() - began;
    const calls = await transactions(server);
    // Bans gather for at most 0.2 s, and a slow machine reads longer than that.
    const most = Math.max(5, 2 + burst / 200);
    assert.ok(calls <= most, `${calls} transactions in ${burst} ms`);
    assert.deepEqual([...(await inKernel(server)).keys()].sort(), attackers.toSorted());
    await kill(monitor);

    const more = addresses(100_000, 11).join("\n");
    const { code, stderr } = await server.world.run([
      server.unit.program,
      "bans",
      "--import",
      "-",
      "--for",
      "1h",
    ], more);
    assert.equal(code, 0, stderr);
    await server.world.sh("nft", "flush", "ruleset");
    await transactions(server);
    const started = performance.now();
    server.startMonitor();
    await untilHeld(server, 110_000);
    const restore = performance.now() - started;
    const told = await transactions(server);
    assert.ok(told <= 40, `${told} transactions`);
    const each = await oneByOne(server, 200);
    const per = (milliseconds: number, count: number) =>
      `${(1_000 * milliseconds / count).toFixed(0)} µs a ban`;
    console.log(
      `10,000 in a burst: ${per(burst, 10_000)} from the log; 110,000 at a start: ${
        per(restore, 110_000)
      }; ` +
        `a process for each ban, as others do: ${per(each, 200)}`,
    );
  },
);

/** Measures the milliseconds of as many bans with one process each. */
async function oneByOne(server: Server, count: number): Promise<number> {
  await server.world.sh(
    "nft",
    "add table inet other; add set inet other s { type ipv4_addr; flags timeout; }",
  );
  const script = `for i in $(seq ${count}); do nft add element inet other s "{ 12.0.0.$i timeout 1h }"; done`;
  const began = performance.now();
  await server.world.sh("sh", "-c", script);
  return performance.now() - began;
}

scene(
  "a ban cuts off open connections to this machine and through it, and survives every trouble",
  async (server) => {
    await startNginx(server);
    await server.world.write("/srv/www/slow", "x".repeat(1_000_000));
    await addContainer(server);
    await configure(server, { "whitelist": [CLIENTS.friend] });
    let monitor = server.startMonitor();
    await untilRunning(server);
    const here = download(server, CLIENTS.one, SERVER.ipv4);
    const through = download(server, CLIENTS.one, CONTAINER);
    await until("both downloads to run", async () => {
      const { stdout } = await server.world.run(["ss", "-Htn", "state", "established", "sport = :80"]);
      const inside = await server.world.run([
        "ip",
        "netns",
        "exec",
        "inner",
        "ss",
        "-Htn",
        "state",
        "established",
      ]);
      return stdout.includes(CLIENTS.one) && inside.stdout.includes(CLIENTS.one) || undefined;
    });
    const { cutOff } = await attack(server, CLIENTS.one, 20 * LIMIT);
    assert.ok(cutOff);
    assert.deepEqual([await here, await through], [STALLED, STALLED]);
    assert.deepEqual(await banned(server), [CLIENTS.one]);

    await server.world.sh("nft", "flush", "ruleset");
    await untilSaid(server, /1 ban was gone from the firewall: putting it back/);
    await untilHeld(server, 1);
    assert.equal(await wrongPassword(server), "cut off");

    await kill(monitor);
    assert.equal(await wrongPassword(server), "cut off", "bans hold without the monitor");
    await server.world.sh("nft", "delete", "table", "inet", "strongmonitor");
    monitor = server.startMonitor();
    await untilHeld(server, 1);
    assert.equal(await wrongPassword(server), "cut off");

    await configure(server, { unban_on_stop: true });
    monitor.kill("SIGHUP");
    await untilSaid(server, /reloaded/);
    assert.equal(await wrongPassword(server), "cut off", "a reload lifts nothing");
    monitor.kill("SIGTERM");
    assert.equal((await monitor.status).code, 0);
    assert.equal((await inKernel(server)).size, 0, "unless asked");
  },
);

const CONTAINER = "203.0.113.2";
/** curl's exit code for a stalled download. */
const STALLED = 28;

/** Makes a namespace with nginx behind this machine, like a container. */
async function addContainer(server: Server): Promise<void> {
  const ip = (command: string) => server.world.sh("ip", ...command.split(" "));
  await ip("netns add inner");
  await ip("link add bridge0 type veth peer name eth0 netns inner");
  await ip("address add 203.0.113.1/24 dev bridge0");
  await ip("link set bridge0 up");
  await ip(`-netns inner address add ${CONTAINER}/24 dev eth0`);
  await ip("-netns inner link set eth0 up");
  await ip("-netns inner route add default via 203.0.113.1");
  await ip(`-netns outside route add 203.0.113.0/24 via ${SERVER.ipv4}`);
  await server.world.sh("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  const configuration = await server.world.sh("sed", "s/nginx.pid/inner.pid/", "/etc/nginx/world.conf");
  await server.world.write("/etc/nginx/inner.conf", configuration);
  server.world.spawn("ip", "netns", "exec", "inner", "/usr/sbin/nginx", "-c", "/etc/nginx/inner.conf");
  await until("nginx inside", async () => {
    const { stdout } = await server.world.run(["ip", "netns", "exec", "inner", "ss", "-Htln", "sport = :80"]);
    return stdout !== "" || undefined;
  });
}

/** Downloads slowly from `host`. Returns curl's exit code at its end, or after 3 s without data. */
async function download(server: Server, from: string, host: string): Promise<number> {
  const options = ["--silent", "--output", "/dev/null", "--speed-limit", "1", "--speed-time", "3"];
  const curl = ["curl", ...options, "--interface", from, `http://${host}/slow`];
  return (await server.world.run(["ip", "netns", "exec", "outside", ...curl])).code;
}

function wrongPassword(server: Server): Promise<string> {
  return login(server, CLIENTS.one, { user: "root", password: "guess" });
}

scene("bans of a trial that nobody confirms end by themselves, and so does the monitor", async (server) => {
  await configure(server);
  const start = (...words: string[]) =>
    server.world.spawn("systemd-cat", "--identifier=strongmonitor", ...server.unit.start, ...words);
  const before = start();
  await untilRunning(server);
  assert.equal((await server.cli("ban", "192.0.2.60", "--for", "5h")).code, 0);
  await untilHeld(server, 1);
  before.kill("SIGTERM");
  await before.status;
  const monitor = start("--trial", "25s");
  await untilRunning(server);
  await fakeAttack(server, CLIENTS.one, LIMIT + 1);
  await untilHeld(server, 2);
  for (const left of (await inKernel(server)).values()) {
    assert.ok(left !== null && left <= 25, `the kernel ends one after ${left} s`);
  }
  assert.equal(await wrongPassword(server), "cut off");
  assert.equal((await monitor.status).code, 0);
  // The kernel's own clock ends a ban from before the trial.
  await until("all bans to end", async () => (await inKernel(server)).size === 0 || undefined);
  assert.equal(await wrongPassword(server), "refused");
  const log = (await server.journal("strongmonitor")).join("\n");
  assert.match(log, /the trial is over and nobody has confirmed it/);
  assert.doesNotMatch(log, /is confirmed/);

  start("--trial", "1h");
  await untilRunning(server);
  assert.equal((await server.cli("unban", "192.0.2.60")).code, 0);
  await fakeAttack(server, CLIENTS.two, LIMIT + 1);
  await untilHeld(server, 1);
  assert.equal((await server.cli("confirm")).code, 0);
  await until("the ban to last as long as it was meant to", async () => {
    const [left] = [...(await inKernel(server)).values()];
    return left !== null && left! > 3_500 || undefined;
  });
});
