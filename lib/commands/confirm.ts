import { UserError } from "../core/error.ts";
import { localTime, now } from "../core/time.ts";
import { tellMonitor, warnIfStopped } from "./common/change.ts";
import { withState } from "./common/open_state.ts";
import { type CommonOptions, printResult } from "./common/output.ts";

/** `confirm`: ends the trial and keeps its bans. Throws `UserError` (69; 1: there is no trial). */
export function confirmCommand(options: CommonOptions): number {
  return withState(options, (state) => {
    state.bans.transaction(() => {
      const trial = state.trial();
      if (trial === null) throw new UserError("Cannot confirm: no trial is under way", 1);
      if (trial.end <= now()) {
        const end = `the trial ended at ${localTime(trial.end)}`;
        throw new UserError(`Cannot confirm: ${end}, and its bans with it; begin another one`, 1);
      }
      state.setTrial(null);
    });
    tellMonitor(state, "confirm the trial");
    printResult(options, { done: "confirmed" }, "Confirmed: bans hold as long as they are meant to.");
    warnIfStopped(state.directory);
    return 0;
  });
}
