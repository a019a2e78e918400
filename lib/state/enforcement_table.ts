/**
 * State of the bans in firewalls, in columns of the table `ban`:
 *
 *   applied_by NULL                     no firewall has it
 *   applied_by set, applied_at NULL     it was told and may have it: the outcome is unknown
 *   both set                            that firewall has it
 *
 * A table sees only the bans of its firewall's share.
 */
import { type Boot, isSameBoot } from "../core/boot.ts";
import { formatScope } from "../core/scope.ts";
import { type Micros, SECOND } from "../core/time.ts";
import type { Ban, BanRange, HeldBan } from "../deciding/ban.ts";
import { AMONG, jsonOf, readScope } from "./ban_rows.ts";
import type { Database } from "./database.ts";
import { EnforcementQueue, LAST_RETRY } from "./enforcement_queue.ts";
import { FirewallShare } from "./firewall_share.ts";

/** Facts at the start of a firewall. */
export interface FirewallStart {
  readonly boot: Boot;
  /** Whether to apply bans that another firewall has. */
  readonly takesOver: boolean;
  /** Whether the caller applies all bans in force, by `applyAnew()`. */
  readonly anew: boolean;
  /** Whether it bans by scope. False: an address is banned once for all scopes. Default: true. */
  readonly knowsScopes?: boolean;
}

/** Delay before the first retry, doubled for each further one up to `LAST_RETRY`. */
const FIRST_RETRY: Micros = SECOND;

/** Records one firewall's bans. Methods throw what SQLite throws, and have then changed nothing. */
export class EnforcementTable extends EnforcementQueue {
  /** @param module module with this firewall of its own; null: the general firewall */
  constructor(db: Database, module: string | null = null) {
    super(db, new FirewallShare(module));
  }

  /** Returns the table of a module's own firewall, or of the general one. */
  of(module: string | null, { knowsScopes = true }: { knowsScopes?: boolean } = {}): EnforcementTable {
    const table = new EnforcementTable(this.db, module);
    table.share.knowsScopes = knowsScopes;
    return table;
  }

  /** Begins with a firewall: bans applied before this boot are gone. */
  begin(firewall: string, { boot, takesOver, anew, knowsScopes = true }: FirewallStart): void {
    this.share.knowsScopes = knowsScopes;
    this.db.transaction(() => {
      this.#dropBefore(boot, { anew });
      this.noteBoot(boot);
      if (anew || !takesOver) return;
      this.db.run(
        `UPDATE ban SET applied_at = NULL WHERE ended IS NULL AND applied_by IS NOT ? AND ${this.share.isMine()}`,
        [firewall],
      );
    });
  }

  /** Records that `boot` is under way. */
  noteBoot(boot: Boot): void {
    this.db.setMeta(this.share.bootKey, JSON.stringify(boot));
  }

  #dropBefore(boot: Boot, { anew }: { anew: boolean }): void {
    const last = this.db.meta<string>(this.share.bootKey);
    if (last !== null && isSameBoot(JSON.parse(last) as Boot, boot)) return;
    // Earlier programs recorded no boot: the clock tells which bans were applied before it.
    const before = last === null ? boot.start : Number.MAX_SAFE_INTEGER;
    const drop = `UPDATE ban SET applied_by = NULL, applied_at = NULL WHERE ${this.share.isMine()} AND`;
    this.db.run(
      `${drop} ended IS NOT NULL AND applied_by IS NOT NULL AND ifnull(applied_at, 0) < ?`,
      [before],
    );
    if (!anew) this.db.run(`${drop} ended IS NULL AND applied_at < ?`, [before]);
  }

  /** Makes all bans in force of a range be applied again. */
  applyAnew({ after, upTo }: BanRange): void {
    this.db.run(
      `UPDATE ban SET applied_at = NULL, next_try = 0
       WHERE id > ? AND id <= ? AND ended IS NULL AND (applied_at IS NOT NULL OR next_try > 0) AND ${this.share.isMine()}`,
      [after, upTo],
    );
  }

  /** Records that the firewall is about to be told: from now on it may have the bans. */
  trying(ids: readonly number[], firewall: string): void {
    this.db.run(
      `UPDATE ban SET applied_by = given.firewall FROM (SELECT ? AS firewall) AS given
       WHERE id ${AMONG} AND applied_by IS NOT given.firewall`,
      [firewall, JSON.stringify(ids)],
    );
  }

  /** Records that the firewall lacks a ban of which it was about to be told. */
  untried(id: number): void {
    this.db.run("UPDATE ban SET applied_by = NULL WHERE id = ?", [id]);
  }

  /** Records that the firewall has the bans. Drops lifts of earlier ones, which would lift these. */
  applied(ids: readonly number[], { firewall, time }: { firewall: string; time: Micros }): void {
    const list = JSON.stringify(ids);
    this.db.transaction(() => {
      this.db.run(
        `UPDATE ban SET applied_by = ?, applied_at = ?, attempts = 0, next_try = 0, error = NULL
         WHERE id ${AMONG}`,
        [firewall, time, list],
      );
      this.db.run(
        `UPDATE ban SET applied_by = NULL, applied_at = NULL, error = NULL
         WHERE ended IS NOT NULL AND (applied_by IS NOT NULL OR error IS NOT NULL) AND id IN (
           SELECT a.id FROM ban AS b JOIN ban AS a ON ${this.share.isOne("a", "b")}
           WHERE b.id ${AMONG} AND b.ended IS NULL AND a.ended IS NOT NULL)`,
        [list],
      );
    });
  }

  /** Records that the firewall no longer has any ban. */
  cleared(): void {
    this.db.run(
      `UPDATE ban SET applied_by = NULL, applied_at = NULL, attempts = 0, next_try = 0, error = NULL
       WHERE applied_by IS NOT NULL AND ${this.share.isMine()}`,
    );
  }

  /** Makes applied bans in force be applied again; returns their number. */
  reapply(bans: readonly Pick<Ban, "address" | "scope">[]): number {
    if (bans.length === 0) return 0;
    return this.db.run(
      `UPDATE ban SET applied_at = NULL, next_try = 0
       WHERE (address, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
         AND ended IS NULL AND applied_at IS NOT NULL AND ${this.share.isMine()}`,
      [jsonOf(bans, ({ address }, scope) => [address, scope])],
    );
  }

  /** Records that the firewall no longer has the bans. */
  lifted(ids: readonly number[]): void {
    const list = JSON.stringify(ids);
    const others = `SELECT a.id FROM ban AS b JOIN ban AS a ON ${this.share.isOne("a", "b")}
      WHERE b.id ${AMONG} AND a.ended IS NOT NULL AND a.applied_by IS NOT NULL`;
    this.db.run(
      `UPDATE ban SET applied_by = NULL, applied_at = NULL, attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG} OR id IN (${others})`,
      [list, list],
    );
  }

  /** Records a refused ban. The next try comes after 1 s, doubling up to 5 minutes. */
  failed(id: number, failure: { error: string; time: Micros }): void {
    this.db.run(
      `UPDATE ban SET attempts = attempts + 1, error = ?,
         next_try = ? + min(?, ? * (1 << min(attempts, 20))) WHERE id = ?`,
      [failure.error, failure.time, LAST_RETRY, FIRST_RETRY, id],
    );
  }

  /** Returns bans in force of a range that the firewall has for certain, ascending by id. */
  held(firewall: string, { after, upTo }: BanRange): HeldBan[] {
    const list = this.db.list<[string, string, Micros | null]>(
      "json_array(address, scope, until)",
      `(SELECT address, scope, until FROM ban
         WHERE id > ? AND id <= ? AND ended IS NULL AND applied_at IS NOT NULL AND applied_by = ? AND ${this.share.isMine()}
         ORDER BY id)`,
      [after, upTo, firewall],
    );
    return list.map(([address, scope, until]) => ({ address, scope: readScope(scope), until }));
  }

  /** Reports whether a firewall may have, or will get, a ban of this address and scope. */
  mayHold({ address, scope }: Pick<Ban, "address" | "scope">): boolean {
    return this.db.get(
      "SELECT 1 FROM ban WHERE address = ? AND scope = ? AND (ended IS NULL OR applied_by IS NOT NULL)",
      [address, formatScope(scope)],
    ) !== null;
  }
}
