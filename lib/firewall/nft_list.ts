import { canonicalNetwork } from "../core/address.ts";
import type { Scope } from "../core/scope.ts";
import {
  CHAINS,
  fullLength,
  NEIGHBOUR_DISCOVERY,
  partsOfRule,
  PRIORITY,
  readSetName,
  type SetName,
  TABLE,
} from "./nft_script.ts";

/** A ban as the kernel has it. */
export interface Element {
  readonly address: string;
  readonly scope: Scope;
  /** Seconds left, as nft rounds them; null: for good. */
  readonly expires: number | null;
}

/** What nft tells of our table. */
export interface Listing {
  readonly chains: readonly string[];
  readonly sets: readonly string[];
  readonly elements: readonly Element[];
  /** Chains and rules are just as they are to be, for all sets. */
  readonly intact: boolean;
  /** What cannot be mended but by beginning anew: flags of the table, a set of another type than its name says, or of a name that is not ours. */
  readonly foreign: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

/** A table that is not there. */
export const NO_TABLE: Listing = { chains: [], sets: [], elements: [], intact: false, foreign: false };

/** Reads what `nft -j list` wrote of our table, and perhaps of others (libnftables-json(5)). Throws `SyntaxError` for what is no JSON of that form. */
export function parseListing(text: string): Listing {
  const { nftables } = JSON.parse(text) as { nftables?: unknown };
  if (!Array.isArray(nftables)) throw new SyntaxError("no list of nftables in what nft wrote");
  const all = (kind: string) =>
    nftables.map((item) => item?.[kind]).filter((x): x is Fields => fields(x) && isOurs(x));
  const tables = all("table"), chains = all("chain"), sets = all("set");
  const names = sets.map(({ name }) => String(name));
  return {
    chains: chains.map(({ name }) => String(name)),
    sets: names,
    elements: sets.flatMap(elementsOf),
    intact: chains.length === CHAINS.length && chains.every(rightChain) && rightRules(all("rule"), names),
    foreign: !sets.every(rightSet) || tables.some(({ flags }) => flags !== undefined),
  };
}

function isOurs({ family, table, name }: Fields): boolean {
  return `${family} ${table ?? name}` === TABLE;
}

function fields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function rightChain({ name, type, hook, prio, policy }: Fields): boolean {
  return CHAINS.some((chain) => chain === name) && hook === name && type === "filter" && prio === PRIORITY &&
    policy === "accept";
}

function rightSet({ name, type, flags }: Fields): boolean {
  const known = readSetName(String(name));
  return known !== null && type === (known.family === "ip" ? "ipv4_addr" : "ipv6_addr") &&
    [flags].flat().join() === "timeout";
}

/** Each chain lets Neighbour Discovery through first, then has one rule for each set, and no other. */
function rightRules(rules: readonly Fields[], sets: readonly string[]): boolean {
  return CHAINS.every((chain) => {
    const [first, ...others] = rules.filter((rule) => rule.chain === chain);
    const wanted = new Set<string | null>(sets);
    return first !== undefined && letsNeighboursThrough(first) &&
      others.every((rule) => wanted.delete(setDroppedBy(rule))) && wanted.size === 0;
  }) && rules.every(({ chain }) => CHAINS.some((name) => name === chain));
}

/** nft tells the types by their names, or by their numbers where it knows none. */
const NEIGHBOUR_TYPES = [["nd-router-solicit", "nd-redirect"], NEIGHBOUR_DISCOVERY].map((range) =>
  JSON.stringify({ range })
);

function letsNeighboursThrough({ expr }: Fields): boolean {
  if (!Array.isArray(expr) || expr.length !== 2 || !fields(expr[1]) || !("accept" in expr[1])) return false;
  const match = JSON.stringify(expr[0]);
  return match.includes('"icmpv6"') && NEIGHBOUR_TYPES.some((range) => match.includes(range));
}

/** The set whose members' traffic a rule drops; null for any other rule. */
function setDroppedBy({ expr }: Fields): string | null {
  if (!Array.isArray(expr) || !fields(expr.at(-1)) || !("drop" in expr.at(-1))) return null;
  const set = /"@([^"]*)"/.exec(JSON.stringify(expr))?.[1] ?? "";
  const name = readSetName(set);
  return name !== null && expr.length === partsOfRule(name.scope) ? set : null;
}

function elementsOf({ name, elem }: Fields): Element[] {
  const set = readSetName(String(name));
  if (set === null || !Array.isArray(elem)) return [];
  return elem.flatMap((item) => {
    const inner = fields(item) && fields(item.elem) ? item.elem : { val: item };
    const address = canonical(String(inner.val), set);
    const expires = "expires" in inner ? Number(inner.expires) : null;
    return address === null ? [] : [{ address, scope: set.scope, expires }];
  });
}

/** nft spells IPv4 addresses as we do, and a set may hold very many. */
function canonical(value: string, { family, length }: SetName): string | null {
  const isFull = length === fullLength({ family });
  return isFull && family === "ip" ? value : canonicalNetwork(isFull ? value : `${value}/${length}`);
}
