import { readWhitelistFile, whitelistStamp } from "../config/whitelist_file.ts";
import type { WhitelistFile, WhitelistMember } from "../config/types.ts";
import type { Log } from "../core/log.ts";

/** What following whitelist files needs of its surroundings. */
export interface WhitelistFilesOptions {
  readonly log: Log;
  /** Path of the configuration that names them. */
  readonly config: string;
}

/** The whitelist files of a configuration, read again whenever they have changed. */
export class WhitelistFiles {
  readonly #options: WhitelistFilesOptions;
  /** What each file last said. */
  #files: readonly WhitelistFile[];

  /** @param files as they were read with the configuration */
  constructor(files: readonly WhitelistFile[], options: WhitelistFilesOptions) {
    this.#files = files;
    this.#options = options;
    files.forEach((file) => this.#complain(file));
  }

  /** All that the files say now. One that cannot be read says what it last did: nobody is locked out by that. */
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
      if (error !== old.error) log.warn(`${error}; what it last said stays whitelisted`);
      return { ...old, stamp, error };
    }
    log.info(`whitelist file ${file.path} read: ${file.members.length} entries`);
    this.#complain(file);
    return file;
  }

  #complain({ complaints }: WhitelistFile): void {
    for (const complaint of complaints) this.#options.log.warn(complaint);
  }
}
