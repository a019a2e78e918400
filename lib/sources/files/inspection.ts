import { openContent } from "./content.ts";
import { Glob } from "./glob.ts";
import { isDated, isRotated } from "./names.ts";
import { reasonOf, sentenceOf } from "./opening.ts";

/** Result of a look at a pattern's files. */
export interface Inspection {
  readonly pattern: string;
  /** Number of existing files that would be read. */
  readonly found: number;
  /** Sentences on why files cannot be read. */
  readonly problems: readonly string[];
}

/** Checks whether this process may read a pattern's files. Throws if it is not absolute. */
export function inspectFiles(pattern: string): Inspection {
  const { paths, problems } = logFiles(pattern);
  return { pattern, found: paths.length, problems };
}

/**
 * Returns the log files of `pattern` that this process can read, and the problems of the others.
 * Throws like `inspectFiles()`.
 */
export function logFiles(pattern: string): { readonly paths: string[]; readonly problems: string[] } {
  const { paths, failures } = new Glob(pattern).list();
  const problems = [...failures].filter(([, error]) => !isMissing(error)).map(([path, error]) =>
    sentenceOf(path, reasonOf(path, error))
  );
  const logs = new Set(paths);
  const found: string[] = [];
  for (const path of paths.filter((one) => !isRotated(one, logs) || isDated(one))) {
    try {
      openContent(path)[Symbol.dispose]();
      found.push(path);
    } catch (error) {
      if (!isMissing(error)) problems.push(sentenceOf(path, reasonOf(path, error)));
    }
  }
  return { paths: found, problems };
}

function isMissing(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound;
}
