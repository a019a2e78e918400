import { type Ban, type HeldBan, keyOf, nameOf } from "../deciding/ban.ts";
import type { Firewall, Inspection, Outcome } from "./firewall.ts";
import { finish, finishSlowly } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import { type Micros, SECOND } from "../core/time.ts";
import { type Element, type Listing, NO_TABLE, parseListing } from "./nft_list.ts";
import { CHAINS, placeOf, secondsLeft, TABLE } from "./nft_script.ts";
import { type Order, scriptFor } from "./nft_transaction.ts";
import { watchTable } from "./nft_watch.ts";
import { causeIn, Runner, type RunResult } from "../core/child_process.ts";

/** Options of nft's runs. */
export interface NftablesOptions {
  /** argv before nft's arguments: `["sudo", "nft"]`. */
  readonly command: readonly string[];
  /** Longest run of nft. Then it is killed, and its outcome is uncertain. */
  readonly timeout: Micros;
  readonly clock: () => Micros;
  /** Called when sets with bans were missing and the table was made anew without these bans. */
  readonly lost?: () => void;
}

/** A failed run of nft. */
class NftError extends Error {
  constructor(message: string, readonly uncertain = false) {
    super(message);
  }
}

/**
 * Lists all tables of the family without the elements of sets. `nft -t list table` would still read
 * all elements from the kernel: 700 ms with 100,000, against 5 ms. `EVERYTHING` is used if nft
 * cannot list another program's table.
 */
const OUTLINE = ["list", "ruleset", TABLE.split(" ")[0]!];
/** Options of the listing: numbers instead of names, and no elements. */
const TERSE = "-nt";
/** Lists the table as text: some builds of nft lack JSON. */
const EVERYTHING = ["-n", "list", "table", ...TABLE.split(" ")];
/**
 * Most milliseconds for which calls wait until a comparison has listed the table. nft begins a listing
 * anew at each change: with 94,000 elements, and ten changes a second, it never came to an end.
 */
const UNDISTURBED = 3_000;
/** Bans compared in one step, as in a listing. */
const STEP = 250;
/** Seconds by which an end in the kernel may differ from the ban's. */
const TOLERANCE = 2;
/**
 * Keeps bans in sets of its own table, through nft(8). The kernel ends them in time. Each call is
 * one transaction, which also makes missing tables, chains and sets. Counters of intact rules are
 * kept.
 */
export class NftablesFirewall implements Firewall {
  readonly name = "nftables";
  readonly canUnban = true;
  readonly knowsScopes = true;
  /** Bounds the event loop's pause at a start with many bans; more would not make nft faster. */
  readonly batch = 5_000;
  readonly keepsTime = true;
  readonly takesOver = true;
  readonly #options: NftablesOptions;
  readonly #runner = new Runner();
  /** Sets that were present after the last call. */
  #sets: readonly string[] = [];
  /** Until when a listing keeps calls waiting, by `performance.now()`. */
  #undisturbedUntil = -Infinity;

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  /** 0 while an abandoned nft still runs, or a listing must not be disturbed. */
  get parallel(): number {
    const isListing = performance.now() < this.#undisturbedUntil;
    return isListing || this.#runner.abandoned > 0 ? 0 : 1;
  }

  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    const now = this.#options.clock();
    return this.#obey(
      bans.map((ban) => ({ ban, place: placeOf(ban), seconds: secondsLeft(ban.until, now) })),
      signal,
    );
  }

  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#obey(bans.map((ban) => ({ ban, place: placeOf(ban), seconds: 0 })), signal);
  }

  async inspect(bans: readonly HeldBan[], signal: AbortSignal): Promise<Inspection> {
    // nft reads the remaining seconds at an instant between `before` and `after`; a large list
    // takes a second.
    const before = this.#options.clock();
    this.#undisturbedUntil = performance.now() + UNDISTURBED;
    const listing = await this.#list(signal).finally(() => this.#undisturbedUntil = -Infinity);
    const after = this.#options.clock();
    // The result names the missing bans, so the next call need not report them as lost.
    this.#sets = listing.sets;
    const found = await finishSlowly(this.#compare(bans, listing, { before, after }), signal);
    if (found === null) throw new NftError("stopped");
    return found;
  }

  /** Compares bans with a listing that was made between two instants, in steps. */
  *#compare(
    bans: readonly HeldBan[],
    listing: Listing,
    { before, after }: { before: Micros; after: Micros },
  ): Generator<void, Inspection> {
    // The kernel counts from when nft hands a ban over: up to the time-out after its seconds were
    // written.
    const delay = this.#options.timeout / SECOND;
    const isUsable = listing.isIntact && !listing.isSpoiled;
    const strays = new Map<string, Element>();
    for (const some of slicesOf(listing.elements)) {
      for (const element of some) strays.set(keyOf(element), element);
      yield;
    }
    const missing: HeldBan[] = [];
    for (const some of slicesOf(bans)) {
      for (const ban of some) {
        const { until } = ban;
        const [most, least] = [secondsLeft(until, before), secondsLeft(until, after)];
        const key = keyOf(ban), found = strays.get(key);
        strays.delete(key);
        if (least === 0) continue;
        if (!isUsable || found === undefined || !isWithin(found.expires, { least, most, delay })) {
          missing.push(ban);
        }
      }
      yield;
    }
    const stray = [...strays.values()].map(({ address, scope, expires }) => {
      return { address, scope, until: expires === null ? null : after + expires * SECOND };
    });
    return { missing, stray };
  }

  watch(lost: () => void, signal: AbortSignal): Promise<void> {
    return watchTable(this.#options.command, { lost, signal });
  }

  /** Deletes the table. Returns the failure in one sentence; null: done, or there was none. */
  async clear(signal: AbortSignal): Promise<string | null> {
    try {
      await this.#outline(signal);
    } catch (error) {
      return messageOf(error);
    }
    this.#sets = [];
    const result = await this.#nft(["-f", "-"], `add table ${TABLE}\ndelete table ${TABLE}\n`, signal);
    return result.error === null ? null : this.#why(result);
  }

  async #obey(orders: readonly Order[], signal: AbortSignal): Promise<Outcome[]> {
    const failures = new Map<Order, NftError>();
    for (const order of orders.filter(({ place }) => place === null)) {
      const why = "no canonical address, or too many ports";
      failures.set(order, new NftError(`Cannot tell nft of ${nameOf(order.ban)}: ${why}`));
    }
    const rest = orders.filter((order) => !failures.has(order));
    if (rest.length > 0) await this.#attempt(rest, { failures, signal });
    return orders.map((order) => {
      const { address } = order.ban, failure = failures.get(order);
      if (failure === undefined) return { address, error: null };
      return { address, error: failure.message, ...(failure.uncertain && { uncertain: true }) };
    });
  }

  /** Carries orders out in one transaction. Halves a refused one if nft takes an empty one. */
  async #attempt(
    orders: readonly Order[],
    { failures, signal }: { failures: Map<Order, NftError>; signal: AbortSignal },
  ): Promise<void> {
    try {
      await this.#commit(orders, signal);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      if (orders.length === 1 || error.uncertain || !await this.#works(signal)) {
        for (const order of orders) failures.set(order, error);
        return;
      }
      const half = orders.length >> 1;
      await this.#attempt(orders.slice(0, half), { failures, signal });
      await this.#attempt(orders.slice(half), { failures, signal });
    }
  }

  /** Reports whether nft takes an empty transaction: then it refused one of the elements. */
  #works(signal: AbortSignal): Promise<boolean> {
    return this.#commit([], signal).then(() => true, () => false);
  }

  async #commit(orders: readonly Order[], signal: AbortSignal): Promise<void> {
    if (orders.length === 0 || !await this.#change(orders, signal)) await this.#mend(orders, signal);
  }

  /**
   * Changes elements of the sets present after the last call, and lists the table in the same run:
   * a second run would double the time to a ban. False: the table is incomplete, or nft refuses.
   */
  async #change(orders: readonly Order[], signal: AbortSignal): Promise<boolean> {
    const all = this.#sets;
    if (orders.some(({ place }) => !all.includes(place!.set))) return false;
    const whole = { ...NO_TABLE, chains: CHAINS, sets: all, isMarked: true, isIntact: true };
    const script = `${scriptFor(orders, { listing: whole, all })}${OUTLINE.join(" ")}\n`;
    const result = await this.#nft([TERSE, "-f", "-"], script, signal);
    if (result.uncertain) throw new NftError(this.#why(result), true);
    const listing = result.error === null ? this.#read(result.output) : null;
    return listing !== null && !listing.isSpoiled && listing.isMarked && listing.isIntact &&
      all.every((set) => listing.sets.includes(set));
  }

  /** Carries orders out on an incomplete table, and makes its missing parts: for bans, not for lifts alone. */
  async #mend(orders: readonly Order[], signal: AbortSignal): Promise<void> {
    const listing = await this.#outline(signal);
    const present = listing.isSpoiled ? NO_TABLE : listing;
    const hasLost = this.#sets.some((set) => !present.sets.includes(set));
    const isLifted = ({ place, seconds }: Order) => seconds === 0 && !listing.sets.includes(place!.set);
    if (orders.length > 0 && orders.every(isLifted)) this.#sets = present.sets;
    else await this.#make(orders, { listing, present, signal });
    if (hasLost) this.#options.lost?.();
  }

  async #make(
    orders: readonly Order[],
    { listing, present, signal }: { listing: Listing; present: Listing; signal: AbortSignal },
  ): Promise<void> {
    const all = [...new Set([...present.sets, ...orders.map(({ place }) => place!.set)])];
    const result = await this.#nft(["-f", "-"], scriptFor(orders, { listing, all }), signal);
    if (result.error !== null) throw new NftError(this.#why(result), result.uncertain);
    this.#sets = all;
  }

  /** Returns the table without the elements of its sets. */
  async #outline(signal: AbortSignal): Promise<Listing> {
    const result = await this.#nft([TERSE, ...OUTLINE], undefined, signal);
    const listing = result.error === null ? this.#read(result.output) : null;
    return listing ?? await this.#list(signal);
  }

  /** Returns the table with all elements. Throws `NftError`, also for another program's table. */
  async #list(signal: AbortSignal): Promise<Listing> {
    const result = await this.#nft(EVERYTHING, undefined, signal);
    if (/No such file or directory/.test(result.words)) return NO_TABLE;
    const listing = result.error === null
      ? this.#own(await finishSlowly(parseListing(result.output), signal))
      : null;
    if (listing !== null) return listing;
    if (result.error !== null) throw new NftError(this.#why(result));
    throw new NftError(`${this.#options.command.join(" ")}: its list of the table is cut short`);
  }

  /** Parses a listing without elements, as `#list()` returns it. */
  #read(output: string): Listing | null {
    return this.#own(finish(parseListing(output)));
  }

  /** Returns a listing. Null: incomplete or no table. Throws `NftError` for another program's. */
  #own(listing: Listing | null): Listing | null {
    if (listing === null || listing.foreign === null) return listing;
    throw new NftError(
      `the table ${TABLE} is not StrongMonitor's, as it holds the ${listing.foreign}: rename or delete it`,
    );
  }

  #nft(args: readonly string[], input: string | undefined, signal: AbortSignal): Promise<RunResult> {
    const { command, timeout } = this.#options;
    return this.#runner.run([...command, ...args], {
      timeout,
      signal,
      output: true,
      ...(input !== undefined && { input }),
    });
  }

  /** Returns the failure: nft's message without its place in the script, or the exit status. */
  #why({ error, words }: RunResult): string {
    const told = words.split("\n").findLast((line) => line.includes("Error: ")) ?? causeIn(words);
    const cause = told && `: ${told.replace(/^.*Error: /, "").slice(0, 200)}`;
    return `${this.#options.command.join(" ")}: ${error}${cause}`;
  }
}

function isWithin(
  expires: number | null,
  { least, most, delay }: { least: number | null; most: number | null; delay: number },
): boolean {
  if (expires === null || least === null || most === null) return expires === least;
  return expires >= least - TOLERANCE && expires <= most + delay + TOLERANCE;
}

/** Yields the items of a list by steps. */
function* slicesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += STEP) yield items.slice(at, at + STEP);
}
