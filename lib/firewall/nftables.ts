import type { Ban, Firewall, Inspection, Micros, Outcome } from "../types.ts";
import { type Listing, parseListing } from "./nft_list.ts";
import {
  type BanSet,
  memberOf,
  putElements,
  secondsLeft,
  setOf,
  structure,
  TABLE,
  takeElements,
} from "./nft_script.ts";
import { type Ending, runProgram } from "./process.ts";

/** How nft is run. */
export interface NftablesOptions {
  /** argv, such as `sudo -n nft`. */
  readonly command: readonly string[];
  /** nft still running after this is killed and has failed. */
  readonly timeout: Micros;
  /** The wall clock. */
  readonly clock: () => Micros;
}

/** Seconds by which an end in the kernel may differ from what it is to be. */
const TOLERANCE = 3;
/** What nft says of a table, a set or a chain that somebody has removed. */
const IS_GONE = /No such file or directory/;

/** Bans in a table of nftables of our own: any number in one transaction, with ends that the kernel keeps by itself. */
export class NftablesFirewall implements Firewall {
  readonly name = "nftables";
  readonly canUnban = true;
  /** One transaction takes them all. */
  readonly batch = 1_000_000;
  readonly parallel = 1;
  readonly keepsTime = true;
  readonly takesOver = true;
  readonly #options: NftablesOptions;
  /** Sets that stand in the kernel with their rules, as far as is known, by name. */
  readonly #sets = new Map<string, BanSet>();

  constructor(options: NftablesOptions) {
    this.#options = options;
  }

  ban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    const now = this.#options.clock();
    const left = bans.filter(({ until }) => until === null || until > now);
    return this.#change(bans, {
      sets: left.map(setOf),
      signal,
      script: () =>
        this.#leaveOthers(left) + bySet(left, (set, members) =>
          putElements(
            set,
            members.map(({ address, until }) => ({
              member: memberOf(address),
              timeout: secondsLeft(until, now),
            })),
          )),
    });
  }

  unban(bans: readonly Ban[], signal: AbortSignal): Promise<Outcome[]> {
    return this.#change(bans, {
      sets: bans.map(setOf),
      signal,
      script: () =>
        this.#leaveOthers(bans) +
        bySet(bans, (set, members) => takeElements(set, members.map(({ address }) => memberOf(address)))),
    });
  }

  async inspect(bans: readonly Ban[], signal: AbortSignal): Promise<Inspection> {
    const { command } = this.#options;
    const ending = await this.#run([...command, "-j", "list", "table", ...TABLE.split(" ")], { signal });
    if (ending.failure !== null && !IS_GONE.test(ending.failure)) throw new Error(ending.failure);
    const listing = ending.failure === null ? parseListing(ending.output) : NOTHING;
    const inspection = compare(listing, bans, this.#options.clock());
    if (inspection.missing.length > 0) this.#sets.clear();
    return inspection;
  }

  /** Removes the table with all that is in it; returns why that failed, or null. */
  async clear(signal: AbortSignal): Promise<string | null> {
    this.#sets.clear();
    const ending = await this.#run([...this.#options.command, "-f", "-"], {
      input: `add table ${TABLE}\ndelete table ${TABLE}\n`,
      signal,
    });
    return ending.failure;
  }

  /** One transaction; with table, sets and rules made anew where they are missing. */
  async #change(
    bans: readonly Ban[],
    { sets, script, signal }: { sets: readonly BanSet[]; script: () => string; signal: AbortSignal },
  ): Promise<Outcome[]> {
    const isKnown = sets.every(({ name }) => this.#sets.has(name));
    sets.forEach((set) => this.#sets.set(set.name, set));
    const argv = [...this.#options.command, "-f", "-"];
    const whole = () => structure([...this.#sets.values()]) + script();
    let ending = await this.#run(argv, { input: isKnown ? script() : whole(), signal });
    if (isKnown && ending.failure !== null && IS_GONE.test(ending.failure)) {
      ending = await this.#run(argv, { input: whole(), signal });
    }
    if (ending.failure !== null) this.#sets.clear();
    const { failure: error, isUncertain: uncertain } = ending;
    return bans.map(({ address }) => ({ address, error, uncertain }));
  }

  /** Takes bans out of the sets of other scopes: an address has one ban, whose scope may have been another before. */
  #leaveOthers(bans: readonly Ban[]): string {
    return bySet(bans, (set, members) =>
      [...this.#sets.values()]
        .filter(({ name, isIpv6, length }) =>
          name !== set.name && isIpv6 === set.isIpv6 && length === set.length
        )
        .map((other) => takeElements(other, members.map(({ address }) => memberOf(address)))).join(""));
  }

  #run(argv: readonly string[], { input, signal }: { input?: string; signal: AbortSignal }): Promise<Ending> {
    const { timeout } = this.#options;
    return runProgram(argv, { timeout, signal, input, withOutput: input === undefined });
  }
}

const NOTHING: Listing = { sets: new Map(), enforced: new Set() };

function bySet(bans: readonly Ban[], write: (set: BanSet, members: readonly Ban[]) => string): string {
  const groups = Map.groupBy(bans, (ban) => setOf(ban).name);
  return [...groups.values()].map((members) => write(setOf(members[0]!), members)).join("");
}

function compare({ sets, enforced }: Listing, bans: readonly Ban[], now: Micros): Inspection {
  const wanted = new Map<string, Set<string>>();
  const missing: string[] = [];
  for (const ban of bans) {
    const [{ name }, member] = [setOf(ban), memberOf(ban.address)];
    wanted.set(name, (wanted.get(name) ?? new Set()).add(member));
    const left = sets.get(name)?.get(member);
    const isHeld = left !== undefined && enforced.has(name) && isNear(left, secondsLeft(ban.until, now));
    if (!isHeld) missing.push(ban.address);
  }
  const stray = [...sets].flatMap(([name, members]) =>
    [...members.keys()].filter((member) => !wanted.get(name)?.has(member)).map((member) =>
      networkOf(name, member)
    )
  );
  return { missing, stray };
}

function isNear(left: number | null, wanted: number | null): boolean {
  if (left === null || wanted === null) return left === wanted;
  return Math.abs(left - wanted) <= TOLERANCE;
}

/** The address or network that a member of a set stands for. */
function networkOf(set: string, member: string): string {
  const length = /^ipv[46]_(\d+)/.exec(set)?.[1];
  const isWhole = length === undefined || length === (member.includes(":") ? "128" : "32");
  return isWhole ? member : `${member}/${length}`;
}
