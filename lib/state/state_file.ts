import { isEqual } from "../core/bytes.ts";
import { messageOf } from "../core/error.ts";
import { identityAt, identityOf } from "../core/file_identity.ts";
import { SIDES } from "../core/state_files.ts";

/** First bytes of every SQLite database. */
const MAGIC = new TextEncoder().encode("SQLite format 3\0");

/**
 * The file of an open state, and whether it is still the same. Close it after the last connection:
 * closing any descriptor of a file drops all of SQLite's locks on it. So no asynchronous method may
 * be called either: Deno duplicates the descriptor for another thread, and closes the duplicate.
 */
export class StateFile {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #identity: string | null;
  readonly #head = new Uint8Array(MAGIC.length);
  #size = 0;

  /** Throws if the file cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path);
    this.#identity = this.#identify();
  }

  /** Returns the fault of the file in some words; null: none. */
  fault(): string | null {
    const identity = this.#identify();
    if (identity === null) return "somebody removed it";
    this.#identity ??= identity;
    if (identity !== this.#identity) return "somebody replaced it";
    const { size } = this.#file.statSync();
    // SQLite never shrinks it here.
    if (size < this.#size) return "it was cut short";
    this.#size = size;
    try {
      this.#file.seekSync(0, Deno.SeekMode.Start);
      const isWhole = this.#file.readSync(this.#head) === MAGIC.length;
      return isWhole && isEqual(this.#head, MAGIC) ? null : "it was overwritten";
    } catch (error) {
      return `it cannot be read: ${messageOf(error)}`;
    }
  }

  /** Whether another database has the file's name. */
  get isReplaced(): boolean {
    if (identityAt(this.#path) === identityOf(this.#file.statSync())) return false;
    try {
      using other = Deno.openSync(this.#path);
      return other.readSync(this.#head) === MAGIC.length && isEqual(this.#head, MAGIC);
    } catch {
      return false;
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Returns the devices and inodes of the file and those beside it; null: one is missing. */
  #identify(): string | null {
    const all = SIDES.map((side) => identityAt(this.#path + side));
    return all.includes(null) ? null : all.join();
  }
}
