import { strict as assert } from "node:assert";
import { rouseMonitor, watchControl } from "../../lib/monitor/control.ts";
import { eventually, temporaryState } from "../support/helpers.ts";

Deno.test("`rouseMonitor()` is noticed by `watchControl()`, and leaves nothing behind", async () => {
  using temporary = temporaryState();
  const stop = new AbortController();
  let changes = 0;
  const watching = watchControl(temporary.directory, { changed: () => changes++, signal: stop.signal });
  rouseMonitor(temporary.directory);
  await eventually(() => changes > 0);
  const before = changes;
  rouseMonitor(temporary.directory);
  await eventually(() => changes > before);
  assert.deepEqual([...Deno.readDirSync(`${temporary.directory}/control`)], []);
  stop.abort();
  await watching;
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
      rouseMonitor(directory);
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
