/**
 * Banned addresses that go on sending lines: through a proxy, past the firewall, or because a
 * command does nothing. In: committed events, and bans of the state. Out: one warning for each ban,
 * and a list for `status`. Remembers a few addresses between two looks and queries their bans
 * together.
 */
import type { Config } from "../config/types.ts";
import { enclosing } from "../core/address.ts";
import { clientBitsOf } from "../core/address_kind.ts";
import type { Log } from "../core/log.ts";
import { coversScope, formatScope, type Scope } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import { HOUR, localTime, type Micros, MINUTE, SECOND } from "../core/time.ts";
import type { Ban } from "../deciding/ban.ts";
import type { LogEvent } from "../reading/event.ts";
import { END, NO_ACTIVITY } from "../reading/message_reader.ts";
import type { Leak } from "./report.ts";
import { type Sighting, Sightings } from "./sightings.ts";

/** A ban in force, with the time when the firewall confirmed it; null: not yet. */
export interface AppliedBan extends Pick<Ban, "id" | "address" | "scope" | "start"> {
  readonly appliedAt: Micros | null;
}

/** Options of `Leaks`. */
export interface LeaksParts {
  /** By index of the module. */
  readonly modules: readonly { readonly name: string; readonly scope: Scope }[];
  /** Returns the bans in force of these addresses and networks. */
  readonly bansOf: (addresses: readonly string[]) => readonly AppliedBan[];
  /** Prefix lengths of networks that rules ban, and that people usually ban. */
  readonly lengths: { readonly ipv4: readonly number[]; readonly ipv6: readonly number[] };
  readonly log: Log;
}

/** Most bans that are watched. */
const MOST = 1_000;
const MOST_NAMED = 20;
/** Time in which lines after a ban are normal: sshd takes seconds to refuse a password. */
const GRACE: Micros = 5 * SECOND;
/** Number of lines that make a leak. */
const ENOUGH = 3;
/** How long after its last line the report names a leak, and its ban is remembered. */
const [RECENT, REMEMBERED]: readonly [Micros, Micros] = [10 * MINUTE, HOUR];

interface WatchedBan {
  readonly ban: AppliedBan;
  /** When the firewall first confirmed the ban. */
  readonly confirmed: Micros;
  readonly modules: Set<string>;
  lines: number;
  lastLine: Micros;
  hasWarned: boolean;
}

/** Detects lines of banned addresses. */
export class Leaks {
  readonly #parts: LeaksParts;
  /** Lines that are not yet committed. */
  readonly #read = new Sightings();
  /** Lines committed since the last look. */
  readonly #committed = new Sightings();
  /** By id of the ban; the ban with the latest line comes last. */
  readonly #watched = new Map<number, WatchedBan>();

  constructor(parts: LeaksParts) {
    this.#parts = parts;
  }

  /**
   * Remembers an event's address until `keepSeen()` or `dropSeen()`. Skips messages that a service
   * writes without activity of the client: sshd waits two minutes for a connection that was cut
   * off, nginx one.
   */
  see(event: LogEvent): void {
    const { reader: { address: { isAddress }, says, status }, isTrusted, isUnderstood } = event;
    const isIdle = says === END || says === NO_ACTIVITY || status === 408 || status === 499;
    if (isUnderstood && isAddress && isTrusted && !isIdle) this.#read.add(event);
  }

  /** Counts the remembered lines: they are committed. */
  keepSeen(): void {
    this.#committed.takeOver(this.#read);
  }

  /** Drops the lines that are not committed: they will be read again. */
  dropSeen(): void {
    this.#read.clear();
  }

  /** Compares the lines since the last call with the bans in force; warns of each leak once. */
  look(now: Micros): Leak[] {
    const seen = this.#take();
    const wanted = [...seen.keys(), ...[...this.#watched.values()].map(({ ban }) => ban.address)];
    if (wanted.length > 0) this.#compare(seen, this.#parts.bansOf([...new Set(wanted)]));
    for (const [id, { lastLine }] of this.#watched) {
      if (lastLine < now - REMEMBERED) this.#watched.delete(id);
    }
    return [...this.#watched.values()]
      .filter(({ hasWarned, lastLine }) => hasWarned && lastLine >= now - RECENT)
      .toSorted((a, b) => b.lines - a.lines)
      .slice(0, MOST_NAMED)
      .map(leakOf);
  }

  /** Returns the sightings by address and by the networks around each address. */
  #take(): Map<string, Sighting[]> {
    const { lengths } = this.#parts;
    const seen = new Map<string, Sighting[]>();
    for (const sighting of this.#committed.all()) {
      const { address } = sighting;
      const around = address.includes(":") ? [...lengths.ipv6, clientBitsOf(address) || 128] : lengths.ipv4;
      for (const target of new Set([address, ...around.map((length) => enclosing(address, length))])) {
        seen.set(target, [...seen.get(target) ?? [], sighting]);
      }
    }
    return seen;
  }

  #compare(seen: ReadonlyMap<string, readonly Sighting[]>, bans: readonly AppliedBan[]): void {
    const inForce = new Set(bans.map(({ id }) => id));
    for (const id of this.#watched.keys()) if (!inForce.has(id)) this.#watched.delete(id);
    for (const ban of bans) {
      for (const sighting of seen.get(ban.address) ?? []) this.#count(ban, sighting);
    }
    this.#committed.clear();
  }

  /** Counts the lines of a sighting that were written after its ban was confirmed. */
  #count(ban: AppliedBan, { module: index, count, first, last }: Sighting): void {
    const module = this.#parts.modules[index]!;
    if (!coversScope(ban.scope, module.scope)) return;
    const watched = this.#watch(ban);
    if (watched === null || last <= watched.confirmed + GRACE) return;
    watched.lines += first > watched.confirmed + GRACE ? count : 1;
    watched.lastLine = Math.max(watched.lastLine, last);
    watched.modules.add(module.name);
    if (watched.hasWarned || watched.lines < ENOUGH) return;
    watched.hasWarned = true;
    const cause = "a proxy brings its packets, or the firewall does not stop them";
    this.#parts.log.warn(`${leakText(leakOf(watched))}: ${cause}`);
  }

  /**
   * Returns the record of a ban; null: the firewall has never confirmed it. The time of the first
   * confirmation stays.
   */
  #watch(ban: AppliedBan): WatchedBan | null {
    const { id, appliedAt } = ban;
    let watched = this.#watched.get(id);
    if (watched === undefined) {
      if (appliedAt === null) return null;
      watched = {
        ban,
        confirmed: appliedAt,
        modules: new Set(),
        lines: 0,
        lastLine: appliedAt,
        hasWarned: false,
      };
    }
    this.#watched.delete(id);
    this.#watched.set(id, watched);
    if (this.#watched.size > MOST) this.#watched.delete(this.#watched.keys().next().value!);
    return watched;
  }
}

/** Opens `Leaks` for networks that a configuration bans, or that people usually ban. */
export function openLeaks(
  { modules, ipv6Prefix, networkBans }: Pick<Config, "modules" | "ipv6Prefix" | "networkBans">,
  parts: Pick<LeaksParts, "bansOf" | "log">,
): Leaks {
  return new Leaks({
    modules: modules.map(({ module: { name }, rules }) => ({ name, scope: rules[0]?.scope ?? "all" })),
    lengths: {
      ipv4: [...networkBans.flatMap(({ ipv4 }) => ipv4 ?? []), 8, 16, 24],
      ipv6: [ipv6Prefix, ...networkBans.flatMap(({ ipv6 }) => ipv6 ?? []), 32, 48, 56, 64],
    },
    ...parts,
  });
}

function leakOf({ ban, modules, lines, lastLine }: WatchedBan): Leak {
  const { address, scope, start: since } = ban;
  return { address, scope: formatScope(scope), since, modules: [...modules], lines, lastLine };
}

/** Returns the sentence about a banned address that goes on sending lines. */
export function leakText({ address, scope, since, modules, lines, lastLine }: Leak): string {
  const name = scope === "all" ? address : `${address} (${scope})`;
  return `${name} is banned since ${localTime(since)} and still getting through: ` +
    `${counted(lines, "line")} of ${modules.join(", ")}, the last at ${localTime(lastLine)}`;
}
