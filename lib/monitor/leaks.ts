/**
 * Banned addresses that go on sending lines: behind a proxy, past the firewall, or by a command
 * that does nothing. Comes in: events, once they are committed, and what the state says of bans.
 * Goes out: one warning for each ban, and a list for `status`. A few addresses are remembered
 * between two looks, and asked for together.
 */
import type { Config } from "../config/types.ts";
import { enclosing } from "../core/address.ts";
import { clientBitsOf } from "../core/address_kind.ts";
import type { Log } from "../core/log.ts";
import { coversScope, formatScope, type Scope } from "../core/scope.ts";
import { HOUR, type Micros, MINUTE, SECOND } from "../core/time.ts";
import { type Ban, nameOf } from "../deciding/ban.ts";
import type { LogEvent } from "../reading/event.ts";
import { END, SILENCE } from "../reading/message_reader.ts";
import { Sightings } from "./sightings.ts";

/** A ban in force that the firewall has confirmed at `appliedAt`; null: it is being told of it. */
export interface AppliedBan extends Pick<Ban, "id" | "address" | "scope" | "start"> {
  readonly appliedAt: Micros | null;
}

/** A banned address that goes on sending lines. */
export interface Leak {
  readonly address: string;
  /** The traffic that the ban is to cut off, as `formatScope()` spells it. */
  readonly scope: string;
  /** Start of the ban. */
  readonly since: Micros;
  /** Names of the modules whose lines these are. */
  readonly modules: readonly string[];
  /** Lines written since the firewall confirmed the ban, and the time of the last one. */
  readonly lines: number;
  readonly lastLine: Micros;
}

/** What `Leaks` works with. */
export interface LeaksParts {
  /** By index of the module. */
  readonly modules: readonly { readonly name: string; readonly scope: Scope }[];
  /** Bans in force of these addresses and networks. */
  readonly bansOf: (addresses: readonly string[]) => readonly AppliedBan[];
  /** Prefix lengths of networks that rules ban, or, mostly, people. */
  readonly lengths: { readonly ipv4: readonly number[]; readonly ipv6: readonly number[] };
  readonly log: Log;
}

/** Bans that are followed at most. */
const MOST = 1_000;
/** Leaks that are named in the report. */
const MOST_NAMED = 20;
/** What was on its way when the firewall confirmed a ban, as a password that sshd takes seconds to refuse. */
const GRACE: Micros = 5 * SECOND;
/** Lines that make a leak. */
const ENOUGH = 3;
/** How long after its last line a leak is told of in the report, and its ban is remembered. */
const [RECENT, REMEMBERED]: readonly [Micros, Micros] = [10 * MINUTE, HOUR];

interface Followed {
  readonly ban: AppliedBan;
  /** When the firewall first confirmed the ban. */
  readonly confirmed: Micros;
  readonly modules: Set<string>;
  lines: number;
  lastLine: Micros;
  isTold: boolean;
}

/** Watches for lines of banned addresses. */
export class Leaks {
  readonly #parts: LeaksParts;
  /** Lines that are not committed yet. */
  readonly #read = new Sightings();
  /** Lines committed since the last look. */
  readonly #committed = new Sightings();
  /** By id of the ban, the one with the latest line last. */
  readonly #followed = new Map<number, Followed>();

  constructor(parts: LeaksParts) {
    this.#parts = parts;
  }

  /**
   * Remembers who an event names, until `keepSeen()` or `dropSeen()`. What a service writes of a
   * connection that it has heard nothing more of is no sign of the client: sshd waits two minutes
   * for one that was cut off, and nginx one.
   */
  see(event: LogEvent): void {
    const { reader: { address: { isAddress }, says, status }, isTrusted, isUnderstood } = event;
    if (
      !isUnderstood || !isAddress || !isTrusted || says === END || says === SILENCE || status === 408 ||
      status === 499
    ) {
      return;
    }
    this.#read.add(event);
  }

  /** Counts what was seen: it is committed. */
  keepSeen(): void {
    this.#committed.takeOver(this.#read);
  }

  /** Forgets what was seen and is not committed: it is going to be read again. */
  dropSeen(): void {
    this.#read.clear();
  }

  /**
   * Holds what was committed since the last call against the bans in force, and warns of each leak
   * once. Returns the leaks.
   */
  look(now: Micros): Leak[] {
    const seen = this.#take();
    const wanted = [...seen.keys(), ...[...this.#followed.values()].map(({ ban }) => ban.address)];
    if (wanted.length > 0) this.#compare(seen, this.#parts.bansOf([...new Set(wanted)]));
    for (const [id, { lastLine }] of this.#followed) {
      if (lastLine < now - REMEMBERED) this.#followed.delete(id);
    }
    return [...this.#followed.values()]
      .filter(({ isTold, lastLine }) => isTold && lastLine >= now - RECENT)
      .toSorted((a, b) => b.lines - a.lines)
      .slice(0, MOST_NAMED)
      .map(leakOf);
  }

  /** The slots in use by their addresses and by the networks around these, and empties them. */
  #take(): Map<string, number[]> {
    const { lengths } = this.#parts;
    const seen = new Map<string, number[]>();
    for (const [slot, address] of this.#committed.slots()) {
      const around = address.includes(":") ? [...lengths.ipv6, clientBitsOf(address) || 128] : lengths.ipv4;
      for (const target of new Set([address, ...around.map((length) => enclosing(address, length))])) {
        seen.set(target, [...seen.get(target) ?? [], slot]);
      }
    }
    return seen;
  }

  #compare(seen: ReadonlyMap<string, readonly number[]>, bans: readonly AppliedBan[]): void {
    const inForce = new Set(bans.map(({ id }) => id));
    for (const id of this.#followed.keys()) if (!inForce.has(id)) this.#followed.delete(id);
    for (const ban of bans) {
      for (const slot of seen.get(ban.address) ?? []) this.#hold(ban, slot);
    }
    this.#committed.clear();
  }

  /** Counts the lines of a slot that were written after its ban was confirmed. */
  #hold(ban: AppliedBan, slot: number): void {
    const { modules, counts, first: firsts, last: lasts } = this.#committed;
    const module = this.#parts.modules[modules[slot]!]!;
    if (!coversScope(ban.scope, module.scope)) return;
    const followed = this.#follow(ban);
    const [first, last] = [firsts[slot]!, lasts[slot]!];
    if (followed === null || last <= followed.confirmed + GRACE) return;
    followed.lines += first > followed.confirmed + GRACE ? counts[slot]! : 1;
    followed.lastLine = Math.max(followed.lastLine, last);
    followed.modules.add(module.name);
    if (followed.isTold || followed.lines < ENOUGH) return;
    followed.isTold = true;
    this.#parts.log.warn(sentence(followed));
  }

  /**
   * What is known of a ban; null: the firewall has never confirmed it. A ban that is told again
   * keeps its first time.
   */
  #follow(ban: AppliedBan): Followed | null {
    const known = this.#followed.get(ban.id);
    if (known === undefined && ban.appliedAt === null) return null;
    const followed = known ??
      {
        ban,
        confirmed: ban.appliedAt!,
        modules: new Set<string>(),
        lines: 0,
        lastLine: ban.appliedAt!,
        isTold: false,
      };
    this.#followed.delete(ban.id);
    this.#followed.set(ban.id, followed);
    if (this.#followed.size > MOST) this.#followed.delete(this.#followed.keys().next().value!);
    return followed;
  }
}

/** Watches for lines of addresses that the rules and networks of a configuration ban, or people. */
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

function leakOf({ ban, modules, lines, lastLine }: Followed): Leak {
  const { address, scope, start: since } = ban;
  return { address, scope: formatScope(scope), since, modules: [...modules], lines, lastLine };
}

function sentence({ ban, modules, lines, lastLine }: Followed): string {
  return `${nameOf(ban)} is banned since ${local(ban.start)} and still getting through: ${lines} lines of ` +
    `${[...modules].join(", ")}, the last at ${
      local(lastLine)
    }: a proxy brings its packets, or the firewall does not stop them`;
}

function local(time: Micros): string {
  return new Date(time / 1_000).toLocaleString("sv-SE");
}
