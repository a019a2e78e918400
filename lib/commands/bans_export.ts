import { counted, jsonText } from "../core/text.ts";
import { isOfPackets } from "../core/scope.ts";
import { hasEnded, type Micros, now } from "../core/time.ts";
import { banRecord } from "../deciding/ban.ts";
import { secondsLeft } from "../firewall/nft_script.ts";
import { type Export, type Exported, isV6, nftScript } from "./nft_export.ts";
import { withState } from "./open.ts";
import { type CommonOptions, EXPORT_FORMATS, printData, printError } from "./output.ts";

/** A format of `bans --export`. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** Longest time-out of ipset(8), in seconds. */
const IPSET_LONGEST = 2_147_483;
/**
 * Room of a set, as in docs/firewalls.md: ipset takes `-exist` only if a set has the same room. A
 * set takes memory for its elements alone.
 */
const IPSET_ROOM = 1_000_000;

/**
 * `bans --export`: prints the bans in force, for a firewall or `bans --import`. Warns on standard
 * error of bans that the format cannot express. Throws `UserError` (69, 78).
 */
export function bansExportCommand(format: ExportFormat, options: CommonOptions): number {
  const time = now();
  const bans = withState(options, ({ bans }) => bans.inForce());
  const inForce = bans.filter((ban) => !hasEnded(ban, time));
  const { lines, warnings } = exportBans(inForce, { format, now: time });
  printData(lines);
  warnings.forEach((warning) => printError(`Warning: ${warning}`));
  return 0;
}

/**
 * Formats `bans`. `nft`: a script for `nft -f` with a table that drops their packets. `ipset`:
 * input of `ipset restore`, a set for each family. `plain`, `json`: an address or object a line.
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

/** Exports bans in a format that packet filters read. */
function exportPackets(
  bans: readonly Exported[],
  { format, now }: { format: Exclude<ExportFormat, "json">; now: Micros },
): Export {
  switch (format) {
    case "nft":
      return nftScript(bans, now);
    case "plain": {
      const { whole, warnings } = withoutPorts(bans, format);
      const ending = whole.filter(({ until }) => until !== null).length;
      const warning = `these lines do not say when ${
        counted(ending, "ban ends", "bans end")
      }: --export json does`;
      return {
        lines: whole.map(({ address }) => address),
        warnings: ending > 0 ? [...warnings, warning] : warnings,
      };
    }
    case "ipset": {
      const { whole, warnings } = withoutPorts(bans, format);
      return { lines: ipsetLines(whole, now), warnings };
    }
  }
}

/** Leaves out bans of certain ports: the format would make them bans of all traffic. */
function withoutPorts(bans: readonly Exported[], format: ExportFormat) {
  const whole = bans.filter(({ scope }) => scope === "all");
  const left = bans.length - whole.length;
  const warning = `left out ${counted(left, "ban")} of certain ports, which ${format} cannot say`;
  return { whole, warnings: left > 0 ? [warning] : [] };
}

function ipsetLines(bans: readonly Exported[], now: Micros): string[] {
  return [[false, "4", "inet"], [true, "6", "inet6"]].flatMap(([v6, digit, family]) => {
    const name = `strongmonitor${digit}`;
    const elements = bans.filter((ban) => isV6(ban) === v6).flatMap((ban) => {
      const seconds = Math.min(secondsLeft(ban.until, now) ?? 0, IPSET_LONGEST);
      return halvesOf(ban.address).map((part) => `add ${name} ${part} timeout ${seconds} -exist`);
    });
    const room = Math.max(IPSET_ROOM, elements.length);
    return [
      `create ${name} hash:net family ${family} maxelem ${room} timeout 0 -exist`,
      `flush ${name}`,
      ...elements,
    ];
  });
}

/** Splits `/0` into halves, as `hash:net` accepts no prefix of length 0. */
function halvesOf(network: string): string[] {
  if (!network.endsWith("/0")) return [network];
  return network.includes(":") ? ["::/1", "8000::/1"] : ["0.0.0.0/1", "128.0.0.0/1"];
}
