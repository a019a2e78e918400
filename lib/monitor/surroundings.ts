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
    if (database === null) this.#keep("database host", () => []);
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

  /** Takes note of what was found: texts that are addresses, and perhaps others. Never throws. */
  note(origin: Surrounding, found: readonly string[]): void {
    const all = found.flatMap((text) => canonicalAddress(text) ?? []);
    if (all.length === 0) return;
    const addresses = new Set(all.filter((address) => !NEVER_BANNED.covers(address)));
    this.#keep(origin, (before, now) => [
      ...[...addresses].map((address) => ({ address, note: "", until: null })),
      ...before.filter(({ address }) => !addresses.has(address))
        .map((entry) => ({ ...entry, until: entry.until ?? now + LATELY })),
    ]);
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

function spell(entries: readonly WhitelistEntry[]): string {
  return entries.map(({ address, until }) => `${address} ${until}`).sort().join();
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
