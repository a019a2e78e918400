import { canonicalNetwork } from "../core/address.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";
import type { Connection } from "./connection.ts";

/** Options of `SharedWhitelist`. */
export interface SharedWhitelistOptions {
  /** The server's name: entries may hold for servers by name. */
  readonly hostName: string;
  readonly log: Log;
  /** Called with the database's whole whitelist after the first read and after each change. If it throws, it is called again. */
  readonly onWhitelist: (entries: WhitelistEntry[]) => void;
}

/** Reads the database's whitelist, and hands it on where it has changed. */
export class SharedWhitelist {
  readonly #options: SharedWhitelistOptions;
  /** The entries handed on last, as text. */
  #known: string | null = null;
  /** Somebody dropped the table `ips`. Its empty successor does not empty the whitelist. */
  #isLost = false;

  constructor(options: SharedWhitelistOptions) {
    this.#options = options;
  }

  /** Takes note that the table `ips` was made anew: the entries handed on stay until it has one. */
  lose(): void {
    this.#isLost = true;
  }

  /** Reads it. Throws the errors of `connection`; logs that of `onWhitelist`. */
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
