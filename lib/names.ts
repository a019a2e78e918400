import { lookup } from "node:dns/promises";
import { type Log, messageOf } from "./types.ts";
import { canonicalAddress } from "./ip.ts";

/** Finds the addresses of a DNS name; throws when it has none or nobody can be asked. */
export type Resolve = (name: string) => Promise<string[]>;

/** The system's own resolution: /etc/hosts, DNS, whatever nsswitch.conf says. */
export const resolveBySystem: Resolve = async (name) =>
  (await lookup(name, { all: true })).map(({ address }) => address);

/** The addresses behind whitelisted DNS names; a name that cannot be resolved keeps what it last had. */
export class Names {
  readonly #names: readonly string[];
  readonly #log: Log;
  readonly #resolve: Resolve;
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(names: readonly string[], { log, resolve }: { log: Log; resolve: Resolve }) {
    this.#names = names;
    this.#log = log;
    this.#resolve = resolve;
  }

  /** Resolves every name again; returns all their addresses, canonical. Never throws. */
  async refresh(): Promise<string[]> {
    await Promise.all(this.#names.map(async (name) => {
      try {
        const addresses = (await this.#resolve(name)).flatMap((address) => canonicalAddress(address) ?? []);
        const before = this.#addresses.get(name);
        if (String(before) !== String(addresses)) {
          this.#log.info(`whitelisting ${name}: ${addresses.join(", ")}`);
        }
        this.#addresses.set(name, addresses);
      } catch (error) {
        const kept = this.#addresses.has(name) ? "; its last addresses stay whitelisted" : "";
        this.#log.warn(
          `Cannot resolve the whitelisted name ${name}: ${messageOf(error)}${kept}`,
        );
      }
    }));
    return [...this.#addresses.values()].flat();
  }
}
