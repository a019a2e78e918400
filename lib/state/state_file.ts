import { identityAt, identityOf } from "../core/file_identity.ts";
import { SIDES } from "../core/state_files.ts";

/** What every SQLite database begins with. */
const MAGIC = new TextEncoder().encode("SQLite format 3\0");

/**
 * The file of a state that is open, and whether it is still what it was. Close it behind
 * the last connection: closing any descriptor of a file drops all locks that SQLite has on it.
 */
export class StateFile {
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #identity: string | null;
  readonly #head = new Uint8Array(MAGIC.length);
  #size = 0;

  /** Throws where the file cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#file = Deno.openSync(path);
    this.#identity = this.#identify();
  }

  /** What is wrong with the file, in some words; null: nothing. */
  fault(): string | null {
    const identity = this.#identify();
    if (identity === null) return "somebody removed it";
    this.#identity ??= identity;
    if (identity !== this.#identity) return "somebody replaced it";
    const { size } = this.#file.statSync();
    // It never shrinks by itself.
    if (size < this.#size) return "it was cut short";
    this.#size = size;
    this.#file.seekSync(0, Deno.SeekMode.Start);
    const isWhole = this.#file.readSync(this.#head) === MAGIC.length;
    return isWhole && isMagic(this.#head) ? null : "it was overwritten";
  }

  /** Reports whether another database stands under the file's name. */
  get isReplaced(): boolean {
    if (identityAt(this.#path) === identityOf(this.#file.statSync())) return false;
    try {
      using other = Deno.openSync(this.#path);
      return other.readSync(this.#head) === MAGIC.length && isMagic(this.#head);
    } catch {
      return false;
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Devices and inodes of the file and of those beside it; null where one is missing. */
  #identify(): string | null {
    const all = SIDES.map((side) => identityAt(this.#path + side));
    return all.includes(null) ? null : all.join();
  }
}

function isMagic(bytes: Uint8Array): boolean {
  return bytes.every((byte, i) => byte === MAGIC[i]);
}
