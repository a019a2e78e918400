import type { Ban, Firewall, Outcome } from "../types.ts";

/** The firewall of whoever has configured none: bans are decided and recorded, and nothing is cut off. */
export class ObserveFirewall implements Firewall {
  readonly name = "observe";
  readonly canUnban = true;
  readonly batch = Infinity;

  ban(bans: readonly Ban[]): Promise<Outcome[]> {
    return Promise.resolve(done(bans));
  }

  unban(bans: readonly Ban[]): Promise<Outcome[]> {
    return Promise.resolve(done(bans));
  }
}

function done(bans: readonly Ban[]): Outcome[] {
  return bans.map(({ address }) => ({ address, error: null }));
}
