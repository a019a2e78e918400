/**
 * Plays the monitor of an attacked server until a signal stops it: fills the state of the first
 * argument, holds its lock, and reports every two seconds, or only once with the word `once`.
 */
import { MINUTE, now, SECOND } from "../../lib/core/time.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { takeLock } from "../../lib/state/lock.ts";
import { State } from "../../lib/state/state.ts";
import { fillHistory } from "./history.ts";
import { reportAt } from "./monitor_report.ts";

const directory = Deno.args[0]!;
Deno.mkdirSync(directory, { recursive: true });
prepareStateDirectory(directory);
const lock = takeLock(directory);
const state = new State(directory);
await fillHistory(state, { now: now(), days: 1 });
const bans = state.bans.numbers().confirmed;
const since = now() - 30 * MINUTE;
const report = () => state.setReport(JSON.stringify(reportAt(now(), { since, bans })));
report();
console.log("ready");
if (Deno.args[1] === "once") {
  state.close();
  lock?.release();
} else {
  setInterval(() => {
    report();
    // This reference keeps the lock: the garbage collector would release it.
    lock?.look();
  }, 2 * SECOND / 1_000);
}
