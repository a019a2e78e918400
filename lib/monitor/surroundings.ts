/**
 * Machines around this one whose ban would cut it off from more than an attacker: default gateways,
 * name servers and the database's host. Comes in: answers of `ip route`, resolv.conf, the peer of
 * the database's connection. Goes out: entries of the whitelist in the state. No answer is no news:
 * what was found last stays.
 */
import { RESOLVERS, ROUTES } from "../config/permissions.ts";
import { canonicalAddress } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { NOBODYS } from "../core/address_kind.ts";
import { pause } from "../core/async.ts";
import { Runner } from "../core/child_process.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { type Micros, SECOND } from "../core/time.ts";
import { ofLate, spell } from "./lately.ts";
import type { Surrounding, WhitelistEntry } from "../deciding/whitelist.ts";

/** What `Surroundings` needs of the state. */
export interface SurroundingsState {
  whitelist(origin: string, now: Micros): WhitelistEntry[];
  replaceWhitelist(origin: string, entries: readonly WhitelistEntry[], now: Micros): void;
}

/** What each source says, by its name; null: it does not answer. */
export type Answers = Readonly<Record<string, string | null>>;

/** Asks the system. */
export interface SurroundingsSources {
  /** Default routes, as `ip route` writes them. */
  routes(signal: AbortSignal): Promise<Answers>;
  /** Files in the form of resolv.conf. */
  resolvers(): Answers;
}

/** State, log, clock and sources of `Surroundings`. */
export interface SurroundingsParts {
  readonly state: SurroundingsState;
  readonly log: Log;
  readonly clock: () => Micros;
  readonly sources: SurroundingsSources;
  /** The database's host as it is configured; null: there is no database. */
  readonly database: string | null;
  /** Called when the whitelist has changed. */
  readonly changed: () => void;
}

/** Milliseconds between two looks. */
const LOOKING = 60_000;

const NEVER_BANNED = new NetworkSet(Object.values(NOBODYS).flat());

/** Keeps the machines around this one on the whitelist. */
export class Surroundings {
  readonly #parts: SurroundingsParts;
  #isKnown = false;

  constructor(parts: SurroundingsParts) {
    this.#parts = parts;
    const { database } = parts;
    if (database === null) this.#keep("database host", () => []);
    else this.note("database host", [database]);
  }

  /** Whether the system has been asked at least once. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Asks the system now and every minute until `signal` aborts. Never throws. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look(signal);
      await pause(LOOKING, signal);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { sources, log } = this.#parts;
    try {
      this.#take("name server", sources.resolvers(), nameServersIn);
      this.#take("gateway", await sources.routes(signal), gatewaysIn);
    } catch (error) {
      log.warn(`Cannot look for gateways and name servers, trying again: ${messageOf(error)}`);
    } finally {
      this.#isKnown = true;
    }
  }

  /** Takes note of what was found: texts that are addresses, and perhaps others. Never throws. */
  note(origin: Surrounding, found: readonly string[]): void {
    this.#take(origin, { "": found.join("\n") }, (text) => text.split("\n"));
  }

  /**
   * Takes note of the addresses that `read` finds in the answers. An entry names its sources in its
   * note, and ages when all of them have answered without it.
   */
  #take(origin: Surrounding, answers: Answers, read: (text: string) => string[]): void {
    const found = new Map<string, string[]>();
    for (const [source, text] of Object.entries(answers)) {
      for (const address of new Set(read(text ?? "").flatMap((text) => canonicalAddress(text) ?? []))) {
        found.set(address, [...found.get(address) ?? [], source]);
      }
    }
    if (found.size === 0) return;
    const silent = Object.keys(answers).filter((source) => answers[source] === null);
    this.#keep(origin, (before, now) => {
      const earlier = new Map(before.map((entry) => [entry.address, entry]));
      const present = [...found].filter(([address]) => !NEVER_BANNED.covers(address))
        .map(([address, sources]) => {
          const stay = silentSources(earlier.get(address)?.note ?? "", silent);
          return { address, note: [...sources, ...stay].sort().join(BETWEEN_SOURCES), until: null };
        });
      const gone = before.filter(({ address }) => !found.has(address)).map((entry) => {
        // An entry of an older version names no source.
        const isUnknown = entry.note === ""
          ? silent.length > 0
          : silentSources(entry.note, silent).length > 0;
        return isUnknown ? entry : ofLate(entry, now);
      });
      return [...present, ...gone];
    });
  }

  /** Puts what `change` makes of the entries of an origin in their place, where that differs. */
  #keep(
    origin: Surrounding,
    change: (before: readonly WhitelistEntry[], now: Micros) => WhitelistEntry[],
  ): void {
    const { state, log, clock, changed } = this.#parts;
    try {
      const now = clock();
      const before = state.whitelist(origin, now);
      const after = change(before, now);
      if (spell(before) === spell(after)) return;
      state.replaceWhitelist(origin, after, now);
      log.debug(() => `${origin}: ${after.map(({ address }) => address).join(", ")}`);
      changed();
    } catch (error) {
      log.warn(`Cannot keep the ${origin} on the whitelist, trying again: ${messageOf(error)}`);
    }
  }
}

/** Stands between the sources in the note of an entry. */
const BETWEEN_SOURCES = ", ";

/** Returns the sources that a note names, as far as they are `silent`. */
function silentSources(note: string, silent: readonly string[]): string[] {
  return note.split(BETWEEN_SOURCES).filter((source) => silent.includes(source));
}

/** The gateways of default routes as `ip route` writes them, with those of routes of several ways. */
export function gatewaysIn(routes: string): string[] {
  return [...routes.matchAll(/\bvia (?:inet6? )?(\S+)/g)].map(([, gateway]) => gateway!);
}

/** The name servers of resolv.conf(5). */
export function nameServersIn(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, server]) => server!);
}

const PATIENCE: Micros = 5 * SECOND;

/** The system's own answers. */
export function systemSources(log: Log): SurroundingsSources {
  const runner = new Runner();
  let complaint = "";
  const ask = async (family: string, signal: AbortSignal) => {
    const argv = [ROUTES, family, "route", "show", "table", "all", "default"];
    const { output, error } = await runner.run(argv, { timeout: PATIENCE, signal, output: true });
    if (error !== null && error !== complaint && !signal.aborted) {
      complaint = error;
      log.warn(`Cannot tell the default gateway, whitelist it yourself: ${argv.join(" ")}: ${error}`);
    }
    return error === null ? output : null;
  };
  return {
    routes: async (signal) => {
      const [ipv4, ipv6] = await Promise.all([ask("-4", signal), ask("-6", signal)]);
      return { [`${ROUTES} -4`]: ipv4, [`${ROUTES} -6`]: ipv6 };
    },
    resolvers: () => Object.fromEntries(RESOLVERS.map((path) => [path, readIfPossible(path)])),
  };
}

/** Reads a file, of which one that does not exist says nothing; null: it cannot be read. */
function readIfPossible(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "" : null;
  }
}
