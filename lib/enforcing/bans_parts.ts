/** What `Bans` works with: the state, firewalls, and who is spared. */
import type { Boot } from "../core/boot.ts";
import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import type { CountedBan, NewBan, PastBan, StandingBan } from "../deciding/ban.ts";
import type { Login, Session } from "../deciding/login_change.ts";
import type { Logins } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import type { Firewall } from "../firewall/firewall.ts";
import type { Room } from "../rules/notes.ts";
import type { ChangesStore } from "./changes.ts";
import type { EndsStore } from "./ends.ts";
import type { LaneStore } from "./lane.ts";

/** What the judge needs of the bans in the state. */
export interface BansStore extends EndsStore, ChangesStore {
  addAll(bans: readonly NewBan[]): void;
  standingOf(addresses: readonly string[]): ReadonlyMap<string, readonly StandingBan[]>;
  past(address: string): readonly PastBan[];
  /** Decisions of rules and networks after `since`, in their order. */
  decided(since: Micros): CountedBan[];
}

/** What the judge needs of the state about firewalls. */
export interface FirewallStore extends LaneStore {
  /** What the own firewall of a module has. */
  of(module: string): LaneStore;
}

/** What bans are made with. */
export interface BansOptions {
  readonly state: { readonly bans: BansStore; readonly enforcement: FirewallStore };
  readonly firewall: Firewall;
  /** The firewalls that modules have of their own, by the names of these. */
  readonly moduleFirewalls?: ReadonlyMap<string, Firewall>;
  readonly whitelist: Whitelist;
  readonly logins: Logins;
  /** The stored ones of those. */
  readonly known: () => { logins: Iterable<Login>; sessions: Iterable<Session> };
  /** When networks are banned for the bans inside of them. */
  readonly networks: readonly NetworkStep[];
  /** How much is kept to count networks; the decider's own unless told. */
  readonly networkRoom?: Room;
  readonly log: Log;
  /** The wall clock. */
  readonly clock: () => Micros;
  /** This boot of the machine, as of now. */
  readonly boot: () => Boot;
  /** No ban holds longer than this for now; null: there is no trial. */
  readonly trialEnd?: Micros | null;
  /** Called with the addresses of bans whose time was up. */
  readonly expired?: (addresses: readonly string[]) => void;
}
