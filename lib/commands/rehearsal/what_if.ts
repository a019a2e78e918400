import type { Config } from "../../config/types.ts";
import { UserError } from "../../core/error.ts";
import { bounded, counted } from "../../core/text.ts";
import { inSeconds, isoTime, isoTimeOrNull, localTime, spanText } from "../../core/time.ts";
import type { NewBan } from "../../deciding/ban.ts";
import type { Batch } from "../../sources/source.ts";
import type { State } from "../../state/state.ts";
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
import { openConfig } from "../common/open_config.ts";
import { knownWhitelist } from "../whitelist/known.ts";
import { withState } from "../common/open_state.ts";
import { type CommonOptions, print, printError, printJson, printLines, zoneText } from "../common/output.ts";
import { Progress } from "../common/progress.ts";
import { rehearsalsOf, type Rehearsed } from "./rehearsal.ts";

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
  readonly bans: BansByAddress;
  readonly hits: number;
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
/** Most characters of a login's name: a line then fits a terminal. */
const USER = 40;
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
  const [one, other] = [rehearsedOf(parts.before, parts), rehearsedOf(parts.after, parts)];
  const rehearsals = rehearsalsOf(one, other, {
    loggedIn: (login) => logins.add(login),
    isRecorded: parts.state !== null,
  });
  let lines = 0;
  for await (const batch of batches) {
    lines += batch.records.length;
    for (const rehearsal of rehearsals) rehearsal.take(batch);
  }
  parts.progress.clear();
  if (lines === 0) throw new UserError("Cannot compare: the history has no lines", 69);
  const differences = compare(one.bans, other.bans, logins);
  const more = differences.filter(({ change }) => change === "more").length;
  const unchanged = one.bans.addresses + more - differences.length;
  const seconds = Math.round(performance.now() - started) / 1_000;
  const [hits, hitsAfter] = rehearsals.flatMap((rehearsal) => rehearsal.hits);
  const [before, after] = [{ ...one, hits: hits! }, { ...other, hits: hitsAfter! }];
  return { before, after, lines, differences, unchanged, seconds };
}

/** Returns a configuration to rehearse, with its bans. */
function rehearsedOf(config: Config, { state, period }: RunParts): Rehearsed & Omit<Side, "hits"> {
  const bans = new BansByAddress(period.since ?? -Infinity);
  const whitelist = knownWhitelist({ config, state });
  // Sessions open now were not open then; past logins are part of the history.
  whitelist.set("open session", []);
  return { config, whitelist, bans, banned: (ban: NewBan) => bans.add(ban) };
}

function tell(
  { before, after, lines, differences, unchanged, seconds }: Outcome,
  { isAll }: { isAll: boolean },
) {
  const kinds = Map.groupBy(differences, ({ change }) => change);
  for (const [change, all] of kinds) {
    print(`${counted(all.length, "address")} ${TITLES[change]}${laterLogins(all)}:`);
    const listed = isAll ? all : all.slice(0, MOST);
    printLines(listed.flatMap(differenceLines));
    if (listed.length < all.length) print(`  … and ${all.length - listed.length} more, which --all lists`);
    print("");
  }
  const counts = ({ config, bans }: Side) =>
    `${counted(bans.count, "ban")} of ${counted(bans.addresses, "address")} by ${config.name}`;
  print(`before: ${counts(before)}`);
  print(`after:  ${counts(after)}`);
  const alike = `${counted(unchanged, "address")} banned alike`;
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
    ...login === null ? [] : [`    login    ${localTime(login.time)} as ${bounded(login.user, USER)}`],
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

function sideJson({ config, hits, bans }: Side): unknown {
  return { config: config.name, hits, bans: bans.count, addresses: bans.addresses };
}
