import { messageOf, UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";
import type { BuildTarget } from "./build_hint.ts";
import { readLossyText } from "./file.ts";
import type { WhitelistConfig, WhitelistFile } from "./types.ts";
import { readWhitelist } from "./whitelist.ts";

/** 100,000 lines with a note each. */
const MAX_FILE = 1 << 24;
/** Most wrong lines of a file that are reported. */
const MOST = 20;

/**
 * Reads the whitelist file `path`. Never throws: one that cannot be read has an `error` and no
 * members.
 */
export function readWhitelistFile(path: string, target: BuildTarget): WhitelistFile {
  // Take the stamp first: a change while the file is being read then shows at the next look.
  const stamp = whitelistStamp(path);
  try {
    const text = readLossyText({ path, what: "the whitelist file", most: MAX_FILE, target });
    const { members, complaints } = readWhitelist(text);
    const told = complaints.slice(0, MOST).map(({ line, complaint }) => `${path}:${line}: ${complaint}`);
    const rest = complaints.length - told.length;
    return {
      path,
      stamp,
      members,
      complaints: rest > 0
        ? [...told, `${path}: ${counted(rest, "more line is", "more lines are")} wrong`]
        : told,
      error: null,
    };
  } catch (error) {
    return { path, stamp, members: [], complaints: [], error: messageOf(error) };
  }
}

/**
 * Changes whenever the file `path` is written, replaced or gone; null while it cannot be looked at.
 */
export function whitelistStamp(path: string): string | null {
  try {
    const { mtime, size, dev, ino } = Deno.statSync(path);
    return [mtime?.getTime(), size, dev, ino].join();
  } catch {
    return null;
  }
}

/**
 * Why a monitor is not to start with `whitelist`: a friend could be banned. Null when every file
 * can be read.
 */
export function whitelistProblem({ files }: WhitelistConfig): UserError | null {
  const errors = files.flatMap(({ error }) => error ?? []);
  return errors.length === 0 ? null : new UserError(errors, 78);
}
