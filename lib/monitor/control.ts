/**
 * The signal from a command to the running monitor that the state has changed: the command makes
 * and removes an empty file in a directory that the monitor watches. The change itself stands in
 * the state.
 */
import { messageOf, UserError } from "../core/error.ts";

const DIRECTORY = "control";
/** Interval in milliseconds at which the monitor checks that its state was not removed. */
const BETWEEN_LOOKS = 2_000;

/** Permissions of everybody but the owner. */
const OF_OTHERS = 0o077;

/**
 * Makes the state's directory and the watched one in it, for the owner alone: keys of knocks lie there, and whoever may write
 * controls the monitor. Takes their permissions from others where they exist, and returns a sentence for each. Throws where
 * it may not.
 */
export function prepareStateDirectory(state: string): string[] {
  Deno.mkdirSync(`${state}/${DIRECTORY}`, { recursive: true, mode: 0o700 });
  const files = [...Deno.readDirSync(state)].flatMap(({ name, isFile }) =>
    isFile && name.includes(".db") ? `${state}/${name}` : []
  );
  return [state, `${state}/${DIRECTORY}`, ...files].flatMap((path) => {
    const mode = (Deno.statSync(path).mode ?? 0) & 0o777;
    if ((mode & OF_OTHERS) === 0) return [];
    close(path, mode);
    const [before, after] = [mode, mode & ~OF_OTHERS].map(octal);
    return `${path} had mode ${before}, which lets others at keys of knocks and at bans: it has ${after} now`;
  });
}

function close(path: string, mode: number): void {
  try {
    Deno.chmodSync(path, mode & ~OF_OTHERS);
  } catch (error) {
    const why = messageOf(error).split("\n")[0];
    throw new Error(`others may use ${path}, mode ${octal(mode)}, which cannot be changed: ${why}`);
  }
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
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
