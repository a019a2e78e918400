/**
 * How a command tells the running monitor that it changed the state: a file comes and goes in a directory
 * that the monitor watches. Nothing is said in it; the state says everything.
 */
import { UserError } from "../core/error.ts";

const DIRECTORY = "control";
/** Milliseconds between two looks whether the state is still there. */
const BETWEEN_LOOKS = 2_000;

/** Makes the directory of the state, and in it the one that is watched, for the owner alone. */
export function prepareStateDirectory(state: string): void {
  Deno.mkdirSync(`${state}/${DIRECTORY}`, { recursive: true, mode: 0o700 });
}

/** Rouses the monitor that runs on `state`, if one does. */
export function rouseMonitor(state: string): void {
  const file = `${state}/${DIRECTORY}/${crypto.randomUUID()}`;
  Deno.writeTextFileSync(file, "");
  Deno.removeSync(file);
}

/**
 * Calls `changed` whenever a command has changed `state`, until `signal` aborts. Throws `UserError` (69) within
 * seconds of the state being removed, moved away or replaced: what is written from then on would be lost.
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

/** Changes when the state is no longer the one that it was; a state that is not there has none. */
function identity(state: string): string | null {
  try {
    const parts = ["state.db", DIRECTORY].map((name) => Deno.statSync(`${state}/${name}`));
    return parts.map(({ dev, ino }) => `${dev}:${ino}`).join();
  } catch {
    return null;
  }
}
