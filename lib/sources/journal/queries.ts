/** Queries to journalctl(1): matching entries in the export format, or a question about them. */
import { isLate } from "../../core/async.ts";
import { type Micros, SECOND } from "../../core/time.ts";
import type { Start } from "../source.ts";
import { isSameEntry } from "./cursor.ts";
import { Journalctl } from "./journalctl.ts";

/** Which entries to read, and where. */
export interface JournalSelection {
  /** Programs to read, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units to read, by `_SYSTEMD_UNIT`; an entry needs a matching program or unit. Without
   * both, all entries are read.
   */
  readonly units: readonly string[];
  /** True: also journald's reports of messages that it dropped because a service wrote too many. */
  readonly suppressions?: boolean;
  /** Omits later entries. */
  readonly until?: Micros;
  /** Most entries to read, the newest ones. */
  readonly newest?: number;
  /** Directory of journal files in place of the machine's own. */
  readonly directory?: string;
  /** Program in place of `journalctl`. */
  readonly command?: string;
}

/** Which entries to seek, and where. */
export interface Query {
  readonly follow?: boolean;
  readonly args?: readonly string[];
  /** Directory in place of the journal's own. */
  readonly directory?: string;
  /** False: entries of all programs. */
  readonly matching?: boolean;
  readonly signal: AbortSignal;
}

/** Fields printed beside those that begin every exported entry. */
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT,_TRANSPORT,CONTAINER_ID_FULL";
/** `SD_MESSAGE_JOURNAL_DROPPED`; only journald can write by this transport. */
const SUPPRESSIONS = ["_TRANSPORT=driver", "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"];

/** Asks journalctl for entries of a selection. */
export class Queries {
  readonly #selection: JournalSelection;
  readonly #matches: readonly string[];
  readonly #command: string;
  readonly #patience: Micros;

  /** @param patience how long an answer may take */
  constructor(selection: JournalSelection, patience: Micros) {
    const { identifiers, units, suppressions } = selection;
    this.#selection = selection;
    this.#command = selection.command ?? "journalctl";
    this.#patience = patience;
    this.#matches = [
      ...identifiers.map((name) => `SYSLOG_IDENTIFIER=${name}`),
      ...(identifiers.length > 0 && units.length > 0 ? ["+"] : []),
      ...units.map((name) => `_SYSTEMD_UNIT=${name}`),
      ...(suppressions ? ["+", ...SUPPRESSIONS] : []),
    ];
  }

  /** Starts a journalctl that prints the entries from `start` on. */
  open(start: Start, { follow = false, args = [], ...query }: Query): Journalctl {
    return this.#run({
      ...query,
      args: [...(follow ? ["--follow", "--no-tail"] : []), ...args, ...this.#span(start)],
    });
  }

  /**
   * Throws `UserError` (69) if there is no journal or the user may not read it. A following
   * journalctl does not report missing permissions, so this one runs first.
   */
  async requireReadable(signal: AbortSignal): Promise<void> {
    await using journalctl = new Journalctl(this.#command, {
      args: ["--lines=0", "--no-pager", ...directoryArgs(this.#selection.directory)],
      signal,
    });
    await this.#readToEnd(journalctl);
  }

  /** Reports whether the journal has an entry behind `reached`. */
  async hasMore(reached: Start, signal: AbortSignal): Promise<boolean> {
    const last = await this.#last({ args: ["--lines=2", ...this.#span(reached)], signal });
    return last !== null && (reached.after === null || !isSameEntry(last, reached.after));
  }

  /**
   * Reports whether a directory has the journal that is written now: its newest entry, or the
   * newest that matches. Null: there is no such entry.
   */
  async isShownIn(
    directory: string,
    { matching, signal }: { matching: boolean; signal: AbortSignal },
  ): Promise<boolean | null> {
    const newest = await this.newest({ matching, signal });
    if (newest === null) return null;
    const query = { args: ["--lines=1", `--cursor=${newest}`], matching, directory, signal };
    const shown = await this.#last(query);
    return shown !== null && isSameEntry(shown, newest);
  }

  /** Returns the cursor of the newest entry, or of the newest that matches; null: there is none. */
  newest(query: Pick<Query, "matching" | "signal">): Promise<string | null> {
    return this.#last({ args: ["--lines=1"], ...query });
  }

  /** Returns the cursor of the last entry printed; null if there is none. */
  async #last(query: Query): Promise<string | null> {
    await using journalctl = this.#run(query);
    await this.#readToEnd(journalctl);
    return journalctl.entries.cursor;
  }

  /** Reads a journalctl to its end. Throws if it is silent too long, as the source waits for it. */
  async #readToEnd(journalctl: Journalctl): Promise<void> {
    let arrival;
    do {
      arrival = journalctl.entries.read();
      if (this.#patience < Infinity && await isLate(arrival, this.#patience)) {
        throw new Error("journalctl does not answer");
      }
    } while (await arrival !== null);
    await journalctl.finish();
  }

  #run({ args = [], directory = this.#selection.directory, matching = true, signal }: Query): Journalctl {
    const format = ["--output=export", `--output-fields=${FIELDS}`, "--no-pager", "--quiet"];
    return new Journalctl(this.#command, {
      args: [...format, ...directoryArgs(directory), ...args, ...(matching ? this.#matches : [])],
      signal,
    });
  }

  /**
   * Begins at the entry that was reached, not after it: `--after-cursor` skips two entries, and if
   * the first is gone, a new one would be lost.
   */
  #span({ after, since }: Start): string[] {
    const { until, newest } = this.#selection;
    return [
      after === null ? `--since=${instant(since)}` : `--cursor=${after}`,
      ...(until === undefined ? [] : [`--until=${instant(until)}`]),
      ...(newest === undefined ? [] : [`--lines=${newest}`]),
    ];
  }
}

/**
 * Arguments for a directory. There, `--follow` reads only the newest boot, an old one until this
 * boot has an entry, and fails if there is no entry at all. `--merge` makes it read all boots.
 */
function directoryArgs(directory: string | undefined): string[] {
  return directory === undefined ? [] : [`--directory=${directory}`, "--merge"];
}

/** Formats an instant for systemd.time(7), to the microsecond. */
function instant(time: Micros): string {
  const past = Math.max(0, Math.round(time));
  return `@${Math.floor(past / SECOND)}.${String(past % SECOND).padStart(6, "0")}`;
}
