import { now } from "../clock.ts";
import type { WhitelistConfig } from "../config.ts";
import { canonicalAddress } from "../ip.ts";
import { Names, resolveBySystem } from "../names.ts";
import { Whitelist } from "../rules/whitelist.ts";
import type { State } from "../state/state.ts";
import { pause, untilAborted } from "../supervisor.ts";
import { type Log, messageOf } from "../types.ts";

/** What keeping the whitelist needs of its surroundings. */
export interface WhitelistParts {
  readonly state: State;
  readonly log: Log;
  /** Called when resolved names have come into the state. */
  readonly changed: () => void;
}

/** Gathers from configuration, state, DNS and this machine who is never banned. */
export class Whitelisting {
  readonly whitelist = new Whitelist();
  readonly #config: WhitelistConfig;
  readonly #parts: WhitelistParts;
  readonly #names: Names;
  #namesResolved: boolean;

  constructor(config: WhitelistConfig, parts: WhitelistParts) {
    this.#config = config;
    this.#parts = parts;
    this.#names = new Names(config.names, { log: parts.log, resolve: resolveBySystem });
    this.#namesResolved = config.names.length === 0;
    this.gather();
  }

  /** Whether every name has been asked for at least once. */
  get namesResolved(): boolean {
    return this.#namesResolved;
  }

  /** Takes over what has changed in the state and in the network around us. */
  gather(): void {
    const kept = (origin: string) => this.#parts.state.whitelist(origin, now()).map(({ address }) => address);
    this.whitelist.set("configuration", this.#config.networks);
    this.whitelist.set("command", kept("command"));
    this.whitelist.set("knock", kept("knock"));
    this.whitelist.set("database", kept("database"));
    this.whitelist.set("DNS name", this.#config.names.length > 0 ? kept("name") : []);
    this.whitelist.set("this machine", ownAddresses());
  }

  /** Resolves the names again and again until `signal` aborts; what they last were is known from the start. */
  async followNames(signal: AbortSignal): Promise<void> {
    const { names, refresh } = this.#config;
    while (names.length > 0 && !signal.aborted) {
      const addresses = await Promise.race([this.#names.refresh(), untilAborted(signal)]);
      if (addresses === null) return;
      this.#keepNames(addresses);
      this.#namesResolved = true;
      await pause(refresh / 1_000, signal);
    }
  }

  #keepNames(addresses: readonly string[]): void {
    const { state, log, changed } = this.#parts;
    try {
      state.replaceWhitelist("name", addresses.map((address) => ({ address, note: "", until: null })), now());
      changed();
    } catch (error) {
      // The state may be locked for a moment: the next turn keeps them.
      log.error(`Cannot keep resolved names: ${messageOf(error)}`);
    }
  }
}

/** This machine's own addresses, canonical. */
function ownAddresses(): string[] {
  return Deno.networkInterfaces().flatMap(({ address }) => canonicalAddress(address) ?? []);
}
