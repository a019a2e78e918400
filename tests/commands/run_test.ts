import { strict as assert } from "node:assert";
import { runCommand } from "../../lib/commands/run.ts";
import { CONFIG } from "../support/monitor_scene.ts";
import { memoryLog, temporaryState } from "../support/helpers.ts";

Deno.test("`run` takes a reload that comes before its first monitor, and says nothing of an error", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const config = `${directory}/config.jsonc`;
  Deno.writeTextFileSync(config, JSON.stringify(CONFIG));
  const log = memoryLog();
  const signals = { stop: AbortSignal.abort(), onReload: (reload: () => void) => reload() };
  assert.equal(await runCommand({ config, state: `${directory}/state` }, { log, signals }), 0);
  assert.deepEqual(log.lines, [`info: configuration reloaded from ${config}`, "info: stopped"]);
});
