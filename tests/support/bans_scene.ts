import { DecidingBans } from "./deciding_bans.ts";
import { Whitelist } from "../../lib/deciding/whitelist.ts";
import type { NetworkStep } from "../../lib/deciding/networks.ts";
import type { Ban } from "../../lib/deciding/ban.ts";
import type { Outcome } from "../../lib/firewall/firewall.ts";
import { ObserveFirewall } from "../../lib/firewall/observe.ts";
import type { Micros } from "../../lib/core/time.ts";
import type { Trip } from "../../lib/rules/rule.ts";
import { BOOT, memoryLog, STEADY, strangers, type TemporaryState } from "./helpers.ts";

/** A firewall that keeps its calls, and refuses while `broken`. */
export class NotingFirewall extends ObserveFirewall {
  override readonly batch: number = 100;
  override readonly takesOver = true;
  readonly held = new Set<string>();
  broken = false;

  constructor(override readonly name: string = "noting") {
    super();
  }

  override ban(bans: readonly Ban[]): Promise<Outcome[]> {
    return this.#each(bans, (address) => this.held.add(address));
  }

  override unban(bans: readonly Ban[]): Promise<Outcome[]> {
    return this.#each(bans, (address) => this.held.delete(address));
  }

  #each(bans: readonly Ban[], act: (address: string) => void): Promise<Outcome[]> {
    if (!this.broken) bans.forEach(({ address }) => act(address));
    return Promise.resolve(bans.map(({ address }) => ({ address, error: this.broken ? "refused" : null })));
  }
}

/** Returns an address's trip of a rule of SSHD. */
export function trip(address: string, over: Partial<Trip> = {}): Trip {
  return {
    address,
    source: address,
    module: "SSHD",
    rule: "invalid",
    reason: "[SSHD] invalid",
    time: 1_000,
    count: 6,
    banTime: null,
    growth: STEADY,
    scope: "all",
    ...over,
  };
}

/** Makes `Bans` of a state and a firewall: `make` starts them; `act` decides, commits and enforces. */
export function setUp(
  temporary: TemporaryState,
  firewall = new NotingFirewall(),
  networks: NetworkStep[] = [],
) {
  const scene = {
    now: 2_000 as Micros,
    firewall,
    whitelist: new Whitelist(),
    log: memoryLog(),
    freed: [] as string[],
  };
  const make = () =>
    new DecidingBans({
      state: temporary.state,
      firewall,
      whitelist: scene.whitelist,
      log: scene.log,
      clock: () => scene.now,
      boot: () => BOOT,
      freed: (addresses) => void scene.freed.push(...addresses),
      ...strangers(),
      networks,
    });
  const act = (bans: DecidingBans, trips: Trip[]) => {
    const decided = bans.decide(trips);
    temporary.state.bans.addAll(decided);
    bans.enforce(decided);
  };
  return { scene, make, act };
}
