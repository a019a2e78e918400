/**
 * Lists the present problems, which an operator must know of; notices are made from the list alone.
 * In: the monitor's report on itself. Out: the list. Kind and subject identify a problem; its text
 * may change while it lasts.
 */
import { counted } from "../core/text.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import { type BanStatus, nameOf } from "../deciding/ban.ts";
import { hasUnknownFormat } from "../reading/activity.ts";
import type { MonitorReport } from "./report.ts";

/** The kinds of problems; docs/notify.md explains them. */
export type ProblemKind =
  | "config_refused"
  | "source_stopped"
  | "source_unreadable"
  | "bans_failing"
  | "bans_gone"
  | "firewall_unknown"
  | "getting_through"
  | "database_away"
  | "unknown_format"
  | "whitelist_unreadable"
  | "module_given_up"
  | "state_lost"
  | "state_in_memory"
  | "monitor_failed";

/** A problem that an operator must know of. */
export interface Problem {
  readonly kind: ProblemKind;
  /** The source, module or file concerned; empty if there can be only one. */
  readonly subject: string;
  /** A sentence for people. */
  readonly text: string;
}

/** How long a problem of a kind must last before it is told: a short one wakes nobody. */
export const TOLD_AFTER: Readonly<Partial<Record<ProblemKind, Micros>>> = {
  database_away: 5 * MINUTE,
  bans_failing: MINUTE,
};

/** Kinds that happen once: their end is not told. */
export const EVENTS: ReadonlySet<ProblemKind> = new Set<ProblemKind>([
  "bans_gone",
  "module_given_up",
  "state_lost",
  "monitor_failed",
]);

/** Where `problemsOf()` looks for problems. */
export interface ProblemView {
  readonly report: MonitorReport;
  /** Bans that failed several times; only some of them if there are many. */
  readonly stuck: readonly BanStatus[];
  /** Number of rows that wait for PostgreSQL. */
  readonly outbox: number;
  readonly state: { readonly isInMemory: boolean; readonly losses: readonly string[] };
}

/** Most addresses that one text names. */
const MOST_NAMED = 5;

/** Returns the problems that are present. */
export function problemsOf(view: ProblemView): Problem[] {
  const { state: { isInMemory, losses } } = view;
  return [
    ...configProblems(view),
    ...sourceProblems(view),
    ...moduleProblems(view),
    ...view.report.whitelistProblems.map((text) => problem("whitelist_unreadable", text, { subject: text })),
    ...banProblems(view),
    ...databaseProblems(view),
    ...losses.map((text) => problem("state_lost", text, { subject: text })),
    ...isInMemory ? [problem("state_in_memory", "The state cannot be written and is kept in memory")] : [],
  ];
}

/** Returns the problem of a monitor that an error ends. */
export function failedMonitor(message: string): Problem {
  return problem("monitor_failed", `The monitor has stopped: ${message}`);
}

function problem(kind: ProblemKind, text: string, { subject = "" } = {}): Problem {
  return { kind, subject, text };
}

function configProblems({ report: { refused } }: ProblemView): Problem[] {
  if (refused === undefined) return [];
  return [
    problem(
      "config_refused",
      `The configuration on disk was refused and the one before stays in force: ${refused.error}`,
    ),
  ];
}

function sourceProblems({ report: { sources } }: ProblemView): Problem[] {
  return sources.flatMap(({ name, running, stopped, problems }) => [
    ...running ? [] : [
      problem("source_stopped", `${name} is read no longer: ${stopped?.error ?? "it ended"}`, {
        subject: name,
      }),
    ],
    ...problems.length === 0 ? [] : [problem("source_unreadable", problems.join("; "), { subject: name })],
  ]);
}

function moduleProblems({ report: { modules } }: ProblemView): Problem[] {
  return [
    ...modules.filter(hasUnknownFormat).map(({ name, lines, understood }) =>
      problem(
        "unknown_format",
        `Module ${name} understood only ${understood} of ${counted(lines, "line")} in the last hour: ` +
          "has its log format changed?",
        { subject: name },
      )
    ),
    ...modules.filter(({ givenUp }) => givenUp !== undefined).map(({ name }) =>
      problem("module_given_up", `Module ${name} failed too often and is given up until the next start`, {
        subject: name,
      })
    ),
  ];
}

function banProblems({ report: { holding, leaks }, stuck: [example, ...others] }: ProblemView): Problem[] {
  const problems: Problem[] = [];
  if (example !== undefined) {
    const more = others.length === 0 ? "" : ` and ${counted(others.length, "address", "addresses")} more`;
    problems.push(problem("bans_failing", `Cannot ban ${nameOf(example)}${more}: ${example.error}`));
  }
  if (holding?.error) {
    problems.push(problem("firewall_unknown", `Cannot tell whether bans hold: ${holding.error}`));
  }
  if (holding !== null && holding.missing > 0) {
    const gone = counted(holding.missing, "ban was", "bans were");
    problems.push(problem("bans_gone", `${gone} gone from the firewall and put back: what removes them?`));
  }
  if (leaks.length > 0) {
    const named = leaks.slice(0, MOST_NAMED).map(({ address }) => address).join(", ");
    const more = leaks.length > MOST_NAMED ? ` and ${leaks.length - MOST_NAMED} more` : "";
    const text =
      `Banned and still getting through: ${named}${more}: a proxy brings their packets, or the firewall ` +
      "does not stop them";
    problems.push(problem("getting_through", text));
  }
  return problems;
}

function databaseProblems({ report: { database }, outbox }: ProblemView): Problem[] {
  if (!database?.error) return [];
  return [
    problem("database_away", `${database.error}; ${counted(outbox, "row waits", "rows wait")} in the state`),
  ];
}
