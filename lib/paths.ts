import { dirname } from "node:path";

/** The part of a path with wildcards before the first directory whose name holds one. */
export function fixedDirectory(pattern: string): string {
  return dirname(pattern.slice(0, pattern.search(/[*?]|$/)) + "x");
}
