import { strict as assert } from "node:assert";
import { runCommand } from "../../lib/commands/run.ts";
import { readReport } from "../../lib/monitor/report.ts";
import { State } from "../../lib/state/state.ts";
import { CONFIG } from "../support/monitor_scene.ts";
import { eventually, memoryLog, temporaryState } from "../support/helpers.ts";

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

Deno.test("`run` reports a reload that was refused before its monitor stood, and counts its errors", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const [config, state] = [`${directory}/config.jsonc`, `${directory}/state`];
  const rules = [{ name: "a", str: "x", limit: 3 }];
  const good = {
    modules: { SSHD: { match: { file: `${directory}/log` }, rules } },
    metrics_file: "metrics.prom",
  };
  Deno.writeTextFileSync(config, JSON.stringify(good));
  const stop = new AbortController();
  const onReload = (reload: () => void) => {
    Deno.writeTextFileSync(config, "{");
    reload();
  };
  const ended = runCommand({ config, state }, { log: memoryLog(), signals: { stop: stop.signal, onReload } });
  const report = () => {
    const opened = new State(state);
    try {
      return readReport(opened.report());
    } finally {
      opened.close();
    }
  };
  await eventually(() => /config\.jsonc:1/.test(report()?.refused?.error ?? ""));
  stop.abort();
  assert.equal(await ended, 0);
  assert.match(
    Deno.readTextFileSync(`${directory}/metrics.prom`),
    /^strongmonitor_log_messages_total\{level="error"\} 2$/m,
  );
});
