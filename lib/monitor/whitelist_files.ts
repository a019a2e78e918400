import { readWhitelistFile, whitelistStamp } from "../config/whitelist_file.ts";
import type { WhitelistFile, WhitelistMember } from "../config/types.ts";
import type { Log } from "../core/log.ts";
import { counted } from "../core/text.ts";

/** Options of `WhitelistFiles`. */
export interface WhitelistFilesOptions {
  readonly log: Log;
  /** Path of the configuration that names the files. */
  readonly config: string;
}

/** Reads the whitelist files of a configuration again when they change. */
export class WhitelistFiles {
  readonly #options: WhitelistFilesOptions;
  /** Each file as it was last read. */
  #files: readonly WhitelistFile[];

  /** @param files the files as they were read with the configuration */
  constructor(files: readonly WhitelistFile[], options: WhitelistFilesOptions) {
    this.#files = files;
    this.#options = options;
    files.forEach((file) => this.#complain(file));
  }

  /**
   * Returns the entries of all files now. A file that cannot be read keeps its last entries, so
   * that nobody is locked out.
   */
  refresh(): WhitelistMember[] {
    this.#files = this.#files.map((file) => this.#refresh(file));
    return this.#files.flatMap(({ members }) => members);
  }

  #refresh(old: WhitelistFile): WhitelistFile {
    const { log, config } = this.#options;
    if (whitelistStamp(old.path) === old.stamp) return old;
    const file = readWhitelistFile(old.path, { config });
    if (file.error !== null) {
      const { stamp, error } = file;
      if (error !== old.error) log.warn(`${error}; its last entries stay whitelisted`);
      return { ...old, stamp, error };
    }
    log.info(`whitelist file ${file.path} read: ${counted(file.members.length, "entry", "entries")}`);
    this.#complain(file);
    return file;
  }

  #complain({ complaints }: WhitelistFile): void {
    for (const complaint of complaints) this.#options.log.warn(complaint);
  }
}
