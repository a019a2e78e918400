import { isOfPackets } from "../../core/scope.ts";
import { counted, jsonText } from "../../core/text.ts";
import { hasEnded, type Micros, now } from "../../core/time.ts";
import { banRecord, type NewBan } from "../../deciding/ban.ts";
import { NO_TABLE } from "../../firewall/nft_list.ts";
import { placeOf, secondsLeft, TABLE } from "../../firewall/nft_script.ts";
import { scriptFor } from "../../firewall/nft_transaction.ts";
import { withState } from "../common/open_state.ts";
import { type CommonOptions, EXPORT_FORMATS, printData, printError } from "../common/output.ts";

/** A format of `bans --export`. */
export type ExportFormat = typeof EXPORT_FORMATS[number];

/** Lines of an export, and a warning for each kind of ban that it cannot express. */
interface Export {
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
}

/** The exported table of nft. A monitor uses `TABLE`, and leaves this one alone. */
const EXPORTED = `${TABLE}_bans`;
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
  bans: readonly NewBan[],
  { format, now }: { format: ExportFormat; now: Micros },
): Export {
  if (format === "json") return { lines: bans.map((ban) => jsonText(banRecord(ban))), warnings: [] };
  const ofPackets = bans.filter(({ scope }) => isOfPackets(scope));
  const warnings = leftOut(bans.length - ofPackets.length, "of modules with a ban_command of their own");
  if (format === "nft") {
    const placed = ofPackets.filter((ban) => placeOf(ban) !== null);
    const unplaced = leftOut(ofPackets.length - placed.length, "of too many ports for the name of a set");
    return { lines: nftLines(placed, now), warnings: [...warnings, ...unplaced] };
  }
  const whole = ofPackets.filter(({ scope }) => scope === "all");
  const ofPorts = `of certain ports, which ${format} cannot say`;
  warnings.push(...leftOut(ofPackets.length - whole.length, ofPorts));
  if (format === "ipset") return { lines: ipsetLines(whole, now), warnings };
  const ending = whole.filter(({ until }) => until !== null).length;
  if (ending > 0) {
    const ends = counted(ending, "ban ends", "bans end");
    warnings.push(`these lines do not say when ${ends}: --export json does`);
  }
  return { lines: whole.map(({ address }) => address), warnings };
}

function leftOut(count: number, which: string): string[] {
  return count > 0 ? [`left out ${counted(count, "ban")} ${which}`] : [];
}

/** Writes bans as the monitor writes them to the kernel. A second load replaces the first. */
function nftLines(bans: readonly NewBan[], now: Micros): string[] {
  const orders = bans.map((ban) => ({ ban, place: placeOf(ban), seconds: secondsLeft(ban.until, now) }));
  const all = [...new Set(orders.map(({ place }) => place!.set))];
  const script = scriptFor(orders, { listing: { ...NO_TABLE, isSpoiled: true }, all });
  // `delete` refuses a missing table.
  return [`add table ${TABLE}`, ...script.trimEnd().split("\n")]
    .map((line) => line.replace(TABLE, EXPORTED));
}

function ipsetLines(bans: readonly NewBan[], now: Micros): string[] {
  return [[false, "4", "inet"], [true, "6", "inet6"]].flatMap(([isIPv6, digit, family]) => {
    const name = `strongmonitor${digit}`;
    const own = bans.filter(({ address }) => address.includes(":") === isIPv6);
    const elements = own.flatMap(({ address, until }) => {
      const seconds = Math.min(secondsLeft(until, now) ?? 0, IPSET_LONGEST);
      return halvesOf(address).map((part) => `add ${name} ${part} timeout ${seconds} -exist`);
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
