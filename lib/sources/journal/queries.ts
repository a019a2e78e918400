/** What is asked of journalctl(1): the entries that fit, in the export format, or a question about them. */
import { type Micros, SECOND } from "../../core/time.ts";
import type { Start } from "../source.ts";
import { isSameEntry } from "./cursor.ts";
import { ExportParser } from "./export.ts";
import { isLate, Journalctl } from "./journalctl.ts";

/** Which entries to read, and where. */
export interface Selection {
  /** Programs to read, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units to read, by `_SYSTEMD_UNIT`; an entry of a program or a unit is read. Without
   * both, all are.
   */
  readonly units: readonly string[];
  /** True: also what journald says of messages that it dropped, as a service wrote too many. */
  readonly suppressions?: boolean;
  /** Later entries are left out. */
  readonly until?: Micros;
  /** At most so many entries are read, the newest ones. */
  readonly newest?: number;
  /** Directory of journal files in place of the machine's own. */
  readonly directory?: string;
  /** Program in place of `journalctl`. */
  readonly command?: string;
}

/** Where an entry is looked for, and which. */
export interface Query {
  readonly follow?: boolean;
  readonly args?: readonly string[];
  /** In place of the journal's own. */
  readonly directory?: string;
  /** False: entries of all programs. */
  readonly matching?: boolean;
  readonly signal: AbortSignal;
}

/** Fields printed beside those that every exported entry begins with. */
const FIELDS = "MESSAGE,SYSLOG_IDENTIFIER,_PID,_UID,_SYSTEMD_UNIT";
/** `SD_MESSAGE_JOURNAL_DROPPED`; nobody but journald can write by this transport. */
const SUPPRESSIONS = ["_TRANSPORT=driver", "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e"];

/** Asks journalctl for entries of a selection. */
export class Queries {
  readonly #selection: Selection;
  readonly #matches: readonly string[];
  readonly #patience: Micros;

  /** @param patience how long a question may go without an answer */
  constructor(selection: Selection, patience: Micros) {
    const { identifiers, units, suppressions } = selection;
    this.#selection = selection;
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
   * Throws `UserError` (69) where there is no journal or the user may not read it. A journalctl that
   * follows is quiet about what it cannot see, so this one is asked first.
   */
  async requireReadable(signal: AbortSignal): Promise<void> {
    await using journalctl = new Journalctl(this.#command, {
      args: ["--lines=0", "--no-pager", ...directoryArgs(this.#selection.directory)],
      signal,
    });
    await this.#readToEnd(journalctl, () => {});
  }

  /** Whether the journal has an entry behind `reached`. */
  async hasMore(reached: Start, signal: AbortSignal): Promise<boolean> {
    const last = await this.#last({ args: ["--lines=2", ...this.#span(reached)], signal });
    return last !== null && (reached.after === null || !isSameEntry(last, reached.after));
  }

  /**
   * Whether a directory holds the journal that is written now: it has the newest entry, or the
   * newest of those to be read. Null: there is no such entry.
   */
  async isShownIn(
    directory: string,
    { matching, signal }: { matching: boolean; signal: AbortSignal },
  ): Promise<boolean | null> {
    const newest = await this.#last({ args: ["--lines=1"], matching, signal });
    if (newest === null) return null;
    const query = { args: ["--lines=1", `--cursor=${newest}`], matching, directory, signal };
    const shown = await this.#last(query);
    return shown !== null && isSameEntry(shown, newest);
  }

  /** Cursor of the last entry that is printed; null when none is. */
  async #last(query: Query): Promise<string | null> {
    await using journalctl = this.#run(query);
    const parser = new ExportParser();
    await this.#readToEnd(journalctl, (chunk) => void parser.push(chunk));
    return parser.cursor;
  }

  /** Reads a journalctl that ends by itself. Throws where it says nothing for too long, as a source is held up meanwhile. */
  async #readToEnd(journalctl: Journalctl, take: (chunk: Uint8Array) => void): Promise<void> {
    for (;;) {
      const arrival = journalctl.read();
      if (this.#patience < Infinity && await isLate(arrival, this.#patience)) {
        throw new Error("journalctl does not answer");
      }
      const chunk = await arrival;
      if (chunk.length === 0) break;
      take(chunk);
    }
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
   * Begins at the entry that was reached, not after it: `--after-cursor` passes over two entries,
   * and where the first is no longer there, a new one would be lost.
   */
  #span({ after, since }: Start): string[] {
    const { until, newest } = this.#selection;
    return [
      after === null ? `--since=${instant(since)}` : `--cursor=${after}`,
      ...(until === undefined ? [] : [`--until=${instant(until)}`]),
      ...(newest === undefined ? [] : [`--lines=${newest}`]),
    ];
  }

  get #command(): string {
    return this.#selection.command ?? "journalctl";
  }
}

/**
 * Of a directory `--follow` reads the newest boot alone, which is an old one as long as this boot has
 * no entry there, and fails where there is no entry at all. `--merge` has it read all boots.
 */
function directoryArgs(directory: string | undefined): string[] {
  return directory === undefined ? [] : [`--directory=${directory}`, "--merge"];
}

/** An instant as systemd.time(7) writes it, to the microsecond. */
function instant(time: Micros): string {
  const past = Math.max(0, Math.round(time));
  return `@${Math.floor(past / SECOND)}.${String(past % SECOND).padStart(6, "0")}`;
}
