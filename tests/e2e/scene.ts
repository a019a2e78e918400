import { strict as assert } from "node:assert";
import { postgresMissing, startPostgres, type TestPostgres } from "../support/postgres_server.ts";
import { exists } from "../support/probes.ts";
import { CLIENTS, DATABASE_PASSWORD, Server } from "./server.ts";
import { until, World } from "./world.ts";

/** The program under test, made by `deno task build`. */
const BINARY = Deno.env.get("STRONGMONITOR_BIN") ?? "";
/** Programs that a world needs, as files of Debian's packages. */
const TOOLS = [
  "/usr/bin/unshare",
  "/usr/bin/nsenter",
  "/usr/bin/setpriv",
  "/usr/bin/sudo",
  "/usr/bin/ssh",
  "/usr/bin/sshpass",
  "/usr/sbin/sshd",
  "/usr/sbin/nft",
  "/usr/sbin/nginx",
  "/usr/sbin/logrotate",
  "/usr/bin/curl",
  "/usr/sbin/ip",
  "/lib/systemd/systemd-journald",
];

/** `limit` of the rules in the scenes' configuration. */
export const LIMIT = 5;
/** A rule with that limit, for scenes with another configuration. */
export const RULE = {
  name: "failed_password",
  str: "Failed password for",
  limit: LIMIT,
  window: "10m",
  ban_time: "1h",
};

/** The scenes' needs that this machine lacks, in words; "": none. */
async function lacking(): Promise<string> {
  if (BINARY === "") return "STRONGMONITOR_BIN";
  if (Deno.uid() !== 0) return "root";
  if (!await World.allowed()) return "the right to make namespaces";
  const missing = missingOf(TOOLS);
  const postgres = await postgresMissing();
  return [...missing, ...postgres === null ? [] : [postgres]].join(", ");
}

function missingOf(tools: readonly string[]): string[] {
  return tools.filter((tool) => !exists(tool)).map((tool) => tool.slice(tool.lastIndexOf("/") + 1));
}

const LACKING = await lacking();

/**
 * A test of the compiled program on a new server. If it fails, it prints the monitor's output.
 * @param more additional tools that it needs
 * @param lack other missing needs, in words; "": none
 */
export function scene(
  name: string,
  play: (server: Server) => Promise<void>,
  more: readonly string[] = [],
  lack = "",
): void {
  const lacking = LACKING || missingOf(more).join(", ") || lack;
  Deno.test({
    name: lacking === "" ? name : `${name} (needs ${lacking})`,
    ignore: lacking !== "",
    async fn() {
      await using server = await Server.start(BINARY);
      try {
        await play(server);
      } catch (error) {
        console.error((await server.journal("strongmonitor")).join("\n"));
        throw error;
      }
    },
  });
}

/** Makes another server with the compiled program. */
export function anotherServer(): Promise<Server> {
  return Server.start(BINARY);
}

/**
 * Starts PostgreSQL, of a major version if given, at the configured place, with a role that owns one
 * database and nothing else.
 */
export async function startDatabase(server: Server, version?: number): Promise<TestPostgres> {
  const postgres = await startPostgres({ port: 5432, through: server.world.network, version });
  await postgres.query(`CREATE ROLE strongmonitor LOGIN PASSWORD '${DATABASE_PASSWORD}'`, "postgres");
  await postgres.query("ALTER DATABASE strongmonitor OWNER TO strongmonitor", "postgres");
  return postgres;
}

/** Writes sshd's lines about wrong passwords from `address` to the journal, as root. */
export async function fakeAttack(server: Server, address: string, attempts: number): Promise<void> {
  const lines = Array.from({ length: attempts }, (_, n) => failedPassword(address, n)).join("");
  await server.world.run(["logger", "--tag=sshd"], lines);
}

/** Returns sshd's message about a wrong password. */
export function failedPassword(address: string, n: number): string {
  return `Failed password for root from ${address} port ${40_000 + n} ssh2\n`;
}

/** Returns the JSON of a command, one object a line. */
export async function ask<T>(server: Server, ...words: string[]): Promise<T[]> {
  const { stdout } = await server.cli(...words, "--json");
  return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** Returns the addresses whose bans are in force. */
export async function banned(server: Server): Promise<string[]> {
  const bans = await ask<{ address: string }>(server, "bans");
  return bans.map(({ address }) => address).sort();
}

/** Waits until the firewall drops traffic from `address`, or accepts it again. */
export async function untilDropped(server: Server, address: string, dropped = true): Promise<void> {
  await until(`${address} to be ${dropped ? "dropped" : "let in"}`, async () => {
    const set = address.includes(":") ? "banned6" : "banned4";
    const { code } = await server.world.run([
      "nft",
      "get",
      "element",
      "inet",
      "world",
      set,
      `{ ${address} }`,
    ]);
    return (code === 0) === dropped || undefined;
  });
}

/** Waits until the program reports that it runs. */
export async function untilRunning(server: Server): Promise<void> {
  await until("the monitor to say something", async () => {
    return (await server.journal("strongmonitor")).length > 0 || undefined;
  });
  await until("the monitor to run", async () => {
    const [status] = await ask<{ running: boolean; sources: unknown[] }>(server, "status");
    return status?.running && status.sources.length > 0 || undefined;
  });
}

/** Waits until the monitor has logged a line that matches `pattern`. */
export async function untilSaid(server: Server, pattern: RegExp): Promise<void> {
  await until(`the monitor to say ${pattern}`, async () => {
    const lines = await server.journal("strongmonitor");
    return lines.some((line) => pattern.test(line)) || undefined;
  });
}

/** Returns a line about an address as text to sort and compare. */
type Line = string;

/** Waits until PostgreSQL has each of sshd's lines about our clients or `others` exactly once. */
export async function assertRecordedOnce(
  server: Server,
  database: TestPostgres,
  others: readonly string[] = [],
): Promise<void> {
  await until("the tables", async () => {
    const [row] = await database.query<{ made: boolean }>("SELECT to_regclass('log') IS NOT NULL AS made");
    return row?.made || undefined;
  });
  const addresses = [...Object.values(CLIENTS), ...others];
  const compare = async () => ({
    said: await said(server, addresses),
    kept: await kept(database, addresses),
  });
  const { said: expected, kept: actual } = await until("the outbox to drain", async () => {
    const lines = await compare();
    return lines.said.length <= lines.kept.length ? lines : undefined;
  }).catch(compare);
  assert.ok(expected.length > 0);
  assert.deepEqual(actual, expected);
}

async function said(server: Server, addresses: readonly string[]): Promise<Line[]> {
  const lines = await server.world.sh("journalctl", "--quiet", "--output=json", "--identifier=sshd");
  const entries = lines.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  return entries.flatMap((entry) => {
    const named = addresses.filter((address) => words(entry.MESSAGE).includes(address));
    return named.map((address) => `${entry.__REALTIME_TIMESTAMP} ${address} ${entry.MESSAGE}`);
  }).sort();
}

/** Returns addresses and other words of a message. */
function words(message: string): string[] {
  return message.split(/[\s=]+/);
}

async function kept(database: TestPostgres, addresses: readonly string[]): Promise<Line[]> {
  const rows = await database.query<{ line: string; address: string }>(
    `SELECT host(address) AS address, (extract(epoch FROM time) * 1000000)::bigint || ' ' || host(address) || ' ' || message AS line
     FROM log WHERE service = 'SSHD'`,
  );
  return rows.filter(({ address }) => addresses.includes(address)).map(({ line }) => line).sort();
}
