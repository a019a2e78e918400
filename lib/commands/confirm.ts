import { rouseMonitor } from "../monitor/control.ts";
import { UserError } from "../core/error.ts";
import { warnIfStopped } from "./change.ts";
import { withState } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";

/**
 * `confirm`: ends the trial and keeps its bans. Throws `UserError` (69, 78; 1 when no trial is
 * under way).
 */
export function confirmCommand(options: CommonOptions): number {
  return withState(options, (state) => {
    if (state.trial() === null) throw new UserError("Cannot confirm: no trial is under way", 1);
    state.setTrial(null);
    rouseMonitor(state.directory);
    if (options.json) printJson({ done: "confirmed" });
    else print("Confirmed: bans hold as long as they are meant to.");
    warnIfStopped(state.directory);
    return 0;
  });
}
