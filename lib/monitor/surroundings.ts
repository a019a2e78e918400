/**
 * Machines around this one that must not be banned, as it would lose its network: default gateways,
 * name servers and the database's host. In: answers of `ip route`, resolv.conf, the peer of the
 * database's connection. Out: entries of the whitelist in the state. A source that does not answer
 * keeps its last entries.
 */
import { RESOLVERS, ROUTES } from "../config/permissions.ts";
import { canonicalAddress } from "../core/address.ts";
import { NEVER_BANNED } from "../core/address_kind.ts";
import { Bell, pause } from "../core/async.ts";
import { Runner } from "../core/child_process.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { watchOutput } from "../core/output_watch.ts";
import { type Micros, SECOND } from "../core/time.ts";
import type { State } from "../state/state.ts";
import { entriesText, withEnd } from "./whitelist_entries.ts";
import type { Surrounding, WhitelistEntry } from "../deciding/whitelist.ts";

/** Answers by the name of their source; null: it does not answer. */
export type Answers = Readonly<Record<string, string | null>>;

/** Queries of the system. */
export interface SurroundingsSources {
  /** Default routes, as `ip route` writes them. */
  routes(signal: AbortSignal): Promise<Answers>;
  /** Files in the form of resolv.conf. */
  resolvers(): Answers;
  /** Calls `changed` when default routes may have changed, until `signal` aborts. Never throws. */
  watch(changed: () => void, signal: AbortSignal): Promise<void>;
}

/** State, log, clock and sources of `Surroundings`. */
export interface SurroundingsParts {
  readonly state: Pick<State, "whitelist" | "replaceWhitelist">;
  readonly log: Log;
  readonly clock: () => Micros;
  readonly sources: SurroundingsSources;
  /** The configured host of the database; null: there is no database. */
  readonly database: string | null;
  /** Called when the whitelist has changed. */
  readonly changed: () => void;
}

/** Milliseconds between two queries, and the least ones when routes change again and again. */
const [LOOKING, LEAST] = [60_000, 500];

/** Keeps the whitelist entries of the machines around this one. */
export class Surroundings {
  readonly #parts: SurroundingsParts;
  readonly #bell = new Bell();
  #isKnown = false;

  constructor(parts: SurroundingsParts) {
    this.#parts = parts;
    const { database } = parts;
    if (database === null) this.#replaceEntries("database host", () => []);
    else this.note("database host", [database]);
  }

  /** Reports whether the system has been asked at least once. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /**
   * Asks the system now, every minute and when default routes change, until `signal` aborts. Never
   * throws.
   */
  async follow(signal: AbortSignal): Promise<void> {
    const watching = this.#parts.sources.watch(() => this.#bell.ring(), signal);
    while (!signal.aborted) {
      await this.#look(signal);
      await pause(LEAST, signal);
      await this.#bell.wait(LOOKING, signal);
      this.#bell.take();
    }
    await watching;
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

  /** Whitelists the addresses among the texts that were found. Never throws. */
  note(origin: Surrounding, found: readonly string[]): void {
    this.#take(origin, { "": found.join("\n") }, (text) => text.split("\n"));
  }

  /**
   * Whitelists the addresses that `read` finds in the answers. An entry's note names its sources;
   * it gets an end when all of them have answered without it.
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
    this.#replaceEntries(origin, (before, now) => {
      const earlier = new Map(before.map((entry) => [entry.address, entry]));
      const present = [...found].filter(([address]) => !NEVER_BANNED.covers(address))
        .map(([address, sources]) => {
          const stay = silentSources(earlier.get(address)?.note ?? "", silent);
          return { address, note: [...sources, ...stay].sort().join(BETWEEN_SOURCES), until: null };
        });
      const gone = before.filter(({ address }) => !found.has(address)).map((entry) =>
        silentSources(entry.note, silent).length > 0 ? entry : withEnd(entry, now)
      );
      return [...present, ...gone];
    });
  }

  /** Replaces the entries of an origin by the result of `change`, if it differs. */
  #replaceEntries(
    origin: Surrounding,
    change: (before: readonly WhitelistEntry[], now: Micros) => WhitelistEntry[],
  ): void {
    const { state, log, clock, changed } = this.#parts;
    try {
      const now = clock();
      const before = state.whitelist(origin, now);
      const after = change(before, now);
      if (entriesText(before) === entriesText(after)) return;
      state.replaceWhitelist(origin, after, now);
      log.debug(() => `${origin}: ${after.map(({ address }) => address).join(", ")}`);
      changed();
    } catch (error) {
      log.warn(`Cannot keep the ${origin} on the whitelist, trying again: ${messageOf(error)}`);
    }
  }
}

/** Separates the sources in the note of an entry. */
const BETWEEN_SOURCES = ", ";

/** Returns the `silent` ones among the sources that a note names. */
function silentSources(note: string, silent: readonly string[]): string[] {
  return note.split(BETWEEN_SOURCES).filter((source) => silent.includes(source));
}

/** Returns the gateways of default routes as `ip route` writes them, also of multipath routes. */
export function gatewaysIn(routes: string): string[] {
  return [...routes.matchAll(/\bvia (?:inet6? )?(\S+)/g)].map(([, gateway]) => gateway!);
}

/** Reports whether a line of `ip monitor route` is about a default route, also one of several hops. */
export function isOfDefaultRoute(line: string): boolean {
  return /^(?:Deleted )?(?:\w+ )?default\b/.test(line);
}

/** Returns the name servers of resolv.conf(5). */
export function nameServersIn(text: string): string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, server]) => server!);
}

const TIMEOUT: Micros = 5 * SECOND;

/** Returns the queries of this system. */
export function systemSources(log: Log, runner: Pick<Runner, "run"> = new Runner()): SurroundingsSources {
  const complaints = new Map<string, string>();
  const ask = async (family: string, signal: AbortSignal) => {
    const argv = [ROUTES, family, "route", "show", "table", "all", "default"];
    const { output, error } = await runner.run(argv, { timeout: TIMEOUT, signal, output: true });
    if (error !== null && error !== complaints.get(family) && !signal.aborted) {
      complaints.set(family, error);
      log.warn(`Cannot tell the default gateway, whitelist it yourself: ${argv.join(" ")}: ${error}`);
    }
    return error === null ? output : null;
  };
  return {
    routes: async (signal) => {
      const [ipv4, ipv6] = await Promise.all([ask("-4", signal), ask("-6", signal)]);
      return { [`${ROUTES} -4`]: ipv4, [`${ROUTES} -6`]: ipv6 };
    },
    watch: (changed, signal) => {
      const told = (lines: readonly string[]) => lines.some(isOfDefaultRoute) && changed();
      return watchOutput([ROUTES, "monitor", "route"], { told, missed: changed, signal });
    },
    resolvers: () => Object.fromEntries(RESOLVERS.map((path) => [path, readIfPossible(path)])),
  };
}

/** Returns a file's text, empty if it does not exist; null: it cannot be read. */
function readIfPossible(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "" : null;
  }
}
