/**
 * The paths that exist and that `pattern` means, sorted: an absolute path in which `*` and `?` stand for any part of a
 * name. Hidden files need their dot. Directories that are missing or may not be read hold nothing.
 */
export function expand(pattern: string): string[] {
  const names = pattern.split("/").slice(1);
  return names.reduce<string[]>((paths, name, i) => {
    const isLast = i === names.length - 1;
    if (!/[*?]/.test(name)) {
      return paths.map((path) => `${path}/${name}`).filter((path) => !isLast || exists(path));
    }
    const matches = expression(name);
    return paths.flatMap((path) =>
      list(path).filter((entry) => matches.test(entry)).map((entry) => `${path}/${entry}`)
    );
  }, [""]).toSorted();
}

/** The names in a directory; none where it cannot be read. */
export function list(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory === "" ? "/" : directory)].map(({ name }) => name);
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    // What may not be looked at is there, and is complained of when it is opened.
    return !(error instanceof Deno.errors.NotFound);
  }
}

function expression(name: string): RegExp {
  const source = name.replace(/[\\^$.+()[\]{}|]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".");
  return new RegExp(`^${/^[*?]/.test(name) ? "(?!\\.)" : ""}${source}$`, "s");
}
