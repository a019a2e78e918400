import { lookup } from "node:dns/promises";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/error.ts";
import { canonicalAddress } from "../core/address.ts";

/** Returns the addresses of a DNS name; throws when it has none or no server answers. */
export type Resolve = (name: string) => Promise<string[]>;

/** The system's own resolution: /etc/hosts, DNS, whatever nsswitch.conf says. */
export const resolveBySystem: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

/** Most names that are resolved at the same time: a whitelist file may hold thousands. */
const MOST_AT_ONCE = 8;

/** Options of `Names`. */
export interface NamesOptions {
  readonly log: Log;
  readonly resolve: Resolve;
  /** End of the sentence about a name that the program has no permission to resolve. */
  readonly buildHint: string;
}

/** Resolves whitelisted DNS names. A name that cannot be resolved keeps its last addresses. */
export class Names {
  readonly #options: NamesOptions;
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /**
   * Resolves `names` and drops all others. Returns the canonical addresses of each name; never
   * throws.
   */
  async refresh(names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    for (const name of this.#addresses.keys()) {
      if (!names.includes(name)) this.#addresses.delete(name);
    }
    const waiting = names.values();
    const resolveNext = async () => {
      for (const name of waiting) await this.#refresh(name);
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, resolveNext));
    return new Map(this.#addresses);
  }

  async #refresh(name: string): Promise<void> {
    const { log, resolve } = this.#options;
    try {
      const addresses = (await resolve(name)).flatMap((address) => canonicalAddress(address) ?? []);
      const before = this.#addresses.get(name);
      if (String(before) !== String(addresses)) log.info(`whitelisting ${name}: ${addresses.join(", ")}`);
      this.#addresses.set(name, addresses);
    } catch (error) {
      const kept = this.#addresses.has(name) ? "; its last addresses stay whitelisted" : "";
      log.warn(`Cannot resolve the whitelisted name ${name}: ${this.#explain(error)}${kept}`);
    }
  }

  #explain(error: unknown): string {
    // Deno reports a missing permission to resolve a name by this code.
    return (error as { code?: unknown })?.code === "EPERM"
      ? `this program was built without the right to; ${this.#options.buildHint}`
      : messageOf(error);
  }
}
