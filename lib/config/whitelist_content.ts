/** The content of a whitelist file, in a form that holds a million entries in some megabytes. */
import { LINE_FEED } from "../core/ascii.ts";
import { concatenated } from "../core/bytes.ts";
import { decodeNetworks, NetworkSet } from "../core/network_set.ts";
import type { Micros } from "../core/time.ts";
import type { WhitelistMember } from "./whitelist.ts";

/** Addresses and networks with the same end. */
export interface ListedNetworks {
  /** When they end and may be banned like others; null: never. */
  readonly until: Micros | null;
  readonly count: number;
  readonly set: NetworkSet;
}

/** The content of a whitelist file. */
export interface WhitelistContent {
  /** Number of lines with an entry. */
  readonly entries: number;
  readonly networks: readonly ListedNetworks[];
  /** DNS names, each once with its latest end. */
  readonly names: readonly WhitelistMember[];
  /** The first networks that are wide enough to be a mistake. */
  readonly wide: readonly string[];
  /** A sentence with `path:line` for each of the first wrong lines; these lines do not count. */
  readonly complaints: readonly string[];
}

/** The content of an empty file. */
export const NO_CONTENT: WhitelistContent = { entries: 0, networks: [], names: [], wide: [], complaints: [] };

/** A copy of a whitelist file's content, with the stamp of the file. */
export interface WhitelistCopy {
  readonly stamp: string | null;
  readonly content: WhitelistContent;
}

/** Encodes a copy for `decodeCopy()`: a line of JSON, then the sets. */
export function encodeCopy({ stamp, content }: WhitelistCopy): Uint8Array {
  const networks = content.networks.map(({ until, count }) => ({ until, count }));
  const head = new TextEncoder().encode(`${JSON.stringify({ stamp, ...content, networks })}\n`);
  return concatenated([head, ...content.networks.map(({ set }) => set.encode())]);
}

/** Decodes a copy. Throws for any other bytes. */
export function decodeCopy(bytes: Uint8Array): WhitelistCopy {
  let at = bytes.indexOf(LINE_FEED) + 1;
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
