/**
 * Banned addresses that go on sending lines: behind a proxy, past the firewall, or by a command that does nothing.
 * Comes in: events, as they are read, and what the state says of bans. Goes out: one warning for each ban, and a list
 * for `status`. A few addresses are remembered between two looks, and asked for together.
 */
import { ADDRESS_WORDS, enclosing } from "../core/address.ts";
import { clientBitsOf } from "../core/address_kind.ts";
import { addressText } from "../core/address_reader.ts";
import type { Log } from "../core/log.ts";
import { coversScope, formatScope, type Scope } from "../core/scope.ts";
import { HOUR, type Micros, MINUTE, SECOND } from "../core/time.ts";
import { type Ban, nameOf } from "../deciding/ban.ts";
import type { LogEvent } from "../reading/event.ts";
import { END, SILENCE } from "../reading/message_reader.ts";
import { mix, seed } from "../rules/hash.ts";

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
  /** Lengths of prefixes of networks that are banned here. */
  readonly lengths: { readonly ipv4: readonly number[]; readonly ipv6: readonly number[] };
  readonly log: Log;
}

/** Addresses of modules that are remembered between two looks; a later one takes the place of an earlier one. */
const SLOTS = 256;
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
  readonly #seed = seed();
  readonly #words = new Int32Array(SLOTS * ADDRESS_WORDS);
  readonly #modules = new Int32Array(SLOTS);
  readonly #counts = new Int32Array(SLOTS);
  readonly #first = new Float64Array(SLOTS);
  readonly #last = new Float64Array(SLOTS);
  /** By id of the ban, the one with the latest line last. */
  readonly #followed = new Map<number, Followed>();

  constructor(parts: LeaksParts) {
    this.#parts = parts;
  }

  /**
   * Remembers who an event names. What a service writes of a connection that it has heard nothing more of is no sign of
   * the client: sshd waits two minutes for one that was cut off, and nginx one.
   */
  see({ reader, module, time, isTrusted, isUnderstood }: LogEvent): void {
    const { address: { isAddress, w0, w1, w2, w3 }, says, status } = reader;
    if (
      !isUnderstood || !isAddress || !isTrusted || says === END || says === SILENCE || status === 408 ||
      status === 499
    ) {
      return;
    }
    const words = this.#words;
    const slot = mix(mix(mix(this.#seed ^ module, w1 ^ w2), w3 >>> 16), w3 & 0xffff) & SLOTS - 1;
    const at = slot * ADDRESS_WORDS;
    const isSame = words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2 && words[at + 3] === w3 &&
      this.#modules[slot] === module;
    if (isSame && this.#counts[slot]! > 0) this.#counts[slot]!++;
    else {
      words[at] = w0;
      words[at + 1] = w1;
      words[at + 2] = w2;
      words[at + 3] = w3;
      this.#modules[slot] = module;
      this.#counts[slot] = 1;
      this.#first[slot] = time;
    }
    this.#last[slot] = time;
  }

  /** Holds what was seen since the last call against the bans in force, and warns of each leak once. Returns the leaks. */
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
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#counts[slot] === 0) continue;
      const address = addressText(this.#words, slot * ADDRESS_WORDS, 128);
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
    this.#counts.fill(0);
  }

  /** Counts the lines of a slot that were written after its ban was confirmed. */
  #hold(ban: AppliedBan, slot: number): void {
    const module = this.#parts.modules[this.#modules[slot]!]!;
    if (!coversScope(ban.scope, module.scope)) return;
    const followed = this.#follow(ban);
    const [first, last] = [this.#first[slot]!, this.#last[slot]!];
    if (followed === null || last <= followed.confirmed + GRACE) return;
    followed.lines += first > followed.confirmed + GRACE ? this.#counts[slot]! : 1;
    followed.lastLine = Math.max(followed.lastLine, last);
    followed.modules.add(module.name);
    if (followed.isTold || followed.lines < ENOUGH) return;
    followed.isTold = true;
    this.#parts.log.warn(sentence(followed));
  }

  /** What is known of a ban; null: the firewall has never confirmed it. A ban that is told again keeps its first time. */
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
