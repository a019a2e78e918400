/**
 * The signal from a command to the running monitor that the state has changed: the command makes
 * and removes an empty file in a directory that the monitor watches. The change itself stands in
 * the state.
 */
import { UserError } from "../core/error.ts";

const DIRECTORY = "control";
/** Interval in milliseconds at which the monitor checks that its state was not removed. */
const BETWEEN_LOOKS = 2_000;

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
 * Calls `changed` after each change of `state` by a command, until `signal` aborts. Throws
 * `UserError` (69) within two seconds of somebody removing, moving or replacing the state: later
 * writes would be lost.
 */
export async function watchControl(
  state: string,
  { changed, signal }: { changed: () => void; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  const watched = identity(state);
  const watcher = Deno.watchFs(`${state}/${DIRECTORY}`, { recursive: false });
  let isLost = false;
  const close = () => watcher.close();
  signal.addEventListener("abort", close, { once: true });
  const looking = setInterval(() => {
    if (identity(state) === watched) return;
    isLost = true;
    clearInterval(looking);
    signal.removeEventListener("abort", close);
    close();
  }, BETWEEN_LOOKS);
  try {
    for await (const { kind } of watcher) {
      if (kind === "remove") changed();
    }
  } finally {
    clearInterval(looking);
  }
  if (isLost) {
    throw new UserError(`The state ${state} is gone: somebody removed, moved or replaced it`, 69);
  }
}

/** Device and inode of the state's database and watched directory; null where one is missing. */
function identity(state: string): string | null {
  try {
    const parts = ["state.db", DIRECTORY].map((name) => Deno.statSync(`${state}/${name}`));
    return parts.map(({ dev, ino }) => `${dev}:${ino}`).join();
  } catch {
    return null;
  }
}
