import type { BanConfig } from "../config/types.ts";
import { now } from "../core/time.ts";
import { CommandFirewall } from "../firewall/command.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { NftablesFirewall } from "../firewall/nftables.ts";
import { ObserveFirewall } from "../firewall/observe.ts";

/**
 * Makes the firewall that a configuration names; `lost` is called where nftables' table with bans
 * was gone.
 */
export function openFirewall(
  { firewall, nft, command, unban, timeout, concurrency }: BanConfig,
  { lost }: { lost?: () => void } = {},
): Firewall {
  if (firewall === "nftables") {
    return new NftablesFirewall({ command: nft, timeout, clock: now, ...(lost && { lost }) });
  }
  return firewall === "observe"
    ? new ObserveFirewall()
    : new CommandFirewall({ ban: command!, unban, timeout, concurrency });
}
