/**
 * Watches directories by Deno's inotify. One thread serves all watchers of the process, and opens
 * whatever appears. A named pipe blocks it until somebody writes, which may be never: then no
 * watcher has events any more, and a call that opens or closes one never returns.
 */
import { tried } from "./error.ts";

/** A watcher of some directories. */
export interface DirectoryWatcher {
  readonly events: AsyncIterable<Deno.FsEvent>;
  /** Ends the events, unless a named pipe blocks the watchers: then they never end. */
  close(): void;
}

/**
 * Most watched directories. For each event Deno's thread opens all of them, to compare them with the
 * file's: with 40, it takes half a minute of a busy machine for a thousand lines, and a call that
 * opens or closes a watcher, with all else, waits for it as long.
 */
const MOST = 8;

const watched = new Set<{ readonly directories: readonly string[] }>();
let isBlocked = false;

/** Reports whether a named pipe was found in a watched directory: there are no events any more. */
export function areWatchersBlocked(): boolean {
  return isBlocked;
}

/** Looks for named pipes in all watched directories; returns what `areWatchersBlocked()` does. */
export function lookForPipes(): boolean {
  const directories = new Set([...watched].flatMap(({ directories }) => directories));
  return isBlocked ||= [...directories].some(holdsPipe);
}

/**
 * Watches directories, not those below. Leaves out any with a named pipe. Null: none is left, or
 * they would be more than `most` with all that are watched.
 */
export function watchDirectories(paths: readonly string[], most = MOST): DirectoryWatcher | null {
  const count = [...watched].reduce((sum, { directories }) => sum + directories.length, 0);
  if (count + paths.length > most) return null;
  const directories = paths.filter((path) => !holdsPipe(path));
  if (lookForPipes() || directories.length === 0) return null;
  const events = tried(() => Deno.watchFs(directories, { recursive: false }));
  // There are no more watches.
  if (events === null) return null;
  const entry = { directories };
  watched.add(entry);
  const close = () => {
    if (!watched.has(entry) || lookForPipes()) return;
    watched.delete(entry);
    // It may have ended by itself.
    tried(() => events.close());
  };
  return { events, close };
}

/** Reports whether a directory has a named pipe. */
function holdsPipe(directory: string): boolean {
  return tried(() =>
    [...Deno.readDirSync(directory)].some(({ name, isFile, isDirectory, isSymlink }) =>
      !isFile && !isDirectory && !isSymlink && Deno.lstatSync(`${directory}/${name}`).isFifo
    )
  ) ?? false;
}
