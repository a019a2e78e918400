import { nextTurn } from "../core/async.ts";
import type { Ban, HeldBan } from "../deciding/ban.ts";
import type { Firewall, Inspection, Outcome } from "./firewall.ts";

/** Stands in where no firewall is configured: bans are recorded, and no traffic is dropped. */
export class ObserveFirewall implements Firewall {
  readonly name: string = "observe";
  readonly canUnban: boolean = true;
  readonly knowsScopes: boolean = true;
  readonly batch: number = 1_000;
  readonly parallel: number = 1;
  readonly keepsTime: boolean = false;
  /** Bans held by a real firewall stay its own until it is configured again. */
  readonly takesOver: boolean = false;

  ban(bans: readonly Ban[]): Promise<Outcome[]> {
    return done(bans);
  }

  unban(bans: readonly Ban[]): Promise<Outcome[]> {
    return done(bans);
  }

  inspect(_bans?: readonly HeldBan[]): Promise<Inspection | null> {
    return Promise.resolve(null);
  }

  clear(): Promise<string | null> {
    return Promise.resolve(null);
  }
}

/** Answers later, like a real firewall: lines are read between two calls. */
async function done(bans: readonly Ban[]): Promise<Outcome[]> {
  await nextTurn();
  return bans.map(({ address }) => ({ address, error: null }));
}
