import { resolve } from "node:path";
import { shellWord } from "../core/text.ts";

/** Configuration and state that a program is built for, as the user named them. */
export interface BuildTarget {
  /** Path of the configuration file. */
  readonly config: string;
  /** Directory of the state, if it is not the configuration's own. */
  readonly state?: string;
}

/**
 * Returns how to build a program with the permissions that `target` needs: the end of a sentence,
 * with absolute paths.
 */
export function buildHint({ config, state }: BuildTarget): string {
  const paths = absolutePaths(state === undefined ? [config] : [config, state]);
  if (paths === null) return "give absolute paths to be told how to build one that may";
  const options = ["--config", "--state"].slice(0, paths.length).map((option, i) => `${option} ${paths[i]}`);
  const task = `task build ${options.join(" ")}`;
  return `build one that may, where its source is, with: deno ${task} (or, without Deno: npx -y deno@2 ${task})`;
}

/** Returns null if a path is relative to a working directory that the program may not know. */
function absolutePaths(paths: readonly string[]): string[] | null {
  try {
    return paths.map((path) => shellWord(resolve(path)));
  } catch {
    return null;
  }
}
