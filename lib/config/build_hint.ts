import { resolve } from "node:path";
import { tried } from "../core/error.ts";
import { shellWord } from "../core/text.ts";

/** Configuration and state that a program is built for, as the user named them. */
export interface BuildTarget {
  /** Path of the configuration file. */
  readonly config: string;
  /** Directory of the state, if it is not the configuration's own. */
  readonly state?: string;
}

/** Returns how to build a program with the permissions of `target`, as the end of a sentence. */
export function buildHint({ config, state }: BuildTarget): string {
  const option = (name: string, path: string) => ` --${name} ${shellWord(resolve(path))}`;
  // The program may not know the working directory that a relative path begins in.
  const options = tried(() => option("config", config) + (state === undefined ? "" : option("state", state)));
  if (options === null) return "give absolute paths to be told how to build one that may";
  const task = `task build${options}`;
  return `build one that may, where its source is, with: deno ${task} (or, without Deno: npx -y deno@2 ${task})`;
}
