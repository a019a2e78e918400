import { strict as assert } from "node:assert";
import { watchDirectories } from "../../lib/core/directory_watch.ts";

const moduleAt = (path: string) => JSON.stringify(new URL(`../../lib/${path}`, import.meta.url).href);

Deno.test("`watchDirectories()` tells of changes until it is closed", async () => {
  const directory = Deno.makeTempDirSync();
  const watcher = watchDirectories([directory])!;
  Deno.writeTextFileSync(`${directory}/a`, "");
  for await (const { paths } of watcher.events) {
    assert.deepEqual(paths, [`${directory}/a`]);
    watcher.close();
  }
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("`watchDirectories()` watches only directories without a named pipe", async () => {
  const [piped, other] = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
  await new Deno.Command("mkfifo", { args: [`${piped}/pipe`] }).output();
  assert.equal(watchDirectories([piped]), null);
  const watcher = watchDirectories([piped, other])!;
  Deno.writeTextFileSync(`${piped}/a`, "");
  Deno.writeTextFileSync(`${other}/b`, "");
  for await (const { paths } of watcher.events) {
    assert.deepEqual(paths, [`${other}/b`]);
    watcher.close();
  }
  for (const directory of [piped, other]) Deno.removeSync(directory, { recursive: true });
});

Deno.test("a named pipe that appears and goes away freezes nothing, and commands are still noticed", async () => {
  // A process of its own: its watchers have no events any more.
  const program = `
    import { lookForPipes, watchDirectories } from ${moduleAt("core/directory_watch.ts")};
    import { prepareStateDirectory, wakeMonitor, watchControl } from ${moduleAt("monitor/control.ts")};
    const [logs, state] = [Deno.makeTempDirSync(), Deno.makeTempDirSync()];
    prepareStateDirectory(state);
    const stop = new AbortController();
    let noticed = () => {};
    const controlling = watchControl(state, { changed: () => noticed(), signal: stop.signal });
    const watcher = watchDirectories([logs]);
    await new Deno.Command("mkfifo", { args: [logs + "/pipe"] }).output();
    console.log(lookForPipes());
    Deno.removeSync(logs + "/pipe");
    console.log(watchDirectories([logs]));
    watcher.close();
    const { promise, resolve } = Promise.withResolvers();
    noticed = resolve;
    wakeMonitor(state);
    await promise;
    stop.abort();
    await controlling;
    for (const directory of [logs, state]) Deno.removeSync(directory, { recursive: true });
    console.log("done");
    Deno.exit();`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--ext=ts", program],
    cwd: new URL("../..", import.meta.url),
    // A frozen program ends never.
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert.equal(new TextDecoder().decode(stdout), "true\nnull\ndone\n");
});

Deno.test("`watchDirectories()` watches no more than eight directories, unless it must", () => {
  const directories = Array.from({ length: 9 }, () => Deno.makeTempDirSync());
  const [ninth, ...eight] = directories as [string, ...string[]];
  assert.equal(watchDirectories(directories), null);
  const watchers = [watchDirectories(eight.slice(0, 7)), watchDirectories(eight.slice(7))];
  assert.ok(watchers.every((watcher) => watcher !== null));
  assert.equal(watchDirectories([ninth]), null);
  const control = watchDirectories([ninth], Infinity);
  assert.ok(control !== null);
  for (const watcher of [...watchers, control]) watcher!.close();
  const again = watchDirectories([ninth]);
  assert.ok(again !== null);
  again.close();
  for (const directory of directories) Deno.removeSync(directory);
});
