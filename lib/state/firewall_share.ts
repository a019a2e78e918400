/**
 * Which bans a firewall carries out, as SQL: bans of a module that has a firewall of its own are that one's, all others those of
 * the firewall for everything. The turn of a ban says whose it is.
 */

/** The share of one firewall: its turns from the first up to the second, which is not among them. */
export class FirewallShare {
  readonly #from: string;
  readonly #to: string;
  /** Begins the turns of the share in the state. */
  readonly prefix: string;
  /** The key under which the boot is noted. */
  readonly bootKey: string;
  /** The firewall bans by scope; false: an address is banned once, whatever the scopes of its bans. */
  knowsScopes = true;

  /** @param module the module whose own firewall it is, named by letters, digits, `.`, `-` and `_`; null: the one for everything */
  constructor(module: string | null) {
    this.prefix = module === null ? "" : `~${module} `;
    [this.#from, this.#to] = module === null ? ["", "~"] : [this.prefix, `~${module}!`];
    this.bootKey = module === null ? "boot" : `boot ${module}`;
  }

  /** SQL that says whether two bans are one to the firewall, where at least one is in its share. */
  isOne(a: string, b: string): string {
    const isSame = this.knowsScopes ? `${a}.scope = ${b}.scope` : `${this.isMine(a)} AND ${this.isMine(b)}`;
    return `${a}.address = ${b}.address AND ${isSame}`;
  }

  /** SQL that says whether a ban is in the firewall's share. */
  isMine(ban = "ban"): string {
    return `(${ban}.turn >= '${this.#from}' AND ${ban}.turn < '${this.#to}')`;
  }
}

/** A table `to_apply` of the turns with bans that wait for a firewall: of all firewalls, or in one's share. */
export function turnsToApply(share?: FirewallShare): string {
  return turnsOf("to_apply", "ended IS NULL AND applied_at IS NULL", share);
}

/** A table `to_lift` of the turns with ended bans that a firewall may still have. */
export function turnsToLift(share?: FirewallShare): string {
  return turnsOf("to_lift", "ended IS NOT NULL AND applied_by IS NOT NULL", share);
}

/**
 * A recursive table of the turns of the bans that `waits` holds for. It takes steps through an index that begins with the turn:
 * a flood of bans is not walked over.
 */
function turnsOf(name: string, waits: string, share?: FirewallShare): string {
  const from = `FROM ban INDEXED BY ban_${name} WHERE ${waits}${share ? ` AND ${share.isMine()}` : ""}`;
  return `${name} (turn) AS (SELECT min(turn) ${from}
    UNION ALL SELECT (SELECT min(turn) ${from} AND ban.turn > ${name}.turn) FROM ${name} WHERE turn IS NOT NULL)`;
}
