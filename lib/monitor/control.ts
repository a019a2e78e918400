/**
 * The signal from a command to the running monitor that the state has changed: the command makes
 * and removes an empty file in a directory that the monitor watches. The change itself stands in
 * the state.
 */
import { pause } from "../core/async.ts";

const DIRECTORY = "control";
/** Milliseconds between looks whether the watched directory is still there. */
const BETWEEN_LOOKS = 500;

/** Makes the state's directory and the watched one in it, with mode 0700. */
export function prepareStateDirectory(state: string): void {
  Deno.mkdirSync(`${state}/${DIRECTORY}`, { recursive: true, mode: 0o700 });
}

/** Tells the monitor that runs on `state`, if one does, that the state has changed. */
export function rouseMonitor(state: string): void {
  const file = `${state}/${DIRECTORY}/${crypto.randomUUID()}`;
  Deno.writeTextFileSync(file, "");
  Deno.removeSync(file);
}

/**
 * Calls `changed` after each change of `state` by a command, until `signal` aborts. Makes the watched directory anew where
 * somebody removed it.
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
      // There is nowhere to make it, or it went at once.
    }
    if (!signal.aborted) await pause(BETWEEN_LOOKS, signal);
  }
}

/** Watches `directory` until it is another one or `signal` aborts. */
async function watchOnce(
  directory: string,
  { changed, signal }: { changed: () => void; signal: AbortSignal },
): Promise<void> {
  const watched = identity(directory);
  const watcher = Deno.watchFs(directory, { recursive: false });
  let isClosed = false;
  const close = () => {
    if (!isClosed) watcher.close();
    isClosed = true;
  };
  signal.addEventListener("abort", close, { once: true });
  const looking = setInterval(() => {
    if (identity(directory) !== watched) close();
  }, BETWEEN_LOOKS);
  try {
    for await (const { kind } of watcher) {
      if (kind === "remove") changed();
    }
  } finally {
    clearInterval(looking);
    signal.removeEventListener("abort", close);
  }
}

/** Device and inode of a directory; null where it is missing. */
function identity(directory: string): string | null {
  try {
    const { dev, ino } = Deno.statSync(directory);
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
