import { buildHint } from "../config/build_hint.ts";
import type { Config, WhitelistMember } from "../config/types.ts";
import { longestOfEach } from "../config/whitelist.ts";
import { canonicalAddress } from "../core/address.ts";
import { Names, type Resolve } from "./names.ts";
import { SURROUNDINGS, Whitelist, type WhitelistOrigin } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import { pause, untilAborted } from "../core/async.ts";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/error.ts";
import type { Micros } from "../core/time.ts";
import { WhitelistFiles } from "./whitelist_files.ts";

/** State, log, clock and resolver of `Whitelisting`. */
export interface WhitelistParts {
  readonly state: State;
  readonly log: Log;
  readonly clock: () => Micros;
  readonly resolve: Resolve;
  /** Called when resolved names have come into the state. */
  readonly changed: () => void;
}

/**
 * Builds the whitelist from the configuration, whitelist files, the state, DNS and this machine's
 * addresses.
 */
export class Whitelisting {
  readonly whitelist = new Whitelist();
  readonly #config: Pick<Config, "whitelist">;
  readonly #parts: WhitelistParts;
  readonly #files: WhitelistFiles;
  readonly #resolver: Names;
  /** DNS names whose entries have not ended, each once. */
  #names: readonly WhitelistMember[] = [];
  /** Aborted when `#names` changes. */
  #otherNames = new AbortController();
  #namesResolved: boolean;

  constructor(config: Pick<Config, "whitelist" | "path" | "stateDirectory">, parts: WhitelistParts) {
    const { log, resolve } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#files = new WhitelistFiles(config.whitelist.files, { log, config: config.path });
    const hint = buildHint({ config: config.path, state: config.stateDirectory });
    this.#resolver = new Names({ log, resolve, buildHint: hint });
    this.gather();
    this.#namesResolved = this.#names.length === 0;
  }

  /** Reports whether every name has been resolved, or tried, at least once. */
  get namesResolved(): boolean {
    return this.#namesResolved;
  }

  /**
   * Builds the whitelist from the configuration, the files, the state and this machine's addresses,
   * without entries that have ended. Call it each minute, and whenever the state has changed.
   */
  gather(): void {
    const { state, log, clock } = this.#parts;
    const now = clock();
    const before = this.whitelist.revision;
    const inForce = ({ until }: WhitelistMember) => until === null || until > now;
    const configured = this.#config.whitelist.members.filter(inForce);
    const listed = this.#files.refresh().filter(inForce);
    this.#setNames(longestOfEach([...configured, ...listed].filter(({ isName }) => isName)));
    const kept = (origin: string) => state.whitelist(origin, now).map(({ address }) => address);
    const parts: [WhitelistOrigin, string[]][] = [
      ["configuration", networksOf(configured)],
      ["whitelist file", networksOf(listed)],
      ["command", kept("command")],
      ["knock", kept("knock")],
      ["database", kept("database")],
      ["DNS name", this.#names.length > 0 ? kept("name") : []],
      ["this machine", ownAddresses()],
      ...SURROUNDINGS.map((origin): [WhitelistOrigin, string[]] => [origin, kept(origin)]),
    ];
    for (const [origin, members] of parts) this.whitelist.set(origin, members);
    if (this.whitelist.revision === before) return;
    const counts = () => parts.flatMap(([origin, { length }]) => length > 0 ? `${length} by ${origin}` : []);
    log.debug(() => `whitelisted: ${counts().join(", ")}`);
  }

  /**
   * Resolves the names every `whitelist_refresh` until `signal` aborts. The state holds their last
   * addresses from the start.
   */
  async followNames(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const names = this.#names;
      const others = this.#otherNames.signal;
      if (names.length > 0) {
        const addresses = await Promise.race([
          this.#resolver.refresh(names.map(({ address }) => address)),
          untilAborted(signal),
        ]);
        if (addresses === null) return;
        this.#keep(names, addresses);
        this.#namesResolved = true;
      }
      await pause(this.#config.whitelist.refresh / 1_000, AbortSignal.any([signal, others]));
    }
  }

  #setNames(names: readonly WhitelistMember[]): void {
    const spell = (names: readonly WhitelistMember[]) =>
      JSON.stringify(names.map(({ address, until }) => [address, until]));
    if (spell(names) === spell(this.#names)) return;
    this.#names = names;
    this.#otherNames.abort();
    this.#otherNames = new AbortController();
  }

  /**
   * Stores resolved addresses. An address of several names ends when the last of their entries
   * does.
   */
  #keep(names: readonly WhitelistMember[], addresses: ReadonlyMap<string, readonly string[]>): void {
    const { state, log, clock, changed } = this.#parts;
    const entries = names.flatMap(({ address: name, until }) =>
      (addresses.get(name) ?? []).map((address) => ({ address, note: name, until }))
    );
    try {
      state.replaceWhitelist("name", longestOfEach(entries), clock());
      changed();
    } catch (error) {
      // The state may be locked for a moment; the next refresh stores them.
      log.error(`Cannot keep resolved names: ${messageOf(error)}`);
    }
  }
}

function networksOf(members: readonly WhitelistMember[]): string[] {
  return members.flatMap(({ address, isName }) => isName ? [] : address);
}

/** Returns this machine's own addresses in canonical form. */
function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}
