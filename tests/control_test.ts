import { strict as assert } from "node:assert";
import { rouseMonitor, watchControl } from "../lib/control.ts";
import { eventually, temporaryState } from "./helpers.ts";

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
