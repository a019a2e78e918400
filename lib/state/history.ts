/**
 * Answers commands about the past. In: an address, a network or a time. Out: lines, bans and
 * counts, found by indexes, so that a state of ten million lines answers within a second.
 */
import { beginningsOf, enclosing, enclosingNetworks, prefixLength } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { HOUR, type Micros } from "../core/time.ts";
import type { BanStatus, Provenance } from "../deciding/ban.ts";
import type { Login } from "../deciding/login_change.ts";
import { AMONG, selectBans } from "./ban_rows.ts";
import { Table } from "./database.ts";
import {
  findLines,
  type FoundLines,
  linesAbout,
  type SearchLimits,
  type WantedLines,
} from "./line_search.ts";

/** Most bans returned of one address, and of networks around it. */
const MOST_BANS = 100;

/** Numbers of bans that began and ended since a time. */
export interface BanCount {
  readonly made: number;
  readonly ended: number;
}

/** Numbers of bans of one provenance. */
export interface ProvenanceCount extends BanCount {
  readonly provenance: Provenance;
}

/** Bans inside of a network. */
export interface InnerBans {
  /** Number of all of them, and of the bans that have not ended. */
  readonly all: number;
  readonly decided: number;
  /** The newest of them; bans that have not ended come first. */
  readonly newest: readonly BanStatus[];
}

/** A login from an address that a rule or a network ban had cut off before. */
export interface LoginAfterBan extends Login {
  /** The newest such ban that began before the login. */
  readonly ban: BanStatus;
}

/** A time with its begin, and its end if it has one. */
export interface Span {
  readonly from: Micros;
  readonly to?: Micros | undefined;
}

const MADE = "count(*) FILTER (WHERE start >= ? AND start < ?) AS made";
const ENDED = "count(*) FILTER (WHERE ended >= ? AND ended < ?) AS ended";

/** Reads the past. */
export class History extends Table {
  /** Returns bans made and ended in a time, by provenance. */
  bansByProvenance({ from, to }: Span): ProvenanceCount[] {
    return this.bansOfPeriods(from, { from, to }).map(({ present }) => present);
  }

  /**
   * Returns bans made and ended in a time of each address and of networks around it, by address.
   * Rules ban an IPv6 client by its network.
   */
  bansOfEach(addresses: readonly string[], { from, to = Infinity }: Span): Map<string, BanCount> {
    const around = this.#withNetworks(addresses);
    const rows = this.db.all<BanCount & { address: string }>(
      `SELECT address, ${MADE}, ${ENDED} FROM ban WHERE address ${AMONG} GROUP BY address`,
      [from, to, from, to, JSON.stringify([...around.values()].flat())],
    );
    const found = new Map(rows.map((row) => [row.address, row]));
    return new Map([...around].map(([address, names]) => {
      const bans = names.flatMap((name) => found.get(name) ?? []);
      return [address, sumOfBans(bans)];
    }));
  }

  /** Returns the narrowest ban in force around each address or network, where there is one. */
  narrowestInForce(targets: readonly string[]): Map<string, BanStatus> {
    const around = this.#withNetworks(targets, "AND ended IS NULL");
    const list = JSON.stringify([...around.values()].flat());
    const bans = selectBans(this.db, `WHERE address ${AMONG} AND ended IS NULL`, [list]);
    const found = new Map(bans.map((ban) => [ban.address, ban]));
    return new Map([...around].flatMap(([target, names]) => {
      const name = names.find((name) => found.has(name));
      return name === undefined ? [] : [[target, found.get(name)!] as const];
    }));
  }

  /** Returns bans made and ended in a time of a network and everything inside of it. */
  bansWithin(network: string, { from, to = Infinity }: Span): BanCount {
    const query = `SELECT ${MADE}, ${ENDED} FROM ban WHERE address = ? OR id ${AMONG}`;
    const inside = JSON.stringify([...this.#idsInside(network)]);
    return { ...this.db.get<BanCount>(query, [from, to, from, to, network, inside])! };
  }

  /** Returns bans made and ended in a time, and from `earlier` until then, by provenance. */
  bansOfPeriods(
    earlier: Micros,
    { from, to = Infinity }: Span,
  ): { before: ProvenanceCount; present: ProvenanceCount }[] {
    const rows = this.db.all<Record<"made" | "ended" | "beforeMade" | "beforeEnded", number> & Provenance>(
      `SELECT provenance AS kind, name, ${MADE}, ${ENDED},
         count(*) FILTER (WHERE start >= ? AND start < ?) AS beforeMade,
         count(*) FILTER (WHERE ended >= ? AND ended < ?) AS beforeEnded
       FROM ban WHERE start >= ? OR ended >= ? GROUP BY provenance, name`,
      [from, to, from, to, earlier, from, earlier, from, earlier, earlier],
    );
    return rows.map(({ kind, name, made, ended, beforeMade, beforeEnded }) => ({
      before: { provenance: { kind, name }, made: beforeMade, ended: beforeEnded },
      present: { provenance: { kind, name }, made, ended },
    }));
  }

  /** Returns the number of bans that began in each hour since `time`, without empty hours. */
  bansByHour(time: Micros): { hour: Micros; made: number }[] {
    const query =
      "SELECT start - start % ? AS hour, count(*) AS made FROM ban WHERE start >= ? GROUP BY hour ORDER BY hour";
    return this.db.all<{ hour: Micros; made: number }>(query, [HOUR, time]).map((row) => ({ ...row }));
  }

  /** Returns the numbers of bans in force by provenance, greatest first. */
  inForceByProvenance(): { provenance: Provenance; count: number }[] {
    const rows = this.db.all<{ kind: Provenance["kind"]; name: string; count: number }>(
      `SELECT provenance AS kind, name, count(*) AS count FROM ban WHERE ended IS NULL
       GROUP BY provenance, name ORDER BY count DESC, kind, name`,
    );
    return rows.map(({ kind, name, count }) => ({ provenance: { kind, name }, count }));
  }

  /** Returns the newest lines of an address or network. */
  lines(target: string, limits: SearchLimits): FoundLines {
    return findLines(this.db, linesAbout(target), limits);
  }

  /** Returns the newest lines with a text for which `has()` is true. It reads lines of all chapters. */
  linesWith(text: string, has: WantedLines["has"], limits: SearchLimits): FoundLines {
    const wanted = { text: JSON.stringify(text).slice(1, -1), mayBeIn: () => true, has };
    return findLines(this.db, wanted, limits);
  }

  /** Returns the newest bans of an address or network, newest first. */
  bansOf(target: string): BanStatus[] {
    return selectBans(this.db, "WHERE address = ? ORDER BY id DESC LIMIT ?", [target, MOST_BANS]);
  }

  /** Returns the newest `most` bans that have not ended, newest first. */
  newestBans(most: number): BanStatus[] {
    return selectBans(this.db, "WHERE ended IS NULL ORDER BY id DESC LIMIT ?", [most]);
  }

  /** Returns the bans in force that end next, the first one first. */
  bansNextToEnd(most: number): BanStatus[] {
    return selectBans(this.db, "WHERE ended IS NULL AND until > 0 ORDER BY until, id LIMIT ?", [most]);
  }

  /** Returns bans of networks around `target`, first those not ended, each newest first. */
  bansAround(target: string): BanStatus[] {
    const networks = enclosingNetworks(target);
    return selectBans(
      this.db,
      `WHERE address ${AMONG} ORDER BY ended IS NOT NULL, id DESC LIMIT ?`,
      [JSON.stringify(networks), MOST_BANS],
    );
  }

  /**
   * Returns the logins, newest first, from addresses that the program itself had banned before,
   * alone or by a network around them: these bans probably hit people.
   */
  loginsAfterBans(logins: readonly Login[]): LoginAfterBan[] {
    const around = this.#withNetworks([...new Set(logins.map(({ address }) => address))]);
    const bans = selectBans(
      this.db,
      `WHERE address ${AMONG} AND provenance IN ('rule', 'network') ORDER BY start DESC, id DESC`,
      [JSON.stringify([...new Set([...around.values()].flat())])],
    );
    const bansOf = Map.groupBy(bans, ({ address }) => address);
    return logins.toSorted((a, b) => b.time - a.time).flatMap((login) => {
      const before = around.get(login.address)!.flatMap((name) =>
        bansOf.get(name)?.find(({ start }) => start < login.time) ?? []
      );
      if (before.length === 0) return [];
      return [{ ...login, ban: before.reduce((a, b) => b.start > a.start ? b : a) }];
    });
  }

  /** Returns the bans of addresses and networks inside of a network. */
  bansInside(network: string, most: number): InnerBans {
    const [all, decided] = [this.#idsInside(network), this.#idsInside(network, "AND ended IS NULL")];
    const newest = selectBans(
      this.db,
      `WHERE id ${AMONG} ORDER BY ended IS NOT NULL, id DESC LIMIT ?`,
      [JSON.stringify([...decided.slice(-most), ...all.slice(-most)]), most],
    );
    return { all: all.length, decided: decided.length, newest };
  }

  /**
   * Returns each target with the networks around it, the narrowest first, of the lengths that bans
   * have: an IPv6 address has 128 networks around it.
   */
  #withNetworks(targets: readonly string[], which = ""): Map<string, readonly string[]> {
    const lengths = this.db.all<{ isIPv6: 0 | 1; length: number }>(
      `SELECT DISTINCT instr(address, ':') > 0 AS isIPv6,
         CAST(substr(address, instr(address, '/') + 1) AS INTEGER) AS length
       FROM ban WHERE instr(address, '/') > 0 ${which} ORDER BY length DESC`,
    );
    return new Map(targets.map((target) => {
      const around = lengths.filter(({ isIPv6, length }) =>
        (isIPv6 === 1) === target.includes(":") && length < prefixLength(target)
      );
      return [target, [target, ...around.map(({ length }) => enclosing(target, length))]];
    }));
  }

  /** Returns the ids of bans inside of a network, in order, from indexes alone. */
  #idsInside(network: string, which = ""): Float64Array {
    const { texts, areExact } = beginningsOf(network);
    const inside = `json_each(?) AS beginning CROSS JOIN ban
      WHERE address >= beginning.value AND address < beginning.value || '~' ${which}
        AND (instr(address, ':') > 0) = ?
        AND (instr(address, '/') = 0 OR CAST(substr(address, instr(address, '/') + 1) AS INTEGER) > ?)`;
    const list = <Item>(item: string) =>
      this.db.list<Item>(
        item,
        inside,
        [JSON.stringify(texts), network.includes(":") ? 1 : 0, prefixLength(network)],
      );
    if (areExact) return Float64Array.from(list<number>("ban.id")).sort();
    const set = new NetworkSet([network]);
    const bans = list<[id: number, address: string]>("json_array(ban.id, address)");
    return Float64Array.from(bans.filter(([, address]) => set.covers(address)), ([id]) => id).sort();
  }
}

/** Adds up bans made and ended. */
export function sumOfBans(bans: readonly BanCount[]): BanCount {
  const sum = (key: keyof BanCount) => bans.reduce((all, count) => all + count[key], 0);
  return { made: sum("made"), ended: sum("ended") };
}
