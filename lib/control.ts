/**
 * How a command tells the running monitor that it changed the state: a file comes and goes in a directory
 * that the monitor watches. Nothing is said in it; the state says everything.
 */
const DIRECTORY = "control";

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

/** Calls `changed` whenever a command has changed `state`, until `signal` aborts. */
export async function watchControl(
  state: string,
  { changed, signal }: { changed: () => void; signal: AbortSignal },
): Promise<void> {
  if (signal.aborted) return;
  const watcher = Deno.watchFs(`${state}/${DIRECTORY}`, { recursive: false });
  signal.addEventListener("abort", () => watcher.close(), { once: true });
  for await (const { kind } of watcher) {
    if (kind === "remove") changed();
  }
}
