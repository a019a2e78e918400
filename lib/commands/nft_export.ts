/** Writes bans as a script for nft(8): one table with sets for each family, and rules that drop. */
import { prefixLength } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { formatScope, parseScope, type PortScope } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import type { Micros } from "../core/time.ts";
import type { Ban } from "../deciding/ban.ts";
import { secondsLeft, timeout } from "../firewall/nft_script.ts";

/** Lines of an export, and a warning for each kind of ban that it cannot express. */
export interface Export {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** The parts of a ban that exports read. */
export type Exported = Pick<Ban, "address" | "scope" | "provenance" | "reason" | "count" | "start" | "until">;

const TABLE = "strongmonitor_bans";

/** Reports whether a ban is of IPv6. */
export function isV6({ address }: Pick<Ban, "address">): boolean {
  return address.includes(":");
}

/** The sets of a table for one family. */
interface Sets {
  readonly digit: "4" | "6";
  readonly type: "ipv4_addr" | "ipv6_addr";
  readonly saddr: "ip saddr" | "ip6 saddr";
}

const FAMILIES: readonly Sets[] = [
  { digit: "4", type: "ipv4_addr", saddr: "ip saddr" },
  { digit: "6", type: "ipv6_addr", saddr: "ip6 saddr" },
];

/** Returns a script for `nft -f` with a table that drops packets from banned addresses. */
export function nftScript(bans: readonly Exported[], now: Micros): Export {
  const { apart, warnings } = withoutNested(bans);
  const rules = FAMILIES.flatMap(({ digit, saddr }) => [
    `    ${saddr} @addresses${digit} drop`,
    `    ${saddr} @networks${digit} drop`,
    `    ${saddr} . meta l4proto . th dport @ports${digit} drop`,
  ]);
  const chain = (hook: string) => [
    `  chain ${hook} {`,
    `    type filter hook ${hook} priority -10; policy accept;`,
    ...rules,
    "  }",
  ];
  const lines = [
    // Declared first, so that `delete` finds a table: a second load replaces the first.
    `table inet ${TABLE} {}`,
    `delete table inet ${TABLE}`,
    `table inet ${TABLE} {`,
    ...FAMILIES.flatMap((family) =>
      familySets(family, { bans: apart.filter((ban) => isV6(ban) === (family.digit === "6")), now })
    ),
    ...chain("input"),
    ...chain("forward"),
    "}",
  ];
  return { lines, warnings };
}

/** Drops nested bans and keeps the widest: nft refuses overlapping elements in one set. */
function withoutNested(bans: readonly Exported[]): { apart: readonly Exported[]; warnings: string[] } {
  const nested = new Set([
    ...nestedIn(bans.filter(({ address, scope }) => scope === "all" && address.includes("/"))),
    ...nestedIn(bans.filter(({ scope }) => scope !== "all")),
  ]);
  const warning = `left out ${
    counted(nested.size, "ban")
  } within those of wider networks, which nft takes no others in`;
  return { apart: bans.filter((ban) => !nested.has(ban)), warnings: nested.size > 0 ? [warning] : [] };
}

/** Returns the bans that lie within a wider one of `bans`. */
function nestedIn(bans: readonly Exported[]): Exported[] {
  const byWidth = [...Map.groupBy(bans, ({ address }) => prefixLength(address))].toSorted(([a], [b]) =>
    a - b
  );
  const wider: string[] = [];
  return byWidth.flatMap(([, equals]) => {
    const set = new NetworkSet(wider);
    for (const { address } of equals) wider.push(address);
    return equals.filter(({ address }) => set.covers(address));
  });
}

function familySets(
  { digit, type }: Sets,
  { bans, now }: { bans: readonly Exported[]; now: Micros },
): string[] {
  const timed = (ban: Exported, element: string) => {
    const seconds = secondsLeft(ban.until, now);
    return seconds === null ? element : `${element} ${timeout(seconds)}`;
  };
  const whole = bans.filter(({ scope }) => scope === "all");
  const elements = (list: readonly Exported[]) => list.map((ban) => timed(ban, ban.address));
  const ports = portBans(bans)
    .flatMap((ban) => portsOf(ban.scope).map((port) => timed(ban, `${ban.address} . ${port}`)));
  return [
    ...nftSet(`addresses${digit}`, {
      type,
      flags: "timeout",
      elements: elements(whole.filter(({ address }) => !address.includes("/"))),
    }),
    ...nftSet(`networks${digit}`, {
      type,
      flags: "interval, timeout",
      elements: elements(whole.filter(({ address }) => address.includes("/"))),
    }),
    ...nftSet(`ports${digit}`, {
      type: `${type} . inet_proto . inet_service`,
      flags: "interval, timeout",
      elements: ports,
    }),
  ];
}

/** Returns the element parts of a scope `tcp 22,8000-8010`: `tcp . 22`, `tcp . 8000-8010`. */
function portsOf({ protocol, ports }: PortScope): string[] {
  const list = ports.length === 0 ? ["0-65535"] : formatScope({ protocol, ports }).split(" ")[1]!.split(",");
  return list.map((port) => `${protocol} . ${port}`);
}

/** A ban of certain ports. */
interface PortBan extends Exported {
  readonly scope: PortScope;
}

/** Merges port bans of one address and protocol, to the latest end: elements must not overlap. */
function portBans(bans: readonly Exported[]): PortBan[] {
  const isOfPorts = (ban: Exported): ban is PortBan => ban.scope !== "all";
  const groups = Map.groupBy(
    bans.filter(isOfPorts),
    ({ address, scope: { protocol } }) => `${address} ${protocol}`,
  );
  return [...groups.values()].map(([first, ...others]) =>
    others.reduce(
      (ban, { scope, until }) => ({
        ...ban,
        scope: unionOf(ban.scope, scope),
        until: ban.until === null || until === null ? null : Math.max(ban.until, until),
      }),
      first!,
    )
  );
}

function unionOf(a: PortScope, b: PortScope): PortScope {
  const { protocol } = a;
  if (a.ports.length === 0 || b.ports.length === 0) return { protocol, ports: [] };
  return parseScope(formatScope({ protocol, ports: [...a.ports, ...b.ports] })) as PortScope;
}

function nftSet(
  name: string,
  { type, flags, elements }: { type: string; flags: string; elements: readonly string[] },
): string[] {
  const list = elements.length === 0
    ? []
    : ["    elements = {", ...elements.map((element) => `      ${element},`), "    }"];
  return [`  set ${name} {`, `    type ${type}`, `    flags ${flags}`, ...list, "  }"];
}
