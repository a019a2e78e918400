import { canonicalNetwork } from "../core/address.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import type { Connection } from "./connection.ts";

/** Options of `SharedWhitelist`. */
export interface SharedWhitelistOptions {
  /** The server's name: an entry may apply to named servers only. */
  readonly hostName: string;
  readonly log: Log;
  /** Called with the whole whitelist after the first read and each change; again if it throws. */
  readonly onWhitelist: (entries: WhitelistEntry[]) => void;
}

/** Reads the database's whitelist, and reports its changes. */
export class SharedWhitelist {
  readonly #options: SharedWhitelistOptions;
  /** The entries reported last, as text. */
  #known: string | null = null;
  /** Whether somebody dropped the table `ips`. Its empty successor does not empty the whitelist. */
  #isLost = false;

  constructor(options: SharedWhitelistOptions) {
    this.#options = options;
  }

  /** Remembers that `ips` was made anew: the entries reported last stay until it has some. */
  noteLoss(): void {
    this.#isLost = true;
  }

  /** Reads the whitelist. Throws the errors of `connection`; logs an error of `onWhitelist`. */
  async read(connection: Connection): Promise<void> {
    const { hostName, log, onWhitelist } = this.#options;
    const rows = await connection.query<{ address: string; note: string | null }>(ENTRIES, [hostName]);
    const entries = rows.flatMap(({ address, note }) => {
      const canonical = canonicalNetwork(address);
      return canonical === null ? [] : [{ address: canonical, note: note ?? "", until: null }];
    });
    if (this.#isLost && entries.length === 0) return;
    this.#isLost = false;
    const text = JSON.stringify(entries);
    if (text === this.#known) return;
    log.debug(() =>
      `PostgreSQL whitelists ${counted(entries.length, "address or network", "addresses and networks")}`
    );
    try {
      onWhitelist(entries);
      this.#known = text;
    } catch (error) {
      log.error(`Cannot apply the database's whitelist: ${messageOf(error)}`);
    }
  }
}

const ENTRIES = `
SELECT address, note FROM ips WHERE whitelisted AND (hosts IS NULL OR $1::text = ANY(hosts)) ORDER BY address`;
