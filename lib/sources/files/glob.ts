/** Paths and directories of a pattern, with the directories that could not be listed. */
export interface Listing {
  /** Paths that fit. Without a wildcard, the path need not exist. */
  readonly paths: readonly string[];
  /** Directories whose entries decide which paths fit. */
  readonly directories: readonly string[];
  /** Directories that could not be listed, with the error. */
  readonly failures: ReadonlyMap<string, unknown>;
}

/** An absolute path whose `*` and `?` match any part of a name, but no first dot, as in a shell. */
export class Glob {
  readonly #parts: readonly (string | RegExp)[];
  readonly #others: readonly Glob[];
  /** Paths that fit, but were left out of the lists, as other patterns have them. */
  readonly leftOut = new Set<string>();

  /**
   * Throws an `Error` if `pattern` is not absolute.
   *
   * @param others patterns whose files are not listed, as they are read by those
   */
  constructor(readonly pattern: string, others: readonly Glob[] = []) {
    this.#others = others;
    if (!pattern.startsWith("/")) {
      throw new Error(`Cannot follow files: the path must begin with /, got ${pattern}`);
    }
    this.#parts = pattern.split("/").filter((part) => part !== "").map((part) =>
      /[*?]/.test(part) ? expression(part) : part
    );
  }

  /** Lists the existing files. */
  list(): Listing {
    const directories = new Set<string>();
    const failures = new Map<string, unknown>();
    let paths = [""];
    this.#parts.forEach((part, index) => {
      if (index === this.#parts.length - 1) paths.forEach((path) => directories.add(path || "/"));
      paths = paths.flatMap((path) => {
        if (typeof part === "string") return [`${path}/${part}`];
        directories.add(path || "/");
        return namesIn(path || "/", failures).filter((name) => part.test(name)).map((name) =>
          `${path}/${name}`
        );
      });
    });
    for (const path of paths) if (this.isOthers(path)) this.leftOut.add(path);
    const own = paths.filter((path) => !this.leftOut.has(path)).sort();
    return { paths: own, directories: [...directories], failures };
  }

  /** Reports whether another pattern has the file at `path`. */
  isOthers(path: string): boolean {
    return this.#others.some((other) => other.matches(path));
  }

  /** Reports whether a file at `path` is of the pattern. */
  matches(path: string): boolean {
    return path.split("/").filter((name) => name !== "").length === this.#parts.length && this.concerns(path);
  }

  /** Reports whether a file of the pattern may be at `path` or below it. */
  concerns(path: string): boolean {
    const names = path.split("/").filter((name) => name !== "");
    return names.length <= this.#parts.length && names.every((name, index) => {
      const part = this.#parts[index]!;
      return typeof part === "string" ? part === name : part.test(name);
    });
  }
}

/** Returns the names in a directory; if it cannot be listed, none, and records the error. */
function namesIn(directory: string, failures: Map<string, unknown>): string[] {
  try {
    return [...Deno.readDirSync(directory)].map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotADirectory)) failures.set(directory, error);
    return [];
  }
}

function expression(part: string): RegExp {
  const body = part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*").replace(/\?/g, ".");
  return new RegExp(`^${/^[*?]/.test(part) ? "(?!\\.)" : ""}${body}$`, "s");
}
