/** What `nft -j list table` prints, as far as bans go (libnftables-json(5)). */
import { CHAINS, PRIORITY } from "./nft_script.ts";

/** The table as the kernel has it. */
export interface Listing {
  /** By set, its members with the seconds that they have left; null: for good. */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number | null>>;
  /** Sets whose members both chains drop. */
  readonly enforced: ReadonlySet<string>;
}

/** One thing of the listing; each has a single key, its kind. */
interface Item {
  readonly set?: { readonly name: string; readonly elem?: readonly Member[] };
  readonly chain?: { readonly name: string; readonly hook?: string; readonly prio?: number };
  readonly rule?: { readonly chain: string; readonly expr: readonly unknown[] };
}

/** An address, or one with its end. */
type Member = string | { readonly elem: { readonly val: string; readonly expires?: number } };

/** Reads a listing. Throws an `Error` when it is none. */
export function parseListing(json: string): Listing {
  const { nftables } = JSON.parse(json) as { nftables?: readonly Item[] };
  if (!Array.isArray(nftables)) throw new Error("nft printed no listing");
  const items = nftables as readonly Item[];
  const sets = items.flatMap(({ set }) => set ? [set] : []);
  return {
    sets: new Map(sets.map(({ name, elem = [] }) => [name, new Map(elem.map(readMember))])),
    enforced: new Set(sets.map(({ name }) => name).filter((name) => CHAINS.every(droppedBy(items, name)))),
  };
}

function readMember(member: Member): [string, number | null] {
  return typeof member === "string" ? [member, null] : [member.elem.val, member.elem.expires ?? null];
}

/** Whether a chain hangs where it should and drops the members of a set. */
function droppedBy(items: readonly Item[], set: string): (chain: string) => boolean {
  return (name) => {
    const hangs = items.some(({ chain }) =>
      chain?.name === name && chain.hook === name && chain.prio === PRIORITY
    );
    const drops = items.some(({ rule }) => {
      const text = rule?.chain === name ? JSON.stringify(rule.expr) : "";
      return text.includes(`"@${set}"`) && text.includes('{"drop":null}');
    });
    return hangs && drops;
  };
}
