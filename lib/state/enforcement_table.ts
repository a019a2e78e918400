/**
 * What firewalls have of the bans, in columns of the table `ban`:
 *
 *   applied_by NULL                     no firewall has it
 *   applied_by set, applied_at NULL     that firewall may have it: it was told, and nobody knows the outcome
 *   both set                            it has it
 *
 * Bans of a module that has a firewall of its own are that one's, all others those of the firewall for everything: one table
 * each sees its share alone.
 */
import { type Boot, isSameBoot } from "../core/boot.ts";
import { formatScope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { Ban, BanRange, BanStatus, DueBans, HeldBan } from "../deciding/ban.ts";
import { AMONG, jsonOf, readScope, selectBans } from "./ban_rows.ts";
import type { Database } from "./database.ts";

/** What a firewall begins with. */
export interface Beginning {
  readonly boot: Boot;
  /** Bans that another firewall has are to be applied by this one. */
  readonly takesOver: boolean;
  /** The caller sees to all bans in force, by `applyAnew()`. */
  readonly anew: boolean;
  /** The firewall bans by scope; false: an address is banned once, whatever the scopes of its bans. True unless told. */
  readonly knowsScopes?: boolean;
}

/** Of so many of the newest bans of a turn the loudest comes first. */
const LOUDEST_OF = 64;
const [TO_APPLY, TO_LIFT] = [
  ["to_apply", "ended IS NULL AND applied_at IS NULL"],
  ["to_lift", "ended IS NOT NULL AND applied_by IS NOT NULL"],
] as const;
const [TURNS_TO_APPLY, TURNS_TO_LIFT] = [turnsOf(...TO_APPLY), turnsOf(...TO_LIFT)];
const FIRST_RETRY: Micros = 1_000_000;
const LAST_RETRY: Micros = 300_000_000;

/** Keeps what one firewall has. Methods throw what SQLite throws, and have then changed nothing. */
export class EnforcementTable {
  readonly #db: Database;
  readonly #share: Share;
  /** Begins the turns of the share in the state. */
  readonly #prefix: string;
  readonly #bootKey: string;
  readonly #turnsToApply: string;
  readonly #turnsToLift: string;
  #knowsScopes = true;

  /** @param module the module whose own firewall it is; null: the firewall of all bans that are of no such module */
  constructor(db: Database, module: string | null = null) {
    this.#db = db;
    this.#prefix = module === null ? "" : `~${module} `;
    this.#share = module === null ? { from: "", to: "~" } : { from: this.#prefix, to: `~${module}!` };
    this.#bootKey = module === null ? "boot" : `boot ${module}`;
    this.#turnsToApply = turnsOf(...TO_APPLY, this.#share);
    this.#turnsToLift = turnsOf(...TO_LIFT, this.#share);
  }

  /** What the own firewall of a module has. */
  of(module: string): EnforcementTable {
    return new EnforcementTable(this.#db, module);
  }

  /** Begins with a firewall: what any had before this boot is gone. */
  begin(firewall: string, { boot, takesOver, anew, knowsScopes = true }: Beginning): void {
    this.#knowsScopes = knowsScopes;
    this.#db.transaction(() => {
      this.#dropBefore(boot, { anew });
      this.noteBoot(boot);
      if (anew || !takesOver) return;
      this.#db.run(
        `UPDATE ban SET applied_at = NULL WHERE ended IS NULL AND applied_by IS NOT ? AND ${this.#isMine()}`,
        firewall,
      );
    });
  }

  /** Notes that `boot` is still under way. */
  noteBoot(boot: Boot): void {
    this.#db.run("INSERT OR REPLACE INTO meta VALUES (?, ?)", this.#bootKey, JSON.stringify(boot));
  }

  #dropBefore(boot: Boot, { anew }: { anew: boolean }): void {
    const row = this.#db.get<{ value: string }>("SELECT value FROM meta WHERE key = ?", this.#bootKey);
    if (row !== null && isSameBoot(JSON.parse(row.value) as Boot, boot)) return;
    // Earlier programs noted no boot: there the clock tells what was applied before it.
    const before = row === null ? boot.start : Number.MAX_SAFE_INTEGER;
    const drop = `UPDATE ban SET applied_by = NULL, applied_at = NULL WHERE ${this.#isMine()} AND`;
    this.#db.run(
      `${drop} ended IS NOT NULL AND applied_by IS NOT NULL AND ifnull(applied_at, 0) < ?`,
      before,
    );
    if (!anew) this.#db.run(`${drop} ended IS NULL AND applied_at < ?`, before);
  }

  /** All bans in force of a range are to be applied again. */
  applyAnew({ after, upTo }: BanRange): void {
    this.#db.run(
      `UPDATE ban SET applied_at = NULL, next_try = 0
       WHERE id > ? AND id <= ? AND ended IS NULL AND (applied_at IS NOT NULL OR next_try > 0) AND ${this.#isMine()}`,
      after,
      upTo,
    );
  }

  /**
   * Whose bans and lifts wait, ascending: `rule SSHD` for those that the rules of a module made, the kind of other provenances
   * (`manual`, `network`…), `expired` for lifts of bans whose time was up, and `unban` for other lifts.
   */
  turns(): string[] {
    return this.#db.all<{ turn: string }>(
      `WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT turn FROM to_apply WHERE turn IS NOT NULL
       UNION SELECT turn FROM to_lift WHERE turn IS NOT NULL ORDER BY turn`,
    ).map(({ turn }) => turn.slice(this.#prefix.length));
  }

  /**
   * Bans of a turn that are in force, that the firewall does not have yet, and whose next try has come: those that never failed
   * first, or last with `isOldest`.
   */
  toApply(due: DueBans): BanStatus[] {
    for (;;) {
      const bans = this.#waiting(due);
      if (this.#knowsScopes || this.#shareHeld(bans, due.firewall) === 0) return bans;
    }
  }

  #waiting({ turn, now, limit, isOldest = false, busy = [] }: DueBans): BanStatus[] {
    const found =
      `SELECT id, count FROM ban INDEXED BY ban_to_apply WHERE ended IS NULL AND applied_at IS NULL
      AND turn = ? AND (until IS NULL OR until > ?) AND address NOT ${AMONG}`;
    const values = [this.#prefix + turn, now, JSON.stringify(busy)];
    const among = (ids: string) => `WHERE id IN (SELECT id FROM (${ids}))`;
    const failed = (limit: number) => {
      const ids = `${found} AND next_try > 0 AND next_try <= ? ORDER BY next_try, id LIMIT ?`;
      return selectBans(this.#db, `${among(ids)} ORDER BY next_try, id`, ...values, now, limit);
    };
    const fresh = (limit: number) => {
      const ids = `${found} AND next_try = 0 ORDER BY id ${isOldest ? "" : "DESC"} LIMIT ?`;
      if (isOldest) return selectBans(this.#db, `${among(ids)} ORDER BY id`, ...values, limit);
      const loudest = `SELECT id FROM (${ids}) ORDER BY count DESC, id DESC LIMIT ?`;
      const [window, where] = [Math.max(limit, LOUDEST_OF), `${among(loudest)} ORDER BY count DESC, id DESC`];
      return selectBans(this.#db, where, ...values, window, limit);
    };
    const [first, then] = isOldest ? [failed, fresh] : [fresh, failed];
    const bans = first(limit);
    return bans.length === limit ? bans : [...bans, ...then(limit - bans.length)];
  }

  /** To a firewall without scopes a ban of an address that it has already is no news; returns how many are none. */
  #shareHeld(bans: readonly BanStatus[], firewall: string): number {
    const held = `SELECT applied_at FROM ban AS other WHERE other.address = ban.address AND other.id <> ban.id
      AND ${
      this.#isMine("other")
    } AND other.ended IS NULL AND other.applied_by = ? AND other.applied_at IS NOT NULL LIMIT 1`;
    return this.#db.run(
      `UPDATE ban SET applied_by = ?, applied_at = (${held}), attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG} AND EXISTS (${held})`,
      firewall,
      firewall,
      JSON.stringify(bans.map(({ id }) => id)),
      firewall,
    );
  }

  /** Bans of a turn that ended and that the firewall still has, and whose next try has come, the longest due first. */
  toLift({ firewall, turn, now, limit, busy = [] }: DueBans): BanStatus[] {
    return selectBans(
      this.#db,
      `INDEXED BY ban_to_lift WHERE ${this.#liftable()} AND turn = ? AND next_try <= ? AND address NOT ${AMONG}
       ORDER BY next_try, id LIMIT ?`,
      firewall,
      this.#prefix + turn,
      now,
      JSON.stringify(busy),
      limit,
    );
  }

  /** What a ban in force is one with is lifted with that. */
  #liftable(): string {
    return `ended IS NOT NULL AND applied_by IS NOT NULL AND applied_by = ?
      AND NOT EXISTS (SELECT 1 FROM ban AS other WHERE ${
      this.#isOne("other", "ban")
    } AND other.ended IS NULL)`;
  }

  /** Tries that are due later than any may be were put off while the clock ran ahead: they are due now. */
  rebase(now: Micros): void {
    const late = now + LAST_RETRY;
    this.#db.run(
      `WITH ${TURNS_TO_APPLY} UPDATE ban INDEXED BY ban_to_apply SET next_try = 0
       WHERE ended IS NULL AND applied_at IS NULL AND turn IN (SELECT turn FROM to_apply) AND next_try > ?`,
      late,
    );
    this.#db.run(
      `WITH ${TURNS_TO_LIFT} UPDATE ban INDEXED BY ban_to_lift SET next_try = 0
       WHERE ended IS NOT NULL AND applied_by IS NOT NULL AND turn IN (SELECT turn FROM to_lift) AND next_try > ?`,
      late,
    );
  }

  /** Bans that the firewall refused `attempts` times in a row or more: at most 100, of the first thousand that failed. */
  stuck(attempts: number): BanStatus[] {
    const failed =
      `WITH ${TURNS_TO_APPLY} SELECT id FROM to_apply CROSS JOIN ban INDEXED BY ban_to_apply USING (turn)
      WHERE ended IS NULL AND applied_at IS NULL AND next_try > 0 LIMIT 1000`;
    return selectBans(this.#db, `WHERE attempts >= ? AND id IN (${failed}) ORDER BY id LIMIT 100`, attempts);
  }

  /** When something falls due next: a retry or an end; null when nothing will by itself. */
  nextDue(firewall: string): Micros | null {
    return this.#db.get<{ due: Micros | null }>(
      `WITH ${this.#turnsToApply}, ${this.#turnsToLift} SELECT min(due) AS due FROM (
         SELECT min(until) AS due FROM ban WHERE ended IS NULL
         UNION ALL SELECT (SELECT min(next_try) FROM ban
           WHERE ended IS NULL AND applied_at IS NULL AND turn = to_apply.turn) FROM to_apply
         UNION ALL SELECT (SELECT next_try FROM ban INDEXED BY ban_to_lift
           WHERE ${this.#liftable()} AND turn = to_lift.turn ORDER BY next_try LIMIT 1) FROM to_lift)`,
      firewall,
    )?.due ?? null;
  }

  /** How many bans in force wait for the firewall without having failed. */
  backlog(): number {
    return this.#db.get<{ bans: number }>(
      `SELECT count(*) AS bans FROM ban INDEXED BY ban_to_apply
       WHERE ended IS NULL AND applied_at IS NULL AND next_try = 0 AND ${this.#isMine()}`,
    )!.bans;
  }

  /** The firewall is about to be told: from now on it may have the bans, whatever becomes of us. */
  trying(ids: readonly number[], firewall: string): void {
    this.#db.run(
      `UPDATE ban SET applied_by = given.firewall FROM (SELECT ? AS firewall) AS given
       WHERE id ${AMONG} AND applied_by IS NOT given.firewall`,
      firewall,
      JSON.stringify(ids),
    );
  }

  /** The firewall does not have a ban that it was about to be told of. */
  untried(id: number): void {
    this.#db.run("UPDATE ban SET applied_by = NULL WHERE id = ?", id);
  }

  /** The firewall has the bans. What it has of earlier ones is theirs now: lifting that would lift them. */
  applied(ids: readonly number[], { firewall, time }: { firewall: string; time: Micros }): void {
    const list = JSON.stringify(ids);
    this.#db.transaction(() => {
      this.#db.run(
        `UPDATE ban SET applied_by = ?, applied_at = ?, attempts = 0, next_try = 0, error = NULL
         WHERE id ${AMONG}`,
        firewall,
        time,
        list,
      );
      this.#db.run(
        `UPDATE ban SET applied_by = NULL, applied_at = NULL, error = NULL
         WHERE ended IS NOT NULL AND (applied_by IS NOT NULL OR error IS NOT NULL) AND id IN (
           SELECT a.id FROM ban AS b JOIN ban AS a ON ${this.#isOne("a", "b")}
           WHERE b.id ${AMONG} AND b.ended IS NULL AND a.ended IS NOT NULL)`,
        list,
      );
    });
  }

  /** Bans that are in force and applied are to be applied again; returns how many are. */
  reapply(bans: readonly Pick<Ban, "address" | "scope">[]): number {
    if (bans.length === 0) return 0;
    return this.#db.run(
      `UPDATE ban SET applied_at = NULL, next_try = 0
       WHERE (address, scope) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))
         AND ended IS NULL AND applied_at IS NOT NULL AND ${this.#isMine()}`,
      jsonOf(bans, ({ address }, scope) => [address, scope]),
    );
  }

  /** The firewall no longer has the bans. */
  lifted(ids: readonly number[]): void {
    const list = JSON.stringify(ids);
    const others = `SELECT a.id FROM ban AS b JOIN ban AS a ON ${this.#isOne("a", "b")}
      WHERE b.id ${AMONG} AND a.ended IS NOT NULL AND a.applied_by IS NOT NULL`;
    this.#db.run(
      `UPDATE ban SET applied_by = NULL, applied_at = NULL, attempts = 0, next_try = 0, error = NULL
       WHERE id ${AMONG} OR id IN (${others})`,
      list,
      list,
    );
  }

  /** The firewall refused a ban; the next try comes after 1 s, doubling up to 5 minutes. */
  failed(id: number, failure: { error: string; time: Micros }): void {
    this.#db.run(
      `UPDATE ban SET attempts = attempts + 1, error = ?,
         next_try = ? + min(?, ? * (1 << min(attempts, 20))) WHERE id = ?`,
      failure.error,
      failure.time,
      LAST_RETRY,
      FIRST_RETRY,
      id,
    );
  }

  /** Bans in force of a range that the firewall is certain to have, ascending by id. */
  held(firewall: string, { after, upTo }: BanRange): HeldBan[] {
    const row = this.#db.get<{ list: string }>(
      `SELECT json_group_array(json_array(address, scope, until)) AS list FROM (
         SELECT address, scope, until FROM ban
         WHERE id > ? AND id <= ? AND ended IS NULL AND applied_at IS NOT NULL AND applied_by = ? AND ${this.#isMine()}
         ORDER BY id)`,
      after,
      upTo,
      firewall,
    );
    const list = JSON.parse(row!.list) as [string, string, Micros | null][];
    return list.map(([address, scope, until]) => ({ address, scope: readScope(scope), until }));
  }

  /** Reports whether a firewall may have a ban of this address and scope, or is to have it. */
  mayHold({ address, scope }: Pick<Ban, "address" | "scope">): boolean {
    return this.#db.get(
      "SELECT 1 FROM ban WHERE address = ? AND scope = ? AND (ended IS NULL OR applied_by IS NOT NULL)",
      address,
      formatScope(scope),
    ) !== null;
  }

  /** SQL that says whether two bans are one to the firewall, where at least one is in its share. */
  #isOne(a: string, b: string): string {
    const isSame = this.#knowsScopes
      ? `${a}.scope = ${b}.scope`
      : `${this.#isMine(a)} AND ${this.#isMine(b)}`;
    return `${a}.address = ${b}.address AND ${isSame}`;
  }

  /** SQL that says whether a ban is in the firewall's share. */
  #isMine(ban = "ban"): string {
    return isWithin(this.#share, ban);
  }
}

/** The turns of the bans that one firewall carries out: from the first up to the second, which is not among them. */
interface Share {
  readonly from: string;
  readonly to: string;
}

/** Names of modules are letters, digits, `.`, `-` and `_`. */
function isWithin({ from, to }: Share, ban: string): string {
  return `(${ban}.turn >= '${from}' AND ${ban}.turn < '${to}')`;
}

/**
 * A recursive table of the turns of the bans that `waits` holds for, of all firewalls or in one's share. It takes steps through
 * an index that begins with the turn: a flood of bans is not walked over.
 */
function turnsOf(name: string, waits: string, share?: Share): string {
  const from = `FROM ban INDEXED BY ban_${name} WHERE ${waits}${
    share ? ` AND ${isWithin(share, "ban")}` : ""
  }`;
  return `${name} (turn) AS (SELECT min(turn) ${from}
    UNION ALL SELECT (SELECT min(turn) ${from} AND ban.turn > ${name}.turn) FROM ${name} WHERE turn IS NOT NULL)`;
}
