import type { Config } from "../config/types.ts";
import { laterOf } from "../config/whitelist.ts";
import { Names, type Resolve } from "./names.ts";
import {
  type KeptOrigin,
  Whitelist,
  type WhitelistEntry,
  type WhitelistOrigin,
} from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { abortedWith, pause } from "../core/async.ts";
import type { Log } from "../core/log.ts";
import { messageOf, tried } from "../core/error.ts";
import type { Micros } from "../core/time.ts";
import { entriesText, givenMembers, keptMembers, ownAddresses, withEnd } from "./whitelist_entries.ts";
import { WhitelistFiles } from "./whitelist_files.ts";

/** State, log, clock and resolver of `Whitelisting`. */
export interface WhitelistParts {
  readonly state: State;
  readonly log: Log;
  readonly clock: () => Micros;
  readonly resolve: Resolve;
  /** Called when the addresses of names or of other sources have changed. */
  readonly changed: () => void;
}

/** The parts of a configuration that `Whitelisting` reads. */
export type WhitelistingConfig = Pick<Config, "whitelist" | "database">;

/** Milliseconds between looks at awaited answers, and before failed names are asked again. */
const [BETWEEN_LOOKS, RETRY] = [200, 10_000];

/**
 * Builds the whitelist from the configuration, whitelist files, the state, DNS and this machine's
 * addresses. A source that does not answer keeps its entries in the state.
 */
export class Whitelisting {
  readonly whitelist = new Whitelist();
  readonly #config: WhitelistingConfig;
  readonly #parts: WhitelistParts;
  readonly #files: WhitelistFiles;
  readonly #resolver: Names;
  /** DNS names whose entries have not ended, without duplicates. */
  #names: readonly WhitelistEntry[] = [];
  /** Aborted when `#names` changes. */
  #namesChange = new AbortController();
  /** Names of the last complete round of resolving. */
  #tried: ReadonlySet<string> = new Set();
  /** This machine's addresses at the last look. */
  #own = presentAddresses();
  /** The last addresses of names to store, and whether the state holds them. */
  #namesText: string;
  #isStored = true;
  /** The failure of the state that was logged last; null: the last write succeeded. */
  #complaint: string | null = null;
  /** When the next entry ends. */
  #nextEnd: Micros = Infinity;

  constructor(config: WhitelistingConfig, parts: WhitelistParts) {
    const { state, log, resolve, clock } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#files = new WhitelistFiles(config.whitelist.files, { log, state });
    const stored = state.whitelist("name", clock());
    this.#namesText = entriesText(stored);
    this.#resolver = new Names({ log, resolve, clock, known: addressesByName(stored) });
    // Drop the whitelist of a database that is no longer configured.
    if (config.database === null) this.#store("database", []);
    this.gather();
  }

  /** Reports whether every name whitelisted now has been tried at least once. */
  get namesResolved(): boolean {
    return this.#names.every(({ address }) => this.#tried.has(address));
  }

  /**
   * Builds the whitelist from the configuration, the files, the state and this machine's addresses,
   * without ended entries. Call it every minute and after each change of the state.
   */
  gather(): void {
    const { state, log, clock } = this.#parts;
    const now = clock();
    const before = this.whitelist.revision;
    const given = givenMembers(this.#config, { contents: this.#files.contents, state, now });
    this.#setNames(given.names);
    const parts: readonly [WhitelistOrigin, readonly string[]][] = [
      ["configuration", given.configured],
      ...keptMembers(state, now, {
        name: this.#names.flatMap(({ address }) => this.#resolver.addressesOf(address)),
        machine: this.#ownMembers(now),
        ...this.#config.database === null ? { database: [] } : {},
      }),
    ];
    for (const [origin, members] of parts) this.whitelist.set(origin, members);
    this.whitelist.setAll("whitelist file", given.listed.map(({ set }) => set));
    this.#nextEnd = Math.min(given.nextEnd, state.nextWhitelistEnd(now) ?? Infinity);
    if (this.whitelist.revision === before) return;
    const listedCount = given.listed.reduce((sum, { count }) => sum + count, 0);
    const counts = [...parts.map(([origin, { length }]) => [origin, length]), ["whitelist file", listedCount]]
      .flatMap(([origin, count]) => count === 0 ? [] : `${count} by ${origin}`);
    log.debug(() => `whitelisted: ${counts.join(", ")}`);
  }

  /** A sentence for each whitelist file that cannot be read, and for each with doubtful lines. */
  get problems(): string[] {
    return this.#files.problems;
  }

  /**
   * Reads the changed files and this machine's addresses, and calls `changed` if they brought
   * something new or an entry has ended, unless `signal` has aborted. Call it every second.
   */
  async look(signal: AbortSignal): Promise<void> {
    const haveFilesChanged = await this.#files.look(signal);
    const own = this.#own;
    this.#own = presentAddresses();
    const haveOwnChanged = this.#own.join() !== own.join();
    const hasAnyEnded = this.#nextEnd <= this.#parts.clock();
    if (!signal.aborted && (haveFilesChanged || haveOwnChanged || hasAnyEnded)) this.#parts.changed();
  }

  /**
   * Resolves the names every `whitelist_refresh` until `signal` aborts, and sooner while one of
   * them fails. An answer counts at once, while others are still awaited.
   */
  async followNames(signal: AbortSignal): Promise<void> {
    const { refresh } = this.#config.whitelist;
    while (!signal.aborted) {
      const names = this.#names.map(({ address }) => address);
      using change = this.#namesChange = abortedWith(signal);
      const stop = change.signal;
      let isAnswered: boolean | null = null;
      const refreshing = this.#resolver.refresh(names, stop).then((result) => isAnswered = result);
      while (isAnswered === null && !stop.aborted) {
        await Promise.race([refreshing, pause(BETWEEN_LOOKS, stop)]);
        if (!stop.aborted && this.#keepNames()) this.#parts.changed();
      }
      if (stop.aborted) continue;
      this.#tried = new Set(names);
      const wait = refresh / 1_000;
      await pause(isAnswered ? wait : Math.min(wait, RETRY), stop);
    }
  }

  /**
   * Returns this machine's addresses of now and of the last day, as an interface may not be up yet at
   * a start, and stores them if they have changed.
   */
  #ownMembers(now: Micros): string[] {
    const before = this.#parts.state.whitelist("machine", now);
    const present = presentAddresses();
    const entries = [
      ...present.map((address) => ({ address, note: "", until: null })),
      ...before.filter(({ address }) => !present.includes(address)).map((entry) => withEnd(entry, now)),
    ];
    if (entriesText(entries) !== entriesText(before)) this.#store("machine", entries);
    return entries.map(({ address }) => address);
  }

  #setNames(names: readonly WhitelistEntry[]): void {
    const list = (names: readonly WhitelistEntry[]) =>
      entriesText(names.map((name) => ({ ...name, note: "" })));
    const hasChanged = list(names) !== list(this.#names);
    this.#names = names;
    if (hasChanged) this.#namesChange.abort();
    if (this.#files.areRead) this.#resolver.keepOnly(names.map(({ address }) => address));
    this.#keepNames();
  }

  /**
   * Stores the addresses of the names, once each file was read: until then the state may have those
   * of a file. An address of several names ends with their last entry. Reports whether the addresses
   * have changed.
   */
  #keepNames(): boolean {
    const entries = new Map<string, WhitelistEntry>();
    for (const { address: name, until } of this.#names) {
      for (const address of this.#resolver.addressesOf(name)) {
        const other = entries.get(address);
        const note = other === undefined ? name : other.note + BETWEEN_NAMES + name;
        const end = other === undefined ? until : laterOf(other.until, until);
        entries.set(address, { address, note, until: end });
      }
    }
    const text = entriesText([...entries.values()]);
    const hasChanged = text !== this.#namesText;
    this.#namesText = text;
    if (hasChanged || !this.#isStored) {
      this.#isStored = this.#files.areRead && this.#store("name", [...entries.values()]);
    }
    return hasChanged;
  }

  /** Stores `entries` as those of `origin`. False if it fails: memory still has them. */
  #store(origin: KeptOrigin, entries: readonly WhitelistEntry[]): boolean {
    const { state, log, clock } = this.#parts;
    try {
      state.replaceWhitelist(origin, entries, clock());
      this.#complaint = null;
      return true;
    } catch (error) {
      const complaint = messageOf(error);
      if (complaint !== this.#complaint) log.error(`Cannot store the whitelist by ${origin}: ${complaint}`);
      this.#complaint = complaint;
      return false;
    }
  }
}

/** Returns this machine's addresses, each once, in a fixed order; none if the system does not list them. */
function presentAddresses(): string[] {
  // Several bridges may have fe80::1.
  return [...new Set(tried(ownAddresses))].sort();
}

/** Separates the names of one address in the note of its entry. */
const BETWEEN_NAMES = ", ";

/** Returns the addresses of each name, from entries that `Whitelisting` stored. */
export function addressesByName(entries: readonly WhitelistEntry[]): Map<string, string[]> {
  const named = entries.flatMap(({ address, note }) =>
    note.split(BETWEEN_NAMES).map((name) => ({ name, address }))
  );
  const byName = Map.groupBy(named, ({ name }) => name);
  return new Map([...byName].map(([name, own]) => [name, own.map(({ address }) => address)]));
}
