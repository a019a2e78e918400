import { canonicalNetwork } from "../core/address.ts";
import type { Scope } from "../core/scope.ts";
import {
  CHAINS,
  fullLength,
  MARK,
  NEIGHBOUR_RULE,
  PRIORITY,
  readSetName,
  type SetName,
  TABLE,
} from "./nft_script.ts";

/** A ban in the kernel. */
export interface Element {
  readonly address: string;
  readonly scope: Scope;
  /** Seconds left, as nft rounds them; null: for good. */
  readonly expires: number | null;
}

/** The table as nft lists it. */
export interface Listing {
  /** Chains without the mark. */
  readonly chains: readonly string[];
  readonly sets: readonly string[];
  readonly elements: readonly Element[];
  /** Whether the chain `MARK` is there, which proves that StrongMonitor made the table. */
  readonly isMarked: boolean;
  /** Whether chains and rules are complete and unchanged for all sets. */
  readonly isIntact: boolean;
  /**
   * Whether only a new table helps: it has flags, a set's type contradicts its name, or it has an
   * object of a kind that StrongMonitor never makes.
   */
  readonly isSpoiled: boolean;
  /** The first object of another program, in a table without the mark; null: none. */
  readonly foreign: string | null;
}

/** A missing table. */
export const NO_TABLE: Listing = {
  chains: [],
  sets: [],
  elements: [],
  isMarked: false,
  isIntact: false,
  isSpoiled: false,
  foreign: null,
};

/** An object of a table, such as `set ip_32`, with the lines inside its braces. */
interface Part {
  readonly kind: string;
  readonly name: string;
  readonly lines: string[];
}

const ELEMENTS = "elements = {";
const HEAD = `table ${TABLE} {`;

/** Lines or elements of a step: a batch waits for some steps of about 2 ms. */
const STEP = 250;

/**
 * Parses StrongMonitor's table from the output of `nft -n list`, which may hold other tables too, in
 * steps: 100,000 elements take half a second. Null: the table is missing or cut short.
 */
export function* parseListing(text: string): Generator<void, Listing | null> {
  const from = text.startsWith(HEAD) ? 0 : text.indexOf(`\n${HEAD}`) + 1;
  if (from === 0 && !text.startsWith(HEAD)) return null;
  const to = text.indexOf("\n}", from);
  if (to < 0) return null;
  // Comments may contain braces and commas.
  const { parts, flags } = yield* partsOf(text.slice(from, to).replace(/"[^"\n]*"/g, '""'));
  const all = (kind: string) => parts.filter((part) => part.kind === kind);
  const isMark = ({ name, lines }: Part) => name === MARK && lines.length === 0;
  const chains = all("chain").filter((chain) => !isMark(chain)), sets = all("set");
  const names = sets.map(({ name }) => name);
  const elements: Element[] = [];
  for (const set of sets) yield* addElements(set, elements);
  const isMarked = all("chain").some(isMark);
  const alien = parts.find((part) =>
    part.kind === "chain" ? !isMark(part) && !isOwnChain(part) : part.kind !== "set" || !isOwnSet(part)
  );
  return {
    chains: chains.map(({ name }) => name),
    sets: names,
    elements,
    isMarked,
    isIntact: chains.length === CHAINS.length && chains.every(hasRightHook) && hasRightRules(chains, names),
    isSpoiled: flags || !sets.every(isOwnSet) || parts.some(({ kind }) => kind !== "set" && kind !== "chain"),
    foreign: isMarked || alien === undefined ? null : `${alien.kind} ${alien.name}`,
  };
}

/** Parses a table into its objects; `flags`: whether the table has flags. */
function* partsOf(table: string): Generator<void, { parts: Part[]; flags: boolean }> {
  const parts: Part[] = [];
  let flags = false;
  for (const [number, line] of table.split("\n").entries()) {
    if (number % STEP === STEP - 1) yield;
    if (number === 0) continue;
    const text = line.trim();
    if (text === "" || text.startsWith("#") || text.startsWith("comment ")) continue;
    if (!/^\t\S/.test(line)) {
      parts.at(-1)?.lines.push(text);
    } else if (text.endsWith("{")) {
      const [, kind, name] = /^(.*?) ?(\S+) \{$/.exec(text) ?? [];
      parts.push({ kind: kind ?? text, name: name ?? "", lines: [] });
    } else if (text.startsWith("flags ")) flags = true;
  }
  return { parts, flags };
}

/** Reports whether StrongMonitor could have made a chain, with or without its rules. */
function isOwnChain(chain: Part): boolean {
  return hasRightHook(chain) &&
    chain.lines.slice(1).every((rule) => rule === NEIGHBOUR_RULE || setDroppedBy(rule) !== null);
}

const HOOK = /^type filter hook (\w+) priority (?:filter )?(-?) ?(\d+); policy accept;$/;

function hasRightHook({ name, lines }: Part): boolean {
  const [, hook, sign, number] = HOOK.exec(lines[0] ?? "") ?? [];
  return CHAINS.some((chain) => chain === name) && hook === name && Number(`${sign}${number}`) === PRIORITY;
}

function isOwnSet({ name, lines }: Part): boolean {
  const known = readSetName(name);
  return known !== null && lines.includes(`type ${known.family === "ip" ? "ipv4_addr" : "ipv6_addr"}`) &&
    lines.includes("flags timeout");
}

/** Reports whether each chain accepts Neighbour Discovery first, then has one rule per set only. */
function hasRightRules(chains: readonly Part[], sets: readonly string[]): boolean {
  const wanted = new Set(CHAINS.flatMap((chain) => sets.map((set) => `${chain} ${set}`)));
  return chains.every(({ name, lines: [, first, ...rules] }) =>
    first === NEIGHBOUR_RULE && rules.every((rule) => wanted.delete(`${name} ${setDroppedBy(rule)}`))
  ) && wanted.size === 0;
}

const RULE = /^(ip6?) saddr (?:& \S+ )?(?:== )?@(\S+) (.*)counter packets \d+ bytes \d+ drop$/;

/** Returns the name of the set whose traffic a rule drops; null: another kind of rule. */
function setDroppedBy(rule: string): string | null {
  const [, family, set = "", ports] = RULE.exec(rule) ?? [];
  const name = readSetName(set);
  return name !== null && name.family === family && (ports === "") === (name.scope === "all") ? set : null;
}

/** Adds the elements of a set to `elements`. nft breaks lines between elements only. */
function* addElements({ name, lines }: Part, elements: Element[]): Generator<void> {
  const set = readSetName(name);
  const first = lines.findIndex((line) => line.startsWith(ELEMENTS));
  if (set === null || first < 0) return;
  for (let number = first; number < lines.length; number++) {
    if (number % STEP === STEP - 1) yield;
    const line = lines[number]!.replace(ELEMENTS, "").replace("}", "");
    for (const item of line.split(",")) {
      const [value = "", ...words] = item.trim().split(" ");
      const address = canonical(value, set);
      const at = words.indexOf("expires");
      if (value === "" || address === null) continue;
      elements.push({ address, scope: set.scope, expires: at < 0 ? null : secondsOf(words[at + 1] ?? "") });
    }
  }
}

const UNITS: Readonly<Record<string, number>> = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1, ms: 0.001 };

/** Returns the seconds of a span: `3600s`, or `1h2m984ms` from an nft without numeric times. */
function secondsOf(span: string): number {
  let seconds = 0;
  for (const [, number, unit] of span.matchAll(/(\d+)(ms|[wdhms])/g)) {
    seconds += Number(number) * UNITS[unit!]!;
  }
  return Math.floor(seconds);
}

/** Returns an element's canonical form. nft spells IPv4 so: a large set skips the parser. */
function canonical(value: string, { family, length }: SetName): string | null {
  const isFull = length === fullLength(family);
  return isFull && family === "ip" ? value : canonicalNetwork(isFull ? value : `${value}/${length}`);
}
