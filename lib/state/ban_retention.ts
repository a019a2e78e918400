/** Deletes ended bans in steps, unless decisions, the firewall or PostgreSQL need them. */
import { HOUR, type Micros } from "../core/time.ts";
import { AMONG, MOST_PAST } from "./ban_rows.ts";
import { Table } from "./database.ts";

/** Bans that `deleteOld()` visits in one step. */
const STEP = 500;
/** Most past bans of other servers, some 50 MB: a hostile one may make thousands each second. */
const MOST_FOLLOWED = 100_000;
/** Pause before `deleteOld()` visits all bans again. */
const PAUSE: Micros = HOUR;

/** Says which ended bans are deleted. */
export interface RetentionOptions {
  readonly now: Micros;
  /** How long bans are kept after their end. */
  readonly keep: Micros;
  /** Whether bans go to PostgreSQL, and are kept until they have arrived. */
  readonly isShipped: boolean;
}

/** Deletes old bans. Methods throw what SQLite throws, and have then changed nothing. */
export class BanRetention extends Table {
  /** Id of the last ban visited. */
  #visited = 0;
  /** Time at which `deleteOld()` visits all bans again. */
  #nextRound: Micros = -Infinity;

  /**
   * Deletes some old ended bans. Returns the number of bans visited; 0: done. An address keeps its
   * bans until its last one has been over for `keep`, as bans grow by earlier ones, but of very old
   * ones only as many as `past()` returns. Bans that a firewall has stay, and so does the latest
   * change, whose number is the next one's base.
   */
  deleteOld({ now, keep, isShipped }: RetentionOptions): number {
    if (now < this.#nextRound) return 0;
    const query = "(SELECT id FROM ban WHERE id > ? ORDER BY id LIMIT ?)";
    const looked = this.db.list<number>("id", query, [this.#visited, STEP]);
    if (looked.length > 0) this.#delete(looked, { before: now - keep, isShipped });
    this.#visited = looked.at(-1) ?? 0;
    if (looked.length === 0) this.#nextRound = now + PAUSE;
    return looked.length;
  }

  /**
   * Deletes some past bans that followed other servers, beyond the newest `most`; returns their
   * number. Those that were lifted by hand or by the whitelist decide on later ones, and stay.
   */
  deleteFollowed(most = MOST_FOLLOWED): number {
    return this.db.run(
      `DELETE FROM ban WHERE change < (SELECT max(change) FROM ban) AND id IN (
         SELECT id FROM ban INDEXED BY ban_followed_past
         WHERE provenance = 'fleet' AND end_reason IN ('fleet', 'expired', 'unfollowed') AND applied_by IS NULL
         ORDER BY id DESC LIMIT ${STEP} OFFSET ?)`,
      [most],
    );
  }

  #delete(ids: readonly number[], { before, isShipped }: { before: Micros; isShipped: boolean }): void {
    this.db.run(
      `DELETE FROM ban WHERE id ${AMONG} AND ended < ? AND applied_by IS NULL AND change < (SELECT max(change) FROM ban)
         AND (NOT ? OR provenance = 'fleet' OR change <= ifnull((SELECT value FROM meta WHERE key = 'shipped_ban'), 0))
         AND (
           NOT EXISTS (SELECT 1 FROM ban AS other WHERE other.address = ban.address
             AND (other.ended IS NULL OR other.ended >= ?))
           OR (SELECT count(*) FROM (
             SELECT 1 FROM ban AS newer WHERE newer.address = ban.address AND newer.id > ban.id LIMIT ${MOST_PAST}
           )) = ${MOST_PAST}
         )`,
      [JSON.stringify(ids), before, Number(isShipped), before],
    );
  }
}
