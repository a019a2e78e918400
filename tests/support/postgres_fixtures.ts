/** Parts of the PostgreSQL tests: an outbox in memory, a log that keeps its lines, a member. */
import { eventually, memoryLog } from "./helpers.ts";
import { Connection } from "../../lib/postgres/connection.ts";
import type { DatabaseConfig } from "../../lib/postgres/database_config.ts";
import { Fleet, type FleetOptions } from "../../lib/postgres/fleet.ts";
import type { BanChange } from "../../lib/deciding/ban.ts";
import type { LogRow } from "../../lib/reading/event.ts";
import type { Outbox } from "../../lib/postgres/outbox.ts";
import type { WhitelistEntry } from "../../lib/deciding/whitelist.ts";
import { postgresMissing, startPostgres, type TestPostgres } from "./postgres_server.ts";

/** Monday, 3 March 2025, 00:00 UTC. */
export const MONDAY = Date.UTC(2025, 2, 3) * 1000;
export const DAY = 86_400_000_000;

/** An outbox in memory that counts how often each row was shipped. */
export class MemoryOutbox implements Outbox {
  readonly hostId = crypto.randomUUID();
  readonly rows: LogRow[] = [];
  bans: BanChange[] = [];
  #confirmedLog = 0;
  #confirmedBans = 0;
  #sent = 0;
  #offset = 0;
  #lastSeen: number | null = null;

  add(row: Partial<LogRow>): void {
    const seq = this.rows.length + 1;
    this.rows.push({
      seq,
      key: String(seq),
      module: "SSHD",
      address: "192.0.2.1",
      time: MONDAY + seq,
      message: `line ${seq}`,
      ...row,
    });
  }

  unshippedLog(limit: number): LogRow[] {
    return this.rows.slice(this.#confirmedLog, this.#confirmedLog + limit);
  }

  settle(): Promise<void> {
    return Promise.resolve();
  }

  confirmLog(seq: number): void {
    this.#confirmedLog = seq;
  }

  confirmedLine(back: number): LogRow | null {
    return this.#confirmedLog === 0 ? null : this.rows[Math.max(0, this.#confirmedLog - back - 1)]!;
  }

  unshippedBans(limit: number): BanChange[] {
    const bans = this.bans.map((ban) => ({
      ...ban,
      id: ban.id + this.#offset,
      change: ban.change + this.#offset,
    }));
    return bans.filter((ban) => ban.change > this.#confirmedBans).slice(0, limit);
  }

  rewindBans(change: number): void {
    this.#confirmedBans = Math.min(this.#confirmedBans, change);
  }

  renumberBans(above: number): void {
    this.#confirmedBans = this.#sent = this.#offset = above;
  }

  noteSent(change: number): void {
    this.#sent = Math.max(change, this.#sent);
  }

  lastSent(): number {
    return this.#sent;
  }

  confirmBans(change: number): void {
    this.#confirmedBans = change;
  }

  backlog(): number {
    return this.rows.length - this.#confirmedLog + this.unshippedBans(Infinity).length;
  }

  lastSeen(): number | null {
    return this.#lastSeen;
  }

  noteSeen(time: number): void {
    this.#lastSeen = time;
  }

  /** Forgets the last confirmation, as a program does that is killed before it writes it. */
  forget(): void {
    this.#confirmedLog = this.#confirmedBans = 0;
  }

  /** Becomes a copy of when only this change had been sent. */
  goBack(change: number): void {
    this.#confirmedBans = this.#sent = change;
  }
}

/** Returns a ban of 192.0.2.1 in force. */
export function ban(parts: Partial<BanChange>): BanChange {
  return {
    id: 1,
    address: "192.0.2.1",
    reason: "[SSHD] invalid_user",
    scope: "all",
    provenance: { kind: "rule", name: "SSHD invalid_user" },
    count: 6,
    start: MONDAY,
    until: null,
    ended: null,
    endReason: null,
    change: 1,
    ...parts,
  };
}

/** A member of the fleet and everything that it received, disconnected at the end of the scope. */
export class TestMember implements AsyncDisposable {
  readonly outbox: MemoryOutbox;
  readonly log = memoryLog();
  readonly whitelists: WhitelistEntry[][] = [];
  readonly fleet: Fleet;

  constructor(login: DatabaseConfig, options: Partial<FleetOptions> & { outbox?: MemoryOutbox } = {}) {
    this.outbox = options.outbox ?? new MemoryOutbox();
    this.fleet = new Fleet(login, {
      log: this.log,
      hostName: "tester",
      onWhitelist: (entries) => this.whitelists.push(entries),
      keepLog: null,
      ...options,
      outbox: this.outbox,
    });
  }

  /** Wakes the member and waits until it has shipped everything. */
  async shipped(): Promise<void> {
    this.fleet.wake();
    const since = Date.now() * 1000;
    const hasShipped = () => this.outbox.backlog() === 0 && (this.fleet.status().lastShipped ?? 0) >= since;
    await eventually(hasShipped).catch((error: Error) => {
      const { errors, warnings } = this.log;
      throw new Error(`${error.message}: ${JSON.stringify([this.fleet.status(), errors, warnings])}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet.close(5_000_000);
  }
}

/** An empty database on a test's server. */
export interface Scene {
  readonly server: TestPostgres;
  /** Settings for a connection as superuser. */
  readonly login: DatabaseConfig;
  query<R = Record<string, unknown>>(sql: string): Promise<R[]>;
  /** A connection, open until the scene ends. */
  connect(login?: DatabaseConfig, onNotify?: () => void): Promise<Connection>;
}

/** A part of a test, with its own database. Throws if something is wrong. */
export type Step = (scene: Scene) => Promise<void>;

/**
 * Runs the steps, each in its own database, on the machine's PostgreSQL, or on each major version in
 * the variable POSTGRES_VERSIONS. Skips the test by name if the machine lacks a PostgreSQL or
 * another need of the test.
 */
export async function testOnPostgres(
  title: string,
  steps: Readonly<Record<string, Step>>,
  lack: string | null = null,
): Promise<void> {
  const listed = Deno.env.get("POSTGRES_VERSIONS")?.split(",").map(Number) ?? [undefined];
  for (const version of listed) {
    const missing = lack ?? await postgresMissing(version);
    const name = `${title} on PostgreSQL ${version ?? ""}`.trimEnd();
    if (missing !== null) Deno.test({ ignore: true, name: `${name}: ${missing}`, fn: () => {} });
    else Deno.test(name, (context) => play(context, { steps, version }));
  }
}

async function play(
  context: Deno.TestContext,
  { steps, version }: { steps: Readonly<Record<string, Step>>; version: number | undefined },
): Promise<void> {
  await using server = await startPostgres({ version });
  let number = 0;
  for (const [name, step] of Object.entries(steps)) {
    await context.step(name, async () => {
      const database = await server.createDatabase(`scene_${++number}`);
      const { host, port, user, password } = server;
      const login = { host, port, user, password, database };
      const connections: Connection[] = [];
      try {
        await step({
          server,
          login,
          query: (sql) => server.query(sql, database),
          connect: async (other = login, onNotify) => {
            const connection = new Connection(other, { timeout: 30_000_000, onNotify });
            connections.push(connection);
            await connection.open();
            return connection;
          },
        });
      } finally {
        for (const connection of connections) await connection.close();
      }
    });
  }
}
