import { RESOLVER } from "../config/permissions.ts";
import { canonicalAddress } from "../core/address.ts";
import { NEVER_BANNED } from "../core/address_kind.ts";
import { Runner } from "../core/child_process.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { DAY, type Micros, SECOND } from "../core/time.ts";

/** Returns a name's addresses; throws if it has none, no server answers or `signal` aborts. */
export type Resolve = (name: string, signal: AbortSignal) => Promise<string[]>;

/** Longest wait for getent, which asks three name servers twice, five seconds each. */
const TIMEOUT: Micros = 30 * SECOND;
/** Most runs of getent at the same time, dead or alive: a whitelist file may hold thousands of names. */
const MOST_AT_ONCE = 8;
/** getent's result for a name without an address. It does not tell whether a server said so. */
const NOT_FOUND = "exit status 2";

/**
 * Resolves by getent(1), like the system itself: /etc/hosts, DNS, and all of nsswitch.conf. Deno
 * would resolve a name only with the permission to reach it. Runs none while too many cannot be ended,
 * as on a hanging file system: each round would add as many.
 */
export function systemResolve(): Resolve {
  const runner = new Runner();
  return async (name, signal) => {
    if (runner.abandoned >= MOST_AT_ONCE) {
      throw new Error(`${runner.abandoned} runs of ${RESOLVER} exceeded their time and cannot be ended`);
    }
    const argv = [RESOLVER, "ahosts", "--", name];
    const { output, error } = await runner.run(argv, { timeout: TIMEOUT, signal, output: true });
    if (error === NOT_FOUND) throw new Error("the system knows no address of it");
    if (error !== null) throw new Error(`${RESOLVER}: ${error}`);
    return output.split("\n").flatMap((line) => line.split(/\s/, 1)).filter((address) => address !== "");
  };
}

/**
 * How long a name keeps addresses that its answers lack: a server that refuses one of two questions
 * leaves out IPv4 or IPv6, and some servers answer with a part of many addresses, each time another.
 */
const MISSING_KEPT: Micros = DAY;

/** Options of `Names`. */
export interface NamesOptions {
  readonly log: Log;
  readonly resolve: Resolve;
  readonly clock: () => Micros;
  /** The addresses that names had before the program started. */
  readonly known: Iterable<readonly [name: string, addresses: readonly string[]]>;
}

/**
 * Resolves whitelisted DNS names. A name keeps its last addresses until an answer brings others: a
 * missing answer, or one without addresses, does not prove that the name's owner has changed.
 */
export class Names {
  readonly #options: NamesOptions;
  readonly #addresses: Map<string, readonly string[]>;
  /** By name, the failure that was logged last. */
  readonly #failures = new Map<string, string>();
  /** By name, since when its answers have lacked addresses that it keeps. */
  readonly #missing = new Map<string, ReadonlyMap<string, Micros>>();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#addresses = new Map(options.known);
  }

  /** Returns the last canonical addresses of a name; empty if it was never resolved. */
  addressesOf(name: string): readonly string[] {
    return this.#addresses.get(name) ?? [];
  }

  /** Drops all names but `names`. */
  keepOnly(names: readonly string[]): void {
    const kept = new Set(names);
    for (const map of [this.#addresses, this.#failures, this.#missing]) {
      for (const name of map.keys()) if (!kept.has(name)) map.delete(name);
    }
  }

  /** Resolves `names` until `signal` aborts. Reports whether all were answered; never throws. */
  async refresh(names: readonly string[], signal: AbortSignal): Promise<boolean> {
    let failures = 0;
    const waiting = names.values();
    const resolveNext = async () => {
      for (const name of waiting) if (!await this.#resolveOne(name, signal)) failures++;
    };
    await Promise.all(Array.from({ length: MOST_AT_ONCE }, resolveNext));
    return failures === 0;
  }

  async #resolveOne(name: string, signal: AbortSignal): Promise<boolean> {
    const { log, resolve } = this.#options;
    if (signal.aborted) return false;
    try {
      const answer = (await resolve(name, signal)).flatMap((address) => canonicalAddress(address) ?? []);
      const answered = [...new Set(answer)];
      if (answered.length === 0) throw new Error("the answer holds no address");
      if (!answered.some(isClients) && this.addressesOf(name).some(isClients)) {
        throw new Error(`the answer holds no client's address, only ${answered.join(", ")}`);
      }
      // Name servers rotate the order of an answer.
      const addresses = [...answered, ...this.#keptBeside(name, answered)].sort();
      const before = this.#addresses.get(name);
      const wasFailing = this.#failures.delete(name);
      if (wasFailing || String(before) !== String(addresses)) {
        log.info(`whitelisting ${name}: ${addresses.join(", ")}`);
      }
      this.#addresses.set(name, addresses);
      return true;
    } catch (error) {
      if (!signal.aborted) this.#complain(name, messageOf(error));
      return false;
    }
  }

  /**
   * Returns the addresses that a name keeps although `answered` lacks them. It has given them up if
   * the answer has only new ones of their family.
   */
  #keptBeside(name: string, answered: readonly string[]): Iterable<string> {
    const [now, known, since] = [this.#options.clock(), this.addressesOf(name), this.#missing.get(name)];
    const kept = new Map<string, Micros>();
    for (const address of known.filter((address) => !answered.includes(address))) {
      const family = answered.filter((other) => isIPv6(other) === isIPv6(address));
      const hasMoved = family.length > 0 && !family.some((other) => known.includes(other));
      const start = since?.get(address) ?? now;
      if (!hasMoved && now - start < MISSING_KEPT) kept.set(address, start);
    }
    this.#missing.set(name, kept);
    return kept.keys();
  }

  /** Logs a failure once, however often it repeats in a row. */
  #complain(name: string, failure: string): void {
    if (this.#failures.get(name) === failure) return;
    this.#failures.set(name, failure);
    const kept = this.addressesOf(name);
    const consequence = kept.length > 0
      ? `${kept.join(", ")} stays whitelisted`
      : "nobody is whitelisted by it until it can be resolved";
    this.#options.log.warn(`Cannot resolve the whitelisted name ${name}: ${failure}; ${consequence}`);
  }
}

function isIPv6(address: string): boolean {
  return address.includes(":");
}

/** False for addresses by which filters against advertising answer, such as 0.0.0.0. */
function isClients(address: string): boolean {
  return !NEVER_BANNED.covers(address);
}
