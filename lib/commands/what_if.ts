import type { Config } from "../config/types.ts";
import { UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";
import { inSeconds, isoTime, isoTimeOrNull, localTime, spanText } from "../core/time.ts";
import type { TextShare } from "../rules/rule_set.ts";
import type { Batch } from "../sources/source.ts";
import type { State } from "../state/state.ts";
import {
  type Banned,
  BansByAddress,
  type ChangeKind,
  CHANGES,
  compare,
  type Difference,
  NewestLogins,
} from "./comparison.ts";
import { fileBatches, type HistoryRange, journalBatches, recordedBatches, requirePeriod } from "./history.ts";
import { knownWhitelist, openConfig } from "./open.ts";
import { withState } from "./open_state.ts";
import { type CommonOptions, print, printError, printJson, printLines, zoneText } from "./output.ts";
import { Progress } from "./progress.ts";
import { Rehearsal, shareTexts } from "./rehearsal.ts";

/** Options of `what-if`; `config` is the new configuration. */
export interface WhatIfOptions extends CommonOptions {
  /** Configuration to compare with. */
  readonly against: string;
  readonly since?: string;
  /** Read history from the journal instead of files or the state. */
  readonly journal?: boolean;
  /** List all differences for people. */
  readonly all?: boolean;
}

/** Results of one of the two configurations. */
interface Side {
  readonly config: Config;
  readonly rehearsal: Rehearsal;
  readonly bans: BansByAddress;
}

interface Outcome {
  readonly before: Side;
  readonly after: Side;
  readonly lines: number;
  readonly differences: readonly Difference[];
  /** Number of addresses that both ban alike. */
  readonly unchanged: number;
  readonly seconds: number;
}

/** Most differences of a kind without `--all`. */
const MOST = 20;
const TITLES: Readonly<Record<ChangeKind, string>> = {
  more: "banned by the new configuration alone",
  less: "no longer banned",
  earlier: "banned earlier",
  later: "banned later",
  longer: "banned at the same time, but longer",
  shorter: "banned at the same time, but shorter",
};

/** `what-if`: runs one history through two configurations at once, and prints the differences. */
export async function whatIfCommand(files: readonly string[], options: WhatIfOptions): Promise<number> {
  const { config, against, state: directory, journal } = options;
  if (journal && files.length > 0) throw new UserError("Cannot read files and the journal at once", 64);
  if (config === "-" && files.includes("-")) {
    throw new UserError("Cannot read the configuration and a log both from standard input: name a file", 64);
  }
  const period = requirePeriod(options);
  const before = openConfig({ config: against, state: directory });
  const after = openConfig({ config, state: directory });
  if (config !== "-" && before.path === after.path) {
    throw new UserError(
      `Cannot compare ${after.path} with itself: name the new configuration by --config`,
      64,
    );
  }
  const compareOn = async (state: State | null) => {
    if (state !== null) tellOfUnrecorded(before, after);
    const progress = new Progress();
    const batches = state !== null
      ? recordedBatches(state, period, progress)
      : journal
      ? journalBatches([...before.modules, ...after.modules], period, progress)
      : fileBatches(files, { command: "what-if", progress });
    const outcome = await run(batches, { before, after, state, period, progress });
    if (options.json) tellJson(outcome);
    else tell(outcome, { isAll: options.all ?? false });
    return 0;
  };
  if (journal || files.length > 0) return await compareOn(null);
  return await withState({ config: against, state: before.stateDirectory }, compareOn);
}

/** Warns of modules whose lines the state does not record. */
function tellOfUnrecorded(before: Config, after: Config): void {
  const names = before.modules.map(({ module }) => module.name);
  for (const { module: { name } } of after.modules) {
    if (names.includes(name)) continue;
    printError(
      `The state has no lines of the module ${name}, which is new: give its log files to see its bans`,
    );
  }
}

interface RunParts {
  readonly before: Config;
  readonly after: Config;
  readonly state: State | null;
  readonly period: HistoryRange;
  readonly progress: Progress;
}

async function run(batches: AsyncIterable<Batch>, parts: RunParts): Promise<Outcome> {
  const started = performance.now();
  const logins = new NewestLogins();
  const shares = shareTexts(parts.before, parts.after);
  const before = open(parts.before, { ...parts, logins, shares: shares?.[0] });
  const after = open(parts.after, { ...parts, logins, shares: shares?.[1] });
  let lines = 0;
  for await (const batch of batches) {
    lines += batch.records.length;
    before.rehearsal.take(batch, shares && after.rehearsal);
    if (shares === null) after.rehearsal.take(batch);
  }
  parts.progress.clear();
  if (lines === 0) throw new UserError("Cannot compare: the history has no lines", 69);
  const differences = compare(before.bans, after.bans, logins);
  const more = differences.filter(({ change }) => change === "more").length;
  const unchanged = before.bans.addresses + more - differences.length;
  const seconds = Math.round(performance.now() - started) / 1_000;
  return { before, after, lines, differences, unchanged, seconds };
}

interface SideParts extends RunParts {
  readonly logins: NewestLogins;
  readonly shares: readonly TextShare[] | undefined;
}

function open(config: Config, { logins, shares, state, period }: SideParts): Side {
  const bans = new BansByAddress(period.since ?? -Infinity);
  const whitelist = knownWhitelist({ config, state });
  // Sessions open now were not open then; past logins are part of the history.
  whitelist.set("open session", []);
  const rehearsal = new Rehearsal(config, {
    whitelist,
    banned: (ban) => bans.add(ban),
    loggedIn: (login) => logins.add(login),
    isRecorded: state !== null,
    shares,
  });
  return { config, rehearsal, bans };
}

function tell(
  { before, after, lines, differences, unchanged, seconds }: Outcome,
  { isAll }: { isAll: boolean },
) {
  const kinds = Map.groupBy(differences, ({ change }) => change);
  for (const [change, all] of kinds) {
    print(`${counted(all.length, "address", "addresses")} ${TITLES[change]}${laterLogins(all)}:`);
    const listed = isAll ? all : all.slice(0, MOST);
    printLines(listed.flatMap(differenceLines));
    if (listed.length < all.length) print(`  … and ${all.length - listed.length} more, which --all lists`);
    print("");
  }
  const counts = ({ config, bans }: Side) =>
    `${counted(bans.count, "ban")} of ${counted(bans.addresses, "address", "addresses")} by ${config.name}`;
  print(`before: ${counts(before)}`);
  print(`after:  ${counts(after)}`);
  const alike = `${counted(unchanged, "address", "addresses")} banned alike`;
  print([counted(lines, "line"), alike, `${seconds} s`].join(", "));
  if (differences.length > 0) print(zoneText());
}

function laterLogins(differences: readonly Difference[]): string {
  const count = differences.filter(({ login }) => login !== null).length;
  return count === 0 ? "" : `, ${count} of which logged in later`;
}

function differenceLines({ address, before, after, login }: Difference): string[] {
  return [
    `  ${address}`,
    ...before === null ? [] : [`    before   ${bannedText(before)}`],
    ...after === null ? [] : [`    after    ${bannedText(after)}`],
    ...login === null ? [] : [`    login    ${localTime(login.time)} as ${login.user}`],
  ];
}

function bannedText({ first: { start, reason, count }, bans, total }: Banned): string {
  const more = bans > 1 ? `, ${bans} bans` : "";
  return `${localTime(start)} ${spanText(total)}, ${reason} with ${counted(count, "hit")}${more}`;
}

function tellJson({ before, after, lines, differences, unchanged, seconds }: Outcome): void {
  for (const { address, change, before, after, login } of differences) {
    printJson({
      address,
      change,
      before: bannedJson(before),
      after: bannedJson(after),
      login: login && { user: login.user, time: isoTime(login.time) },
    });
  }
  const changes = Object.fromEntries(CHANGES.map((change) => {
    const all = differences.filter((difference) => difference.change === change);
    const loggedIn = all.filter(({ login }) => login !== null).length;
    return [change, { addresses: all.length, logged_in: loggedIn }];
  }));
  const sides = { before: sideJson(before), after: sideJson(after) };
  printJson({ summary: { lines, ...sides, changes, unchanged, seconds } });
}

function bannedJson(banned: Banned | null): unknown {
  if (banned === null) return null;
  const { first: { start, reason, count }, until, bans, total } = banned;
  const ends = { until: isoTimeOrNull(until), bans, total: inSeconds(total) };
  return { start: isoTime(start), reason, count, ...ends };
}

function sideJson({ config, rehearsal: { counts }, bans }: Side): unknown {
  return { config: config.name, hits: counts.hits, bans: bans.count, addresses: bans.addresses };
}
