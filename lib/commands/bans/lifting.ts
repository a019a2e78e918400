/** Lifts bans while no monitor runs, so that nobody waits for its start to be let in. */
import { firewallsOf } from "../../config/firewalls.ts";
import type { ConfiguredFirewall } from "../../config/types.ts";
import { onceEach } from "../../enforcing/queue.ts";
import { LIFTS } from "../../enforcing/turns.ts";
import { now } from "../../core/time.ts";
import { openFirewall } from "../../monitor/firewalls.ts";
import { shippedConfig } from "../common/open_config.ts";
import type { CommandContext } from "../common/open_state.ts";
import type { CommonOptions } from "../common/output.ts";

/** Longest time for all lifts, in milliseconds. The monitor's start does the rest. */
const LIMIT = 60_000;

/**
 * Lifts all ended bans from the firewalls of the configuration and from nftables, and writes the
 * outcomes to the state. A firewall that fails is not called again.
 */
export async function liftHere({ config, state }: CommandContext, options: CommonOptions): Promise<void> {
  const { ban, moduleBans } = config ?? shippedConfig(options);
  // nftables may hold bans of an earlier configuration.
  const former = { module: null, ban: { ...ban, firewall: "nftables" } } as const;
  const signal = AbortSignal.timeout(LIMIT);
  for (
    const firewall of [...firewallsOf({ ban, moduleBans }), ...ban.firewall === "nftables" ? [] : [former]]
  ) {
    await liftFrom(firewall, { state, signal });
  }
}

async function liftFrom(
  { module, ban }: ConfiguredFirewall,
  { state, signal }: Pick<CommandContext, "state"> & { signal: AbortSignal },
): Promise<void> {
  const firewall = openFirewall(ban);
  if (!firewall.canUnban) return;
  const { name, knowsScopes, batch, parallel } = firewall;
  const enforcement = state.enforcement.of(module, { knowsScopes });
  const due = { firewall: name, limit: Math.max(batch, parallel) };
  for (let isWell = true; isWell && !signal.aborted;) {
    const found = LIFTS.flatMap((turn) => enforcement.toLift({ ...due, turn, now: now() }));
    const bans = onceEach(found, firewall);
    if (bans.length === 0) return;
    const outcomes = await firewall.unban(bans, signal);
    const errors = bans.map(({ id }, i) => ({ id, error: outcomes[i]!.error }));
    state.bans.transaction(() => {
      enforcement.lifted(errors.flatMap(({ id, error }) => error === null ? [id] : []));
      for (const { id, error } of errors) if (error !== null) enforcement.failed(id, { error, time: now() });
    });
    isWell = errors.every(({ error }) => error === null);
  }
}
