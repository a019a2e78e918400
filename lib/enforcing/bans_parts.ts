/** Parts and options of `Bans`. */
import type { Boot } from "../core/boot.ts";
import type { Micros } from "../core/time.ts";
import type { BanInForce, CountedBan, NewBan, PastBan } from "../deciding/ban.ts";
import type { Login, Session } from "../deciding/login_change.ts";
import type { Logins } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Room } from "../rules/notes.ts";
import type { ChangesStore } from "./changes.ts";
import type { EndsOptions, EndsStore } from "./ends.ts";
import type { LaneStore } from "./lane.ts";

/** The state's methods for bans that the judge uses. */
export interface BansStore extends EndsStore, ChangesStore {
  addAll(bans: readonly NewBan[]): void;
  inForceByAddress(addresses: readonly string[]): ReadonlyMap<string, readonly BanInForce[]>;
  past(address: string): readonly PastBan[];
  /** Returns decisions of rules and networks after `since`, in order. */
  decisionsSince(since: Micros): CountedBan[];
}

/** The state's methods for firewalls that the judge uses. */
export interface FirewallStore extends LaneStore {
  /** Returns the part for a module's own firewall. */
  of(module: string): LaneStore;
}

/** Options of `Bans`. */
export interface BansOptions extends Pick<EndsOptions, "whitelist" | "log" | "clock" | "freed"> {
  readonly state: { readonly bans: BansStore; readonly enforcement: FirewallStore };
  readonly firewall: Firewall;
  /** Modules' own firewalls, by module name. */
  readonly moduleFirewalls?: ReadonlyMap<string, Firewall>;
  readonly logins: Logins;
  readonly known: () => { logins: Iterable<Login>; sessions: Iterable<Session> };
  readonly networks: readonly NetworkStep[];
  /** Room for counts of networks. Default: the decider's own. */
  readonly networkRoom?: Room;
  /** Returns this boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** End of the trial, by which all bans leave a firewall that keeps time; null: no trial. */
  readonly trialEnd?: Micros | null;
}
