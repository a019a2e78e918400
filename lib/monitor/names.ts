import { lookup } from "node:dns/promises";
import type { Log } from "../core/log.ts";
import { messageOf } from "../core/error.ts";
import { canonicalAddress } from "../core/address.ts";

/** Finds the addresses of a DNS name; throws when it has none or nobody can be asked. */
export type Resolve = (name: string) => Promise<string[]>;

/** The system's own resolution: /etc/hosts, DNS, whatever nsswitch.conf says. */
export const resolveBySystem: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

/** Names that are asked for at the same time: a whitelist file may hold thousands. */
const MOST_AT_ONCE = 8;

/** What looking names up needs of its surroundings. */
export interface NamesOptions {
  readonly log: Log;
  readonly resolve: Resolve;
  /** What to do about a name that this program was not built to look up. */
  readonly buildHint: string;
}

/** The addresses behind whitelisted DNS names; a name that cannot be resolved keeps what it last had. */
export class Names {
  readonly #options: NamesOptions;
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Resolves all of `names` again and forgets any others; returns the canonical addresses of each. Never throws. */
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
    // What Deno makes of a permission that is missing.
    return (error as { code?: unknown })?.code === "EPERM"
      ? `this program was built without the right to; ${this.#options.buildHint}`
      : messageOf(error);
  }
}
