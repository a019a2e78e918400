import { type Micros, now, SECOND } from "../core/time.ts";
import { prefixLength } from "../core/address.ts";
import { NetworkSet } from "../core/network_set.ts";
import { formatScope, isOfPackets, parseScope, type PortScope } from "../core/scope.ts";
import { type Ban, banRecord } from "../deciding/ban.ts";
import { timeout } from "../firewall/nft_script.ts";
import { withState } from "./open.ts";
import { counted, jsonText } from "../core/text.ts";
import { type CommonOptions, EXPORT_FORMATS, printData, printError } from "./output.ts";

/** A format of `bans --export`. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** Lines of an export, and what of the bans it cannot say, a sentence each. */
export interface Export {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

type Exported = Pick<Ban, "address" | "scope" | "provenance" | "reason" | "count" | "start" | "until">;

const TABLE = "strongmonitor_bans";
/** Seconds; ipset(8) takes no longer time-out. */
const IPSET_LONGEST = 2_147_483;
const IPSET_LEAST = 1_024;

/**
 * `bans --export`: writes the bans in force to standard output, for a firewall or for `bans --import` elsewhere; what the format
 * cannot say is left out, which standard error tells. Throws `UserError` (69, 78).
 */
export function bansExportCommand(format: ExportFormat, options: CommonOptions): number {
  const time = now();
  const bans = withState(options, ({ bans }) => bans.inForce());
  const standing = bans.filter(({ until }) => until === null || until > time);
  const { lines, warnings } = exportBans(standing, { format, now: time });
  printData(lines);
  warnings.forEach((warning) => printError(`Warning: ${warning}`));
  return 0;
}

/**
 * `bans` in a format: `nft` a script for `nft -f` that makes a table of its own which drops what comes from them, `ipset` one for
 * `ipset restore` with a set for each family, `plain` an address or network a line, `json` an object a line.
 */
export function exportBans(
  bans: readonly Exported[],
  { format, now }: { format: ExportFormat; now: Micros },
): Export {
  if (format === "json") return { lines: bans.map((ban) => jsonText(banRecord(ban))), warnings: [] };
  const ofPackets = bans.filter(({ scope }) => isOfPackets(scope));
  const left = bans.length - ofPackets.length;
  const { lines, warnings } = exportPackets(ofPackets, { format, now });
  const warning = `left out ${counted(left, "ban")} of modules with a ban_command of their own`;
  return { lines, warnings: left > 0 ? [warning, ...warnings] : warnings };
}

/** Bans of packets in a format for packet filters. */
function exportPackets(
  bans: readonly Exported[],
  { format, now }: { format: Exclude<ExportFormat, "json">; now: Micros },
): Export {
  switch (format) {
    case "nft":
      return nftScript(bans, now);
    case "plain": {
      const { whole, warnings } = withoutPorts(bans, format);
      return { lines: whole.map(({ address }) => address), warnings };
    }
    case "ipset": {
      const { whole, warnings } = withoutPorts(bans, format);
      return { lines: ipsetLines(whole, now), warnings };
    }
  }
}

/** Bans of some ports alone would become bans of everything. */
function withoutPorts(bans: readonly Exported[], format: ExportFormat) {
  const whole = bans.filter(({ scope }) => scope === "all");
  const left = bans.length - whole.length;
  const warning = `left out ${counted(left, "ban")} of certain ports, which ${format} cannot say`;
  return { whole, warnings: left > 0 ? [warning] : [] };
}

/** Whole seconds until a ban ends, none less than one; null: it does not. */
function secondsLeft({ until }: Exported, now: Micros): number | null {
  return until === null ? null : Math.max(1, Math.ceil((until - now) / SECOND));
}

function isV6({ address }: Pick<Ban, "address">): boolean {
  return address.includes(":");
}

function ipsetLines(bans: readonly Exported[], now: Micros): string[] {
  return [[false, "4", "inet"], [true, "6", "inet6"]].flatMap(([v6, digit, family]) => {
    const name = `strongmonitor${digit}`;
    const elements = bans.filter((ban) => isV6(ban) === v6).flatMap((ban) => {
      const seconds = Math.min(secondsLeft(ban, now) ?? 0, IPSET_LONGEST);
      return halvesOf(ban.address).map((part) => `add ${name} ${part} timeout ${seconds} -exist`);
    });
    const most = Math.max(IPSET_LEAST, 2 ** Math.ceil(Math.log2(elements.length + 1)));
    return [
      `create ${name} hash:net family ${family} hashsize ${IPSET_LEAST} maxelem ${most} timeout 0 -exist`,
      `flush ${name}`,
      ...elements,
    ];
  });
}

/** `hash:net` takes no prefix of zero bits. */
function halvesOf(network: string): string[] {
  if (!network.endsWith("/0")) return [network];
  return network.includes(":") ? ["::/1", "8000::/1"] : ["0.0.0.0/1", "128.0.0.0/1"];
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

function nftScript(bans: readonly Exported[], now: Micros): Export {
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
    // Declared first, so that there is one to be deleted: loading the script again replaces what it made.
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

/** nft refuses elements of one set that overlap: of those the widest stay. */
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

/** The bans that lie within a wider one of `bans`. */
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
    const seconds = secondsLeft(ban, now);
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

/** The parts of elements that stand for a scope `tcp 22,8000-8010`: `tcp . 22`, `tcp . 8000-8010`. */
function portsOf({ protocol, ports }: PortScope): string[] {
  const list = ports.length === 0 ? ["0-65535"] : formatScope({ protocol, ports }).split(" ")[1]!.split(",");
  return list.map((port) => `${protocol} . ${port}`);
}

/** A ban of certain ports. */
interface PortBan extends Exported {
  readonly scope: PortScope;
}

/** The bans of certain ports; those of one address and protocol made one with the latest end, as elements must not overlap. */
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
