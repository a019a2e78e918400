/** Runs the commands for other firewalls in docs/firewalls.md on the real ones. */
import { strict as assert } from "node:assert";
import { scene } from "./scene.ts";
import { CLIENTS, type Server } from "./server.ts";
import { until } from "./world.ts";

const PAGE = await Deno.readTextFile(new URL("../../docs/firewalls.md", import.meta.url));
const NETWORK = "2001:db8:1:2::/64";

/** Returns the page's text below a heading. */
function section(heading: string): string {
  const text = PAGE.split(/^### /m).find((part) => part.startsWith(`${heading}\n`));
  assert.ok(text, `docs/firewalls.md has no section ${heading}`);
  return text;
}

/** Returns the fenced blocks of a section in one language. */
function blocks(heading: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms");
  return [...section(heading).matchAll(pattern)].map(([, block]) => block!);
}

/** Runs the section's command for each address. All must succeed. */
async function run(server: Server, heading: string, key: "ban_command" | "unban_command"): Promise<void> {
  const command = new RegExp(`"${key}": "([^"]+)"`).exec(blocks(heading, "jsonc").join())![1]!;
  for (const address of [CLIENTS.one, NETWORK]) {
    await server.world.sh(...command.split(" ").map((word) => word.replace("%s", address)));
  }
}

/** Bans twice and checks the firewall; then lifts and checks again. */
async function prove(
  server: Server,
  heading: string,
  isBanned: (address: string) => Promise<boolean>,
): Promise<void> {
  const look = async () => [await isBanned(CLIENTS.one), await isBanned(NETWORK)];
  await run(server, heading, "ban_command");
  await run(server, heading, "ban_command");
  assert.deepEqual(await look(), [true, true]);
  await run(server, heading, "unban_command");
  assert.deepEqual(await look(), [false, false]);
}

/** Reports whether a command of the world succeeds. */
async function succeeds(server: Server, ...command: string[]): Promise<boolean> {
  return (await server.world.run(command)).code === 0;
}

scene("docs/firewalls.md: the commands for ipset ban and lift", async (server) => {
  const [setup, script] = blocks("iptables with ipset", "sh");
  await server.world.sh("sh", "-ec", setup!);
  await server.world.write("/opt/strongmonitor-ipset", script!, 0o755);
  await prove(
    server,
    "iptables with ipset",
    (address) =>
      succeeds(server, "ipset", "test", address.includes(":") ? "strongmonitor6" : "strongmonitor4", address),
  );
}, ["/usr/sbin/ipset", "/usr/sbin/iptables"]);

scene("docs/firewalls.md: the commands for ufw ban and lift", async (server) => {
  await server.world.sh("ufw", "--force", "enable");
  await prove(server, "ufw", async (address) => (await server.world.sh("ufw", "status")).includes(address));
}, ["/usr/sbin/ufw"]);

scene("docs/firewalls.md: the commands for firewalld ban and lift", async (server) => {
  await server.world.sh("mkdir", "-p", "/run/dbus");
  await server.world.sh("dbus-daemon", "--system", "--fork");
  server.world.spawn("firewalld", "--nofork", "--nopid");
  await until("firewalld", async () => await succeeds(server, "firewall-cmd", "--state") || undefined);
  await prove(
    server,
    "firewalld",
    (address) => succeeds(server, "firewall-cmd", "--zone=drop", `--query-source=${address}`),
  );
}, ["/usr/sbin/firewalld", "/usr/bin/dbus-daemon"]);

scene("docs/firewalls.md: the commands for routing ban and lift", async (server) => {
  await prove(server, "Routing", async (address) => {
    const family = address.includes(":") ? "-6" : "-4";
    return (await server.world.sh("ip", family, "route", "show", "type", "blackhole")).includes(address);
  });
});
