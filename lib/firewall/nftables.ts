import { type Ban, type HeldBan, keyOf, nameOf } from "../deciding/ban.ts";
import type { Firewall, Inspection, Outcome } from "./firewall.ts";
import { messageOf } from "../core/error.ts";
import { type Micros, SECOND } from "../core/time.ts";
import { type Listing, NO_TABLE, parseListing } from "./nft_list.ts";
import {
  ADD_MARK,
  addRules,
  addSet,
  chains,
  elements,
  type Place,
  placeOf,
  secondsLeft,
  TABLE,
  timeout,
} from "./nft_script.ts";
import { Runner, type RunResult } from "../core/child_process.ts";

/** How nft is run. */
export interface NftablesOptions {
  /** argv that arguments of nft are added to: `["sudo", "nft"]`. */
  readonly command: readonly string[];
  /** nft still running after this is killed, and what it was to do is uncertain. */
  readonly timeout: Micros;
  readonly clock: () => Micros;
  /** Called when a call has found that sets with bans are gone, and has made the table anew without them. */
  readonly lost?: () => void;
}

/** A ban that is to be put into force or lifted. */
interface Order {
  readonly ban: Ban;
  /** Null: it cannot be told to nft. */
  readonly place: Place | null;
  /** Seconds until the kernel drops it; null: never; 0: it is to go. */
  readonly seconds: number | null;
}

/** nft did not do what it was told. */
class NftError extends Error {
  constructor(message: string, readonly uncertain: boolean) {
    super(message);
  }
}

/**
 * Lists all tables of the family without the elements of sets. `list table` reads them all from the kernel even where it is not to
 * tell them: 700 ms with 100,000 of them, against 5 ms. An nft that cannot tell of somebody else's table is asked for ours alone.
 */
const OUTLINE = ["-nt", "list", "ruleset", TABLE.split(" ")[0]!];
/** As text: an nft may be built without JSON. */
const EVERYTHING = ["-n", "list", "table", ...TABLE.split(" ")];
/** Seconds that an end in the kernel may differ from what it is to be. */
const TOLERANCE = 2;
/** Seconds that an element is added for which is deleted in the same breath: `delete` refuses what is not there. */
const BRIEFLY = 60;

/**
 * Bans in sets of our own table, through nft(8). The kernel ends them in time. Each call is one transaction, in which whatever
 * is missing of table, chains and sets is made anew; counters of rules that are right live on.
 */
export class NftablesFirewall implements Firewall {
  readonly name = "nftables";
  readonly canUnban = true;
  readonly knowsScopes = true;
  /** So that a start with many bans never holds up reading for long; nft itself gains nothing by more. */
  readonly batch = 5_000;
  readonly keepsTime = true;
  readonly takesOver = true;
  readonly #options: NftablesOptions;
  readonly #runner = new Runner();
  /** Sets that were there after the last call. */
  #sets: readonly string[] = [];

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  /** None while an nft that was given up on still runs. */
  get parallel(): number {
    return Math.max(0, 1 - this.#runner.abandoned);
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
    // An end is told as of some instant between these: a second or more where there are very many.
    const before = this.#options.clock();
    const listing = await this.#list(signal);
    const after = this.#options.clock();
    // Whoever compares sees what is gone, and need not be told by the next call.
    this.#sets = listing.sets;
    const strays = new Map(listing.elements.map((element) => [keyOf(element), element]));
    const missing = bans.filter((ban) => {
      const { until } = ban;
      const [most, least] = [secondsLeft(until, before), secondsLeft(until, after)];
      const key = keyOf(ban), found = strays.get(key);
      strays.delete(key);
      if (least === 0) return false;
      return listing.isSpoiled || !listing.isIntact || found === undefined ||
        !isWithin(found.expires, { least, most });
    });
    const stray = [...strays.values()].map(({ address, scope, expires }) => {
      return { address, scope, until: expires === null ? null : after + expires * SECOND };
    });
    return { missing, stray };
  }

  /** Removes everything that is ours; null when done or there was nothing, else why not. */
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
    const refused = orders.filter(({ place }) => place === null);
    for (const order of refused) {
      failures.set(
        order,
        new NftError(
          `Cannot tell nft of ${nameOf(order.ban)}: no canonical address, or too many ports`,
          false,
        ),
      );
    }
    const rest = orders.filter((order) => !failures.has(order));
    if (rest.length > 0) await this.#attempt(rest, { failures, signal });
    return orders.map((order) => {
      const { address } = order.ban, failure = failures.get(order);
      if (failure === undefined) return { address, error: null };
      return { address, error: failure.message, ...(failure.uncertain ? { uncertain: true } : {}) };
    });
  }

  /** Hands orders over in one transaction; where nft refuses it but would take an empty one, by halves. */
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

  /** Whether nft takes a transaction without elements: then refusal was about one of them. */
  #works(signal: AbortSignal): Promise<boolean> {
    return this.#commit([], signal).then(() => true, () => false);
  }

  async #commit(orders: readonly Order[], signal: AbortSignal): Promise<void> {
    const listing = await this.#outline(signal);
    const present = listing.isSpoiled ? NO_TABLE : listing;
    const all = [...new Set([...present.sets, ...orders.map(({ place }) => place!.set)])];
    const result = await this.#nft(["-f", "-"], scriptFor(orders, { listing, all }), signal);
    if (result.error !== null) throw new NftError(this.#why(result), result.uncertain);
    const hasLost = this.#sets.some((set) => !present.sets.includes(set));
    this.#sets = all;
    if (hasLost) this.#options.lost?.();
  }

  /** The table without the elements of its sets. */
  async #outline(signal: AbortSignal): Promise<Listing> {
    const result = await this.#nft(OUTLINE, undefined, signal);
    const listing = result.error === null ? this.#read(result.output) : null;
    return listing ?? await this.#list(signal);
  }

  /** The table with everything in it. Throws `NftError` for one that is not ours, too. */
  async #list(signal: AbortSignal): Promise<Listing> {
    const result = await this.#nft(EVERYTHING, undefined, signal);
    if (/No such file or directory/.test(result.words)) return NO_TABLE;
    const listing = result.error === null ? this.#read(result.output) : null;
    if (listing !== null) return listing;
    throw new NftError(
      result.error === null
        ? `${this.#options.command.join(" ")}: its list of the table is cut short`
        : this.#why(result),
      false,
    );
  }

  /** Null where the text does not hold our table as a whole. Throws `NftError` where that is not ours. */
  #read(output: string): Listing | null {
    const listing = parseListing(output);
    if (listing === null || listing.foreign === null) return listing;
    throw new NftError(
      `the table ${TABLE} is not StrongMonitor's, as it holds the ${listing.foreign}: rename or delete it`,
      false,
    );
  }

  #nft(args: readonly string[], input: string | undefined, signal: AbortSignal): Promise<RunResult> {
    const { command, timeout } = this.#options;
    const output = input === undefined;
    return this.#runner.run([...command, ...args], { timeout, signal, output, ...(output ? {} : { input }) });
  }

  /** One sentence: nft's own complaint without the place in our script, or how it ended. */
  #why({ error, words }: RunResult): string {
    const lines = words.split("\n").filter((line) => line !== "");
    const told = lines.findLast((line) => line.includes("Error: ")) ?? lines.at(-1) ?? "";
    return `${this.#options.command.join(" ")}: ${error}${
      told && `: ${told.replace(/^.*Error: /, "").slice(0, 200)}`
    }`;
  }
}

function isWithin(
  expires: number | null,
  { least, most }: { least: number | null; most: number | null },
): boolean {
  if (expires === null || least === null || most === null) return expires === least;
  return expires >= least - TOLERANCE && expires <= most + TOLERANCE;
}

/** The transaction that brings a table as `listing` tells to where `orders` stand, with `all` its sets. */
function scriptFor(
  orders: readonly Order[],
  { listing, all }: { listing: Listing; all: readonly string[] },
): string {
  const lines: string[] = listing.isSpoiled ? [`delete table ${TABLE}`] : [];
  const { isIntact, isMarked, sets, chains: present } = listing.isSpoiled ? NO_TABLE : listing;
  const fresh = all.filter((set) => !sets.includes(set));
  if (!isIntact) lines.push(...chains(present));
  if (!isMarked) lines.push(ADD_MARK);
  lines.push(...fresh.map(addSet), ...(isIntact ? fresh : all).flatMap(addRules));
  for (const set of all) lines.push(...changes(set, { orders, fresh: fresh.includes(set) }));
  return lines.join("\n") + "\n";
}

/**
 * Statements for one set: all elements that orders name leave it, and those in force enter. `add` before `delete` makes that
 * right for elements that are not there.
 */
function changes(set: string, { orders, fresh }: { orders: readonly Order[]; fresh: boolean }): string[] {
  const mine = new Map<string, number | null>(), leaving = new Set<string>();
  for (const { place, seconds } of orders) {
    const { set: its, element } = place!;
    if (its !== set) continue;
    leaving.add(element);
    if (seconds !== 0) mine.set(element, seconds);
    else mine.delete(element);
  }
  const lines: string[] = [];
  if (!fresh && leaving.size > 0) {
    const gone = [...leaving];
    lines.push(
      elements("add", set, gone.map((e) => `${e} ${timeout(BRIEFLY)}`)),
      elements("delete", set, gone),
    );
  }
  if (mine.size > 0) {
    const members = [...mine].map(([e, seconds]) => seconds === null ? e : `${e} ${timeout(seconds)}`);
    lines.push(elements("add", set, members));
  }
  return lines;
}
