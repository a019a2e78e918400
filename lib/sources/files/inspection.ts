import { openContent } from "./content.ts";
import { Glob } from "./glob.ts";
import { reasonOf, sentenceOf } from "./opening.ts";
import { isDated, isRotated } from "./rotation.ts";

/** What there is of the files of a pattern. */
export interface Inspection {
  readonly pattern: string;
  /** How many files there are that would be read. */
  readonly found: number;
  /** What keeps files from being read, in sentences. */
  readonly problems: readonly string[];
}

/**
 * Looks whether this process may read the log files that `pattern` names. Throws an `Error` when it
 * is not absolute.
 */
export function inspectFiles(pattern: string): Inspection {
  const { paths, problems } = logFiles(pattern);
  return { pattern, found: paths.length, problems };
}

/**
 * Returns the log files of `pattern` that this process can read, and what keeps it from others.
 * Throws as `inspectFiles()`.
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
