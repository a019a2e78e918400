/** Checks that the monitor runs and succeeds. */
import { isAbsent } from "../../core/file_identity.ts";
import { databaseOf } from "../../core/state_files.ts";
import { counted } from "../../core/text.ts";
import { localTime, now } from "../../core/time.ts";
import { problemsOf } from "../../monitor/problems.ts";
import { isOverdue } from "../../monitor/report.ts";
import type { State } from "../../state/state.ts";
import { asRoot, INSTALL_UNIT } from "../common/machine.ts";
import { withState } from "../common/open_state.ts";
import type { CommonOptions } from "../common/output.ts";
import { awaitStarting, statusOf } from "../status/status.ts";
import { hangingText, tellingProblems } from "../status/problems.ts";
import { failure, failureOf, failuresOf, ok, warning } from "./finding.ts";

/**
 * Opens the state and checks the last report. `unit` starts the monitor; null: none does. `newest` is
 * the latest instant at which the monitor worked.
 */
export async function examineMonitor(
  options: CommonOptions & { readonly state: string },
  unit: string | null,
) {
  try {
    return await withState(options, async (state) => {
      await awaitStarting(state);
      return examineState(state, unit);
    });
  } catch (error) {
    const remedy = unit === null ? INSTALL_UNIT : asRoot(`systemctl enable --now ${unit}`);
    const findings = isAbsent(databaseOf(options.state))
      ? [warning("monitor", `has not run yet: ${options.state} holds no state`, remedy)]
      : failuresOf("state", error);
    return { isRunning: false, newest: null, findings };
  }
}

function examineState(state: State, unit: string | null) {
  const status = statusOf(state);
  const { running: isRunning, report, recorded, isInMemory } = status;
  const times = [report?.started ?? 0, ...(report?.sources ?? []).map(({ lastBatch }) => lastBatch ?? 0)];
  const newest = Math.max(...times) || null;
  const opened = ok("state", `${state.directory} can be opened and holds ${counted(recorded, "line")}`);
  if (!isRunning || !report?.running) {
    const start = `${asRoot(`systemctl start ${unit}`)}, and see journalctl -u ${unit}`;
    const why = report?.failure ? `: ${report.failure}` : "";
    const stopped = isRunning
      ? failure("monitor", "has not reported yet", "ask again")
      : failureOf("monitor", `does not run${why}`, unit === null ? INSTALL_UNIT : start);
    return { isRunning, newest, findings: [opened, stopped] };
  }
  const restart = unit === null ? `kill -KILL ${report.pid}` : asRoot(`systemctl restart ${unit}`);
  // The same sentences as notices have, and those that no notice could tell.
  const sentences = problemsOf({ ...status, report, losses: [] }).map(({ text }) => text);
  const problems = [
    ...!isInMemory && isOverdue(report, now()) ? [failure("monitor", hangingText(report), restart)] : [],
    ...[...sentences, ...tellingProblems(report)].map((text) =>
      failure("monitor", text, "strongmonitor status tells more")
    ),
  ];
  const well = problems.length === 0 ? [ok("monitor", `runs since ${localTime(report.started)}`)] : problems;
  return { isRunning, newest, findings: [opened, ...well] };
}
