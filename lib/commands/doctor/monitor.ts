/** Checks that the monitor runs and succeeds. */
import { isAbsent } from "../../core/file_identity.ts";
import { databaseOf } from "../../core/state_files.ts";
import { counted } from "../../core/text.ts";
import { localTime, now } from "../../core/time.ts";
import { problemsOf } from "../../monitor/problems.ts";
import { isOverdue, type MonitorReport, readReport } from "../../monitor/report.ts";
import { isLocked } from "../../state/lock.ts";
import type { State } from "../../state/state.ts";
import { asRoot, INSTALL_UNIT } from "../machine.ts";
import { withState } from "../open_state.ts";
import type { CommonOptions } from "../output.ts";
import { awaitStarting } from "../status.ts";
import { hangingText } from "../status_problems.ts";
import { failure, failureOf, failuresOf, type Finding, ok, warning } from "./finding.ts";

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
  const { directory } = state;
  const isRunning = isLocked(directory);
  const report = readReport(state.report());
  const times = [report?.started ?? 0, ...(report?.sources ?? []).map(({ lastBatch }) => lastBatch ?? 0)];
  const newest = Math.max(...times);
  const opened = ok("state", `${directory} can be opened and holds ${counted(state.log.count(), "line")}`);
  if (!isRunning || !report?.running) {
    const start = `${asRoot(`systemctl start ${unit}`)}, and see journalctl -u ${unit}`;
    const why = report?.failure ? `: ${report.failure}` : "";
    const stopped = isRunning
      ? failure("monitor", "has not reported yet", "ask again")
      : failureOf("monitor", `does not run${why}`, unit === null ? INSTALL_UNIT : start);
    return { isRunning, newest: newest || null, findings: [opened, stopped] };
  }
  const problems = [...hangingOf(state, { report, unit }), ...findingsOf(state, report)];
  const well = problems.length === 0 ? [ok("monitor", `runs since ${localTime(report.started)}`)] : problems;
  return { isRunning, newest: newest || null, findings: [opened, ...well] };
}

function hangingOf(
  { isInMemory }: State,
  { report, unit }: { report: MonitorReport; unit: string | null },
): Finding[] {
  if (isInMemory || !isOverdue(report, now())) return [];
  const remedy = unit === null ? `kill -KILL ${report.pid}` : asRoot(`systemctl restart ${unit}`);
  return [failure("monitor", hangingText(report), remedy)];
}

/** Returns the problems in the monitor's last report, the same as for notices. */
function findingsOf({ bans, outbox, isInMemory }: State, report: MonitorReport): Finding[] {
  const found = { failing: bans.failing(), backlog: outbox.backlog(), isInMemory, losses: [] };
  return problemsOf({ report, ...found }).map(({ text }) =>
    failure("monitor", text, "strongmonitor status tells more")
  );
}
