/**
 * The signal from a command to the running monitor that the state has changed: the command creates
 * and removes an empty file in a directory that the monitor watches. The state holds the change
 * itself.
 */
import { abortedWith, every, pause } from "../core/async.ts";
import { areWatchersBlocked, type DirectoryWatcher, watchDirectories } from "../core/directory_watch.ts";
import { identityAt, modifiedAt } from "../core/file_identity.ts";
import { firstLineOf } from "../core/error.ts";

const DIRECTORY = "control";
/** Milliseconds between two checks that the watched directory is still there. */
const BETWEEN_LOOKS = 500;

/** Permission bits of everybody but the owner. */
const OF_OTHERS = 0o077;

/**
 * Makes the state's directory and the watched one in it, for the owner alone: the state holds keys
 * of knocks, and a user who may write controls the monitor. Removes others' permissions on existing
 * files, and returns a sentence for each. Throws if that is not permitted.
 */
export function prepareStateDirectory(state: string): string[] {
  Deno.mkdirSync(`${state}/${DIRECTORY}`, { recursive: true, mode: 0o700 });
  const files = [...Deno.readDirSync(state)].flatMap(({ name, isFile }) =>
    isFile && name.includes(".db") ? `${state}/${name}` : []
  );
  return [state, `${state}/${DIRECTORY}`, ...files].flatMap((path) => {
    const mode = (Deno.statSync(path).mode ?? 0) & 0o777;
    if ((mode & OF_OTHERS) === 0) return [];
    keepFromOthers(path, mode);
    const [before, after] = [mode, mode & ~OF_OTHERS].map(octal);
    return `${path} had mode ${before}, which lets others at keys of knocks and at bans: it has ${after} now`;
  });
}

/** Removes others' permissions on a file. */
function keepFromOthers(path: string, mode: number): void {
  try {
    Deno.chmodSync(path, mode & ~OF_OTHERS);
  } catch (error) {
    const why = firstLineOf(error);
    throw new Error(`others may use ${path}, mode ${octal(mode)}, which cannot be changed: ${why}`);
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Tells the monitor that runs on `state`, if any, that the state has changed. */
export function wakeMonitor(state: string): void {
  const file = `${state}/${DIRECTORY}/${crypto.randomUUID()}`;
  Deno.writeTextFileSync(file, "");
  Deno.removeSync(file);
}

/**
 * Calls `changed` after each change of `state` by a command, until `signal` aborts. Makes the
 * watched directory again if somebody removed it.
 */
export async function watchControl(
  state: string,
  { changed, signal }: { changed: () => void; signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    try {
      prepareStateDirectory(state);
      await watchOnce(`${state}/${DIRECTORY}`, { changed, signal });
      changed();
    } catch {
      // The directory cannot be made, or vanished at once.
    }
    if (!signal.aborted) await pause(BETWEEN_LOOKS, signal);
  }
}

/** Watches `directory` until another one replaces it or `signal` aborts. */
async function watchOnce(
  directory: string,
  { changed, signal }: { changed: () => void; signal: AbortSignal },
): Promise<void> {
  const watched = identityAt(directory);
  const watcher = watchDirectories([directory], Infinity);
  using stop = abortedWith(signal);
  let time = modifiedAt(directory);
  const look = () => {
    if (identityAt(directory) !== watched) return stop.abort();
    const before = time;
    time = modifiedAt(directory);
    // A file that comes or goes changes the directory's time.
    if (time !== before && (watcher === null || areWatchersBlocked())) changed();
  };
  try {
    const looking = every(BETWEEN_LOOKS, stop.signal, look);
    await Promise.race([looking, ...watcher ? [listen(watcher, changed)] : []]);
  } finally {
    watcher?.close();
  }
}

async function listen({ events }: DirectoryWatcher, changed: () => void): Promise<void> {
  for await (const { kind } of events) if (kind === "remove") changed();
}
