/**
 * Machines around this one whose ban would cut it off from more than an attacker: default gateways, name servers
 * and the database's host. Comes in: answers of `ip route`, resolv.conf, the peer of the database's connection. Goes
 * out: entries of the whitelist in the state. No answer is no news: what was found last stays.
 */
import { RESOLVERS, ROUTES } from "../config/permissions.ts";
import { canonicalAddress } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { NOBODYS } from "../core/address_kind.ts";
import { every } from "../core/async.ts";
import { Runner } from "../core/child_process.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { DAY, type Micros, SECOND } from "../core/time.ts";
import type { Surrounding, WhitelistEntry } from "../deciding/whitelist.ts";

/** What `Surroundings` needs of the state. */
export interface SurroundingsState {
  whitelist(origin: string, now: Micros): WhitelistEntry[];
  replaceWhitelist(origin: string, entries: readonly WhitelistEntry[], now: Micros): void;
}

/** Asks the system. Each answer is a text, or null where there is none. */
export interface SurroundingsSources {
  /** Default routes, as `ip route` writes them. */
  routes(signal: AbortSignal): Promise<string | null>;
  /** Files in the form of resolv.conf. */
  resolvers(): string | null;
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
/** How long something that is found no longer stays whitelisted: a network that is down comes back. */
const LATELY: Micros = DAY;

const NEVER_BANNED = new NetworkSet(Object.values(NOBODYS).flat());

/** Keeps the machines around this one on the whitelist. */
export class Surroundings {
  readonly #parts: SurroundingsParts;
  #isKnown = false;

  constructor(parts: SurroundingsParts) {
    this.#parts = parts;
    const { database } = parts;
    if (database === null) this.#store("database host", []);
    else this.note("database host", [database]);
  }

  /** Whether the system has been asked at least once. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** Asks the system now and every minute until `signal` aborts. Never throws. */
  async follow(signal: AbortSignal): Promise<void> {
    const look = async () => {
      const { sources: { routes, resolvers } } = this.#parts;
      this.note("name server", nameServersIn(resolvers() ?? ""));
      this.note("gateway", gatewaysIn(await routes(signal) ?? ""));
      this.#isKnown = true;
    };
    await look();
    await every(LOOKING, signal, () => void look());
  }

  /** Takes note of what was found: texts that are addresses, and perhaps others. */
  note(origin: Surrounding, found: readonly string[]): void {
    const { state, log, clock } = this.#parts;
    const all = found.flatMap((text) => canonicalAddress(text) ?? []);
    if (all.length === 0) return;
    const addresses = new Set(all.filter((address) => !NEVER_BANNED.covers(address)));
    const now = clock();
    const before = state.whitelist(origin, now);
    const isIn = ({ address }: WhitelistEntry) => addresses.has(address);
    const standing = before.filter((entry) => isIn(entry) && entry.until === null);
    const gone = before.filter((entry) => !isIn(entry));
    if (standing.length === addresses.size && gone.every(({ until }) => until !== null)) return;
    if (
      this.#store(origin, [
        ...[...addresses].map((address) => ({ address, note: "", until: null })),
        ...gone.map((entry) => ({ ...entry, until: entry.until ?? now + LATELY })),
      ])
    ) log.debug(() => `${origin}: ${[...addresses].join(", ")}`);
  }

  #store(origin: Surrounding, entries: readonly WhitelistEntry[]): boolean {
    const { state, log, clock, changed } = this.#parts;
    const now = clock();
    try {
      if (entries.length === 0 && state.whitelist(origin, now).length === 0) return false;
      state.replaceWhitelist(origin, entries, now);
      changed();
      return true;
    } catch (error) {
      log.warn(`Cannot whitelist the ${origin}, trying again: ${messageOf(error)}`);
      return false;
    }
  }
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
    return output;
  };
  return {
    routes: async (signal) => (await Promise.all([ask("-4", signal), ask("-6", signal)])).join("\n"),
    resolvers: () => RESOLVERS.map(readOrNothing).join("\n"),
  };
}

function readOrNothing(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
