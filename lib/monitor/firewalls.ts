/**
 * The firewalls of a configuration: the main one, and those of modules with a firewall of their
 * own. In: the configuration. Out: firewalls, and calls when it is time to check their bans.
 */
import type { BanConfig, Config } from "../config/types.ts";
import { Bell, pause } from "../core/async.ts";
import type { Log } from "../core/log.ts";
import { now } from "../core/time.ts";
import type { BanStatus } from "../deciding/ban.ts";
import { CommandFirewall } from "../firewall/command.ts";
import type { Firewall } from "../firewall/firewall.ts";
import { NftablesFirewall } from "../firewall/nftables.ts";
import { ObserveFirewall } from "../firewall/observe.ts";
import type { AppliedBan } from "./leaks.ts";

/** Milliseconds until the firewalls are first checked, and between two checks after that. */
const [FIRST_LOOK, BETWEEN_LOOKS] = [5_000, 60_000];
/** Milliseconds between a loss of bans and the check of the remaining ones. */
const SETTLING = 200;

/** Opens the configured firewall. nftables calls `lost` when its table with the bans was gone. */
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

/** All firewalls of a monitor. */
export class Firewalls {
  readonly main: Firewall;
  readonly ofModules: ReadonlyMap<string, Firewall>;
  /** Names of the firewalls that really ban, not only observe. */
  readonly #real: ReadonlySet<string>;
  /** Rung when the main firewall has lost bans. */
  readonly #lost = new Bell();

  constructor({ ban, moduleBans }: Pick<Config, "ban" | "moduleBans">) {
    this.main = openFirewall(ban, { lost: () => this.#lost.ring() });
    this.ofModules = new Map(moduleBans.map(({ module, ban }) => [module, openFirewall(ban)]));
    const names = [this.main, ...this.ofModules.values()].map(({ name }) => name);
    this.#real = new Set(names.filter((name) => name !== "observe"));
  }

  /** Reports whether any firewall really bans, and does not only observe. */
  get isAnyReal(): boolean {
    return this.#real.size > 0;
  }

  /** Returns bans in force with the time since when a firewall that really bans has them. */
  applied(bans: readonly BanStatus[]): AppliedBan[] {
    return bans.map(({ appliedBy, appliedAt, ...ban }) => ({
      ...ban,
      appliedAt: this.#real.has(appliedBy ?? "") ? appliedAt : null,
    }));
  }

  /** Calls `look` every minute, and soon after the main firewall reports lost bans. */
  async watch(look: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const watching = this.main.watch?.(() => this.#lost.ring(), signal);
    for (let wait = FIRST_LOOK; !signal.aborted; wait = BETWEEN_LOOKS) {
      await this.#lost.wait(wait, signal);
      // A reload deletes and makes tables one by one.
      if (this.#lost.take()) await pause(SETTLING, signal);
      if (!signal.aborted) await look();
    }
    await watching;
  }

  /** Lifts all bans in the main firewall; the state keeps them. False, and logged: it failed. */
  async clear({ signal, log }: { signal: AbortSignal; log: Log }): Promise<boolean> {
    const error = await this.main.clear(signal);
    if (error !== null) log.error(`Cannot lift all bans: ${error}`);
    return error === null;
  }
}
