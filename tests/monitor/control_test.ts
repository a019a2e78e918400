import { strict as assert } from "node:assert";
import { prepareStateDirectory, wakeMonitor, watchControl } from "../../lib/monitor/control.ts";
import { takeLock } from "../../lib/state/lock.ts";
import { eventually, temporaryState } from "../support/helpers.ts";

Deno.test("`wakeMonitor()` is noticed by `watchControl()`, and leaves nothing behind", async () => {
  using temporary = temporaryState();
  const stop = new AbortController();
  let changes = 0;
  const watching = watchControl(temporary.directory, { changed: () => changes++, signal: stop.signal });
  wakeMonitor(temporary.directory);
  await eventually(() => changes > 0);
  const before = changes;
  wakeMonitor(temporary.directory);
  await eventually(() => changes > before);
  assert.deepEqual([...Deno.readDirSync(`${temporary.directory}/control`)], []);
  stop.abort();
  await watching;
});

Deno.test("the state is its owner's alone, and what others may do to one that exists is taken from them with a word", () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  takeLock(directory)!.release();
  const names = ["", "control", "state.db", "state.db-shm", "state.db-wal", "lock.db"];
  const modes = () => names.map((name) => (Deno.statSync(`${directory}/${name}`).mode! & 0o777).toString(8));
  const right = ["700", "700", "600", "600", "600", "600"];
  assert.deepEqual(modes(), right);
  assert.deepEqual(prepareStateDirectory(directory), []);
  for (const [name, mode] of [["", 0o755], ["state.db", 0o644], ["lock.db", 0o660]] as const) {
    Deno.chmodSync(`${directory}/${name}`, mode);
  }
  const said = prepareStateDirectory(directory);
  assert.equal(
    said[0],
    `${directory} had mode 0755, which lets others at keys of knocks and at bans: it has 0700 now`,
  );
  assert.deepEqual(said.map((sentence) => sentence.split(" ")[0]!.split("/").at(-1)).slice(1).sort(), [
    "lock.db",
    "state.db",
  ]);
  assert.deepEqual(modes(), right);
});

Deno.test("a state that others may use and that cannot be closed to them is refused", () => {
  using temporary = temporaryState();
  const chmod = Deno.chmodSync;
  Deno.chmodSync = () => {
    throw new Deno.errors.PermissionDenied("Operation not permitted (os error 1)");
  };
  try {
    chmod(temporary.directory, 0o777);
    assert.throws(
      () => prepareStateDirectory(temporary.directory),
      /others may use .*, mode 0777, .*not permitted/,
    );
  } finally {
    Deno.chmodSync = chmod;
  }
});

Deno.test("`watchControl()` makes its directory anew where somebody removed it, and goes on", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const stop = new AbortController();
  let changes = 0;
  const watching = watchControl(directory, { changed: () => changes++, signal: stop.signal });
  Deno.removeSync(`${directory}/control`, { recursive: true });
  await eventually(() => changes > 0);
  const before = changes;
  await eventually(() => {
    try {
      wakeMonitor(directory);
    } catch {
      // It is not there yet.
    }
    return changes > before;
  });
  stop.abort();
  await watching;
});

Deno.test("`watchControl()` ends when told to, however much memory has been reclaimed meanwhile", async () => {
  using temporary = temporaryState();
  const control = new URL("../../lib/monitor/control.ts", import.meta.url).href;
  const code = `import { watchControl } from "${control}";
    const stop = new AbortController();
    const watching = watchControl("${temporary.directory}", { changed() {}, signal: stop.signal });
    for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
    stop.abort();
    const late = new Promise((resolve) => setTimeout(resolve, 10_000, "hangs"));
    console.log(await Promise.race([watching.then(() => "ended"), late]));
    Deno.exit();`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", "--v8-flags=--expose-gc", code],
    stderr: "null",
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "ended\n");
});
