/** SQL for a firewall's bans: those of a module with its own firewall, or all others, by turn. */

/** The share of one firewall: its turns from the first up to the second, exclusive. */
export class FirewallShare {
  readonly #from: string;
  readonly #to: string;
  /** Prefix of the share's turns in the state. */
  readonly prefix: string;
  /** Key of the boot in the state. */
  readonly bootKey: string;
  /** Whether it bans by scope. False: an address is banned once for all scopes. */
  knowsScopes = true;

  /** @param module name in letters, digits, `.`, `-` and `_`; null: the general firewall */
  constructor(module: string | null) {
    this.prefix = module === null ? "" : `~${module} `;
    [this.#from, this.#to] = module === null ? ["", "~"] : [this.prefix, `~${module}!`];
    this.bootKey = module === null ? "boot" : `boot ${module}`;
  }

  /** Returns SQL that tests whether two bans, one of them in the share, are one to the firewall. */
  isOne(a: string, b: string): string {
    const isSame = this.knowsScopes ? `${a}.scope = ${b}.scope` : `${this.isMine(a)} AND ${this.isMine(b)}`;
    return `${a}.address = ${b}.address AND ${isSame}`;
  }

  /** Returns SQL that tests whether a ban is in the share. */
  isMine(ban = "ban"): string {
    return `(${ban}.turn >= '${this.#from}' AND ${this.isBeforeEnd(ban)})`;
  }

  /** Returns SQL that tests whether the turn of a ban is in the share or before it. */
  isBeforeEnd(ban = "ban"): string {
    return `${ban}.turn < '${this.#to}'`;
  }
}

/** Returns a table `to_apply` of the turns with waiting bans, in a share or in all. */
export function turnsToApply(share?: FirewallShare): string {
  return turnsOf("to_apply", "ended IS NULL AND applied_at IS NULL", share);
}

/** Returns a table `to_lift` of the turns with ended bans that a firewall may still have. */
export function turnsToLift(share?: FirewallShare): string {
  return turnsOf("to_lift", "ended IS NOT NULL AND applied_by IS NOT NULL", share);
}

/**
 * Returns a recursive table of the turns of bans that meet `waits`. It steps through an index that
 * begins with the turn, and so skips a flood of bans: SQLite searches by one lower bound alone, so
 * a step has no other one than the turn before.
 */
function turnsOf(name: string, waits: string, share?: FirewallShare): string {
  const from = `FROM ban INDEXED BY ban_${name} WHERE ${waits}`;
  const [isMine, isBeforeEnd] = share ? [share.isMine(), share.isBeforeEnd()] : ["TRUE", "TRUE"];
  return `${name} (turn) AS (SELECT min(turn) ${from} AND ${isMine}
    UNION ALL SELECT (SELECT min(turn) ${from} AND ${isBeforeEnd} AND ban.turn > ${name}.turn)
      FROM ${name} WHERE turn IS NOT NULL)`;
}
