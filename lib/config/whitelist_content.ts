/** What a whitelist file says, in a form in which a million entries take some megabytes. */
import { concatenated } from "../core/bytes.ts";
import { decodeNetworks, NetworkSet } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistMember } from "./whitelist.ts";

/** Addresses and networks with the same end. */
export interface ListedNetworks {
  /** From then on they may be banned like others; null: for good. */
  readonly until: Micros | null;
  /** Entries among them. */
  readonly count: number;
  readonly set: NetworkSet;
}

/** The content of a whitelist file. */
export interface WhitelistContent {
  /** Lines with an entry. */
  readonly entries: number;
  readonly networks: readonly ListedNetworks[];
  /** DNS names, each with the latest of its ends. */
  readonly names: readonly WhitelistMember[];
  /** The first networks that are wide enough to be a mistake. */
  readonly wide: readonly string[];
  /** A sentence for each of the first wrong lines, which do not count. It begins with `path:line`. */
  readonly complaints: readonly string[];
}

/** The content of a file that holds nothing. */
export const NO_CONTENT: WhitelistContent = { entries: 0, networks: [], names: [], wide: [], complaints: [] };

/** A copy of a whitelist file as it was read when it had `stamp`. */
export interface WhitelistCopy {
  readonly stamp: string | null;
  readonly content: WhitelistContent;
}

/** Returns the bytes that `decodeCopy()` reads: a line of JSON, and the sets behind it. */
export function encodeCopy({ stamp, content }: WhitelistCopy): Uint8Array {
  const networks = content.networks.map(({ until, count }) => ({ until, count }));
  const head = new TextEncoder().encode(`${JSON.stringify({ stamp, ...content, networks })}\n`);
  return concatenated([head, ...content.networks.map(({ set }) => set.encode())]);
}

/** Reads a copy. Throws for bytes that are none. */
export function decodeCopy(bytes: Uint8Array): WhitelistCopy {
  let at = bytes.indexOf(10) + 1;
  const { stamp, ...content } = JSON.parse(new TextDecoder().decode(bytes.subarray(0, at))) as
    & { stamp: string | null }
    & WhitelistContent;
  const networks = content.networks.map(({ until, count }) => {
    const { set, end } = decodeNetworks(bytes, at);
    at = end;
    return { until, count, set };
  });
  return { stamp, content: { ...content, networks } };
}
