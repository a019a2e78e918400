import { strict as assert } from "node:assert";
import {
  ask,
  banned,
  failedPassword,
  LIMIT,
  scene,
  startDatabase,
  untilRunning,
  untilSaid,
} from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { until } from "./world.ts";

const RULE = { name: "failed_password", str: "Failed password for", limit: LIMIT, window: "10m" };

/** Adds lines to the world's /etc/hosts. */
async function addHosts(server: Server, ...lines: string[]): Promise<void> {
  const hosts = await server.world.sh("cat", "/etc/hosts");
  await server.world.write("/etc/hosts", hosts + lines.map((line) => `${line}\n`).join(""));
}

scene(
  "the stock program reads logs below /var/log, resolves names and runs nftables",
  async (server) => {
    const log = "/var/log/apps/mail/2026/smtp.log";
    await server.world.sh("install", "-D", "-m", "644", "/dev/null", log);
    await server.world.write("/etc/strongmonitor/friends.list", "laptop.example.org # mine\n");
    await addHosts(server, `${CLIENTS.two} office.example.org`, `${CLIENTS.six} laptop.example.org`);
    const configure = (whitelist: string[]) =>
      server.configure(JSON.stringify({
        firewall: "nftables",
        nft_command: "sudo -n /opt/nft.sh",
        whitelist,
        whitelist_files: "friends.list",
        modules: {
          SMTP: {
            match: { file: "/var/log/apps/*/2026/*.log" },
            pattern: "^login failed from <ADDR>$",
            rules: [{ name: "failed", limit: LIMIT }],
          },
        },
      }));
    await configure(["office.example.org"]);
    const monitor = server.startMonitor();
    await untilRunning(server);
    const fail = (address: string) => `login failed from ${address}\n`.repeat(LIMIT + 1);
    await server.world.write(log, [CLIENTS.two, CLIENTS.six, CLIENTS.one].map(fail).join(""));
    await untilBanned(server, [CLIENTS.one]);

    // A reload alone removes a name and adds another.
    await addHosts(server, `${CLIENTS.friend} home.example.org`);
    await configure(["home.example.org"]);
    monitor.kill("SIGHUP");
    await untilSaid(server, RegExp(`whitelisting home\\.example\\.org: ${CLIENTS.friend}$`));
    await server.world.sh("sh", "-c", `cat >> ${log} << end\n${fail(CLIENTS.friend)}${fail(CLIENTS.two)}end`);
    await untilBanned(server, [CLIENTS.one, CLIENTS.two]);
  },
);

async function untilBanned(server: Server, expected: readonly string[]): Promise<void> {
  await until(
    `bans of ${expected.join(" and ")}`,
    async () => String(await banned(server)) === String(expected.toSorted()) || undefined,
  );
}

/** Gives PostgreSQL on loopback a socket in the world: its own is outside. */
async function serveSocket(server: Server): Promise<void> {
  await server.world.sh("install", "-d", "-m", "2775", "/run/postgresql");
  const proxy = ["/lib/systemd/systemd-socket-proxyd", "127.0.0.1:5432"];
  server.world.spawn("systemd-socket-activate", "--listen=/run/postgresql/.s.PGSQL.5432", ...proxy);
  await until("the socket", async () => {
    const { code } = await server.world.run(["test", "-S", "/run/postgresql/.s.PGSQL.5432"]);
    return code === 0 || undefined;
  });
  await server.world.sh("chmod", "777", "/run/postgresql/.s.PGSQL.5432");
}

scene(
  "the stock program reaches a database at the host db, on this machine and by its socket",
  async (server) => {
    await using database = await startDatabase(server);
    await serveSocket(server);
    await addHosts(server, "127.0.0.1 db");
    for (const [n, host] of ["db", "localhost", "127.0.0.1:5432", "/run/postgresql"].entries()) {
      await server.configure(JSON.stringify({
        DB: { host, user: "strongmonitor", database: "strongmonitor" },
        modules: { SSHD: { rules: [RULE] } },
      }));
      const monitor = server.startMonitor();
      await untilRunning(server);
      const address = `192.0.2.${n + 1}`;
      await server.world.run(["logger", "--tag=sshd"], failedPassword(address, n));
      await until(`the line by way of ${host}`, async () => {
        const [row] = await database.query<{ made: boolean }>(
          "SELECT to_regclass('log') IS NOT NULL AS made",
        );
        if (!row?.made) return undefined;
        return (await database.query(`SELECT FROM log WHERE address = '${address}'`)).length === 1 ||
          undefined;
      });
      // The monitor reports every two seconds.
      await until(`status to tell of ${host}`, async () => {
        const [status] = await ask<{ database: { connected: boolean } }>(server, "status");
        return status?.database.connected || undefined;
      });
      monitor.kill("SIGTERM");
      await monitor.status;
    }
  },
  ["/lib/systemd/systemd-socket-proxyd", "/usr/bin/systemd-socket-activate"],
);

scene("missing programs cause no message of Deno, and PATH has no effect", async (server) => {
  await server.configure(JSON.stringify({
    firewall: "nftables",
    nft_command: "nft",
    modules: { SSHD: { rules: [RULE] } },
  }));
  const check = (...environment: string[]) =>
    server.world.run(["env", ...environment, server.unit.program, "check"]);
  for (const path of ["/usr/bin:/bin", "/nowhere", "/sbin:/bin:/usr/sbin:/usr/bin"]) {
    const { code, stderr } = await check(`PATH=${path}`);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" }, path);
  }
  await server.world.sh(
    "rm",
    "/usr/bin/getent",
    "/usr/bin/ip",
    "/usr/sbin/ip",
    "/usr/bin/sudo",
    "/usr/sbin/nft",
  );
  const { code, stdout, stderr } = await check();
  assert.deepEqual({ code, stderr }, { code: 1, stderr: "" }, stdout);
  assert.match(stdout, /^Problem: nft_command cannot run nft: it is not installed$/m);
});
