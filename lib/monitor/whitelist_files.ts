import { decodeCopy, encodeCopy, type WhitelistContent } from "../config/whitelist_content.ts";
import { wideWarning } from "../config/warnings.ts";
import { type WhitelistFile, whitelistStamp } from "../config/whitelist_file.ts";
import { finishSlowly } from "../core/async.ts";
import { messageOf } from "../core/error.ts";
import type { Log } from "../core/log.ts";
import { modifiedAt } from "../core/file_identity.ts";
import { counted } from "../core/text.ts";
import type { State } from "../state/state.ts";

/** Options of `WhitelistFiles`. */
export interface WhitelistFilesOptions {
  readonly log: Log;
  readonly state: Pick<State, "whitelistCopy" | "keepOnlyWhitelistCopies" | "storeWhitelistCopy">;
}

/** Milliseconds that a file must rest before its removed entries go: it may be half written. */
const REST = 2_000;
/** The same for a file without any entry. */
const REST_EMPTY = 60_000;

interface Followed {
  readonly file: WhitelistFile;
  /** Stamp of the file at its last reading; undefined: it was never read. */
  stamp: string | null | undefined;
  /** Why it could not be read; null: it could. */
  error: string | null;
  /** Its content when it last rested. */
  settled: WhitelistContent | null;
  /** Its content since it changed; null: it rests. */
  latest: WhitelistContent | null;
  /** When `latest` was read, by `performance.now()`. */
  readAt: number;
}

/**
 * Follows the whitelist files of a configuration. An unreadable file keeps its last entries. In a
 * file that is being rewritten new entries count at once; removed ones are dropped when it rests.
 * Copies in the state spare the reading of unchanged files.
 */
export class WhitelistFiles {
  readonly #options: WhitelistFilesOptions;
  readonly #followed: readonly Followed[];

  constructor(files: readonly WhitelistFile[], options: WhitelistFilesOptions) {
    this.#options = options;
    this.#followed = files.map((file) => ({
      file,
      ...this.#copyOf(file),
      error: null,
      latest: null,
      readAt: 0,
    }));
    this.#writeState(() => options.state.keepOnlyWhitelistCopies(files.map(({ path }) => path)));
  }

  /** The entries in force of all files. */
  get contents(): WhitelistContent[] {
    return this.#followed.flatMap(({ settled, latest }) => [settled ?? [], latest ?? []].flat());
  }

  /** Reports whether every file's content is known, from the file or its copy. */
  get areRead(): boolean {
    return this.#followed.every(({ settled, latest }) => settled !== null || latest !== null);
  }

  /** A sentence for each file that cannot be read, and for each with doubtful lines. */
  get problems(): string[] {
    return this.#followed.flatMap((followed) => problemOf(followed) ?? doubtfulLinesOf(followed) ?? []);
  }

  /**
   * Reads the files that have changed, in steps that let other work run, until `signal` aborts.
   * Reports whether the entries in force have changed.
   */
  async look(signal: AbortSignal): Promise<boolean> {
    let isChanged = false;
    for (const followed of this.#followed) {
      if (whitelistStamp(followed.file.path) !== followed.stamp || followed.error !== null) {
        isChanged = await this.#read(followed, signal) || isChanged;
      }
      isChanged = this.#settle(followed) || isChanged;
    }
    return isChanged;
  }

  async #read(followed: Followed, signal: AbortSignal): Promise<boolean> {
    const { log } = this.#options;
    const reading = await finishSlowly(followed.file.steps(), signal);
    if (reading === null) return false;
    const { stamp, content, error } = reading;
    const hasChanged = error === null && stamp !== followed.stamp;
    const isNew = error !== followed.error;
    followed.error = error;
    const problem = problemOf(followed);
    if (problem !== null && isNew) log.warn(problem);
    if (!hasChanged) return false;
    followed.stamp = stamp;
    followed.latest = content;
    followed.readAt = performance.now();
    log.info(`whitelist file ${followed.file.path} read: ${counted(content.entries, "entry", "entries")}`);
    for (const warning of warningsOf(followed.file, content)) log.warn(warning);
    if (content.entries === 0 && (followed.settled?.entries ?? 0) > 0) {
      log.warn(
        `${followed.file.path} is empty: its last entries stay whitelisted for ${REST_EMPTY / 1_000} s`,
      );
    }
    return true;
  }

  /** Drops entries that a file no longer holds, if it rests. Reports whether it did. */
  #settle(followed: Followed): boolean {
    const { latest, settled, file, stamp, readAt } = followed;
    if (latest === null) return false;
    const rest = latest.entries === 0 ? REST_EMPTY : REST;
    const hasRested = performance.now() - readAt >= rest ||
      Date.now() - (modifiedAt(file.path) ?? Infinity) >= rest;
    if (settled !== null && !hasRested) return false;
    followed.settled = latest;
    followed.latest = null;
    const copy = encodeCopy({ stamp: stamp ?? null, content: latest });
    this.#writeState(() => this.#options.state.storeWhitelistCopy(file.path, copy));
    return true;
  }

  #copyOf({ path }: WhitelistFile): Pick<Followed, "stamp" | "settled"> {
    try {
      const bytes = this.#options.state.whitelistCopy(path);
      if (bytes === null) return { stamp: undefined, settled: null };
      const { stamp, content } = decodeCopy(bytes);
      return { stamp, settled: content };
    } catch (error) {
      this.#options.log.debug(() => `Cannot use the copy of ${path}: ${messageOf(error)}`);
      return { stamp: undefined, settled: null };
    }
  }

  /** Writes to the state. Logs a failure: memory suffices until the next start. */
  #writeState(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#options.log.error(`Cannot keep a copy of the whitelist files: ${messageOf(error)}`);
    }
  }
}

function problemOf({ error, settled }: Followed): string | null {
  return error === null || settled === null ? error : `${error}; its last entries stay whitelisted`;
}

/** Returns a sentence for each line that is wrong, or whitelists nearly everybody. */
function warningsOf({ path }: WhitelistFile, { complaints, wide }: WhitelistContent): string[] {
  return [...complaints, ...wide.map((network) => `${path}: ${wideWarning(network)}`)];
}

/** Returns a sentence on the doubtful lines of a file that rests. */
function doubtfulLinesOf({ file, settled }: Followed): string | undefined {
  const [first, ...others] = settled === null ? [] : warningsOf(file, settled);
  return others.length === 0 ? first : `${first}; \`strongmonitor check\` names the other doubtful lines`;
}
