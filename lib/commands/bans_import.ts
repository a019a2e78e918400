import { type Micros, now } from "../core/time.ts";
import { rouseMonitor } from "../monitor/control.ts";
import { printable } from "../core/text.ts";
import type { Whitelist } from "../deciding/whitelist.ts";
import type { State } from "../state/state.ts";
import type { NewBan } from "../deciding/ban.ts";
import { type ListedBan, readBanLine } from "./ban_list.ts";
import { requireSpanOrForever, warnIfStopped } from "./change.ts";
import { inputLines, openInput } from "./input.ts";
import { knownWhitelist, openConfig, openState } from "./open.ts";
import { type CommonOptions, print, printJson } from "./output.ts";
import { Progress } from "./progress.ts";

/** Lines that are told one by one of each kind. */
const MOST = 20;

/** Options of `bans --import`. */
export interface ImportOptions extends CommonOptions {
  /** How long the bans last of which the list does not say: a span, or `forever`, which is meant without. */
  readonly for?: string;
  /** Reason of the bans of which the list gives none. */
  readonly reason?: string;
}

/** What becomes of a line. */
type Fate =
  /** Not banned before. */
  | "banned"
  /** Banned already, now for longer or from more. */
  | "extended"
  /** Banned already, and no less. */
  | "unchanged"
  | "whitelisted"
  /** It ended before it was imported. */
  | "over";

/** How many lines of a list met each fate; those that name nobody do not count. */
type Summary = Record<Fate | "wrong", number>;

/** A list as it was read. */
interface List {
  readonly bans: readonly (ListedBan & { readonly place: string })[];
  readonly wrong: readonly string[];
}

/**
 * `bans --import`: bans all that a file lists (`-`: standard input) but for the whitelisted, in one transaction. A second
 * time changes nothing. Wrong lines are told, the others count. Exit code 1 when there were any. Throws `UserError` (64,
 * 69, 78).
 */
export async function bansImportCommand(file: string, options: ImportOptions): Promise<number> {
  const span = requireSpanOrForever(options.for);
  const config = openConfig(options);
  const state = openState({ ...options, state: config.stateDirectory });
  try {
    const list = await readList(file);
    const time = now();
    const until = span === null ? null : time + span;
    const reason = options.reason ?? `[IMPORT] ${nameOf(file)}`;
    const { summary, spared } = importBans(list, {
      state,
      whitelist: knownWhitelist(config, state),
      now: time,
      complete: (ban) => ({ ...DEFAULTS, start: time, until, reason, ...ban }),
    });
    if (summary.banned + summary.extended > 0) rouseMonitor(state.directory);
    tell(list.wrong);
    tell(spared);
    if (options.json) printJson({ file, ...summary });
    else print(sentence(file, summary));
    warnIfStopped(state.directory);
    return list.wrong.length === 0 ? 0 : 1;
  } finally {
    state.close();
  }
}

const DEFAULTS = { scope: "all", count: 0 };

function nameOf(file: string): string {
  return file === "-" ? "standard input" : file;
}

async function readList(file: string): Promise<List> {
  const input = openInput(file);
  const progress = new Progress();
  progress.total = input.size;
  const bans: (ListedBan & { place: string })[] = [];
  const wrong: string[] = [];
  let number = 0;
  for await (const lines of inputLines(input, (bytes) => progress.add(bytes))) {
    for (const line of lines) {
      const place = `${nameOf(file)}:${++number}`;
      const ban = readBanLine(line);
      if (typeof ban === "string") wrong.push(`${place}: ${ban}`);
      else if (ban !== null) bans.push({ ...ban, place });
    }
  }
  progress.clear();
  return { bans, wrong };
}

/** What importing a list goes by. */
interface ImportParts {
  readonly state: State;
  readonly whitelist: Whitelist;
  readonly now: Micros;
  /** Fills in what a list does not say. */
  complete(ban: ListedBan): NewBan;
}

/** Writes the bans of a list; also says which of them are whitelisted, a sentence each. */
function importBans(
  { bans, wrong }: List,
  { state, whitelist, now, complete }: ImportParts,
): { summary: Summary; spared: string[] } {
  const summary = { banned: 0, extended: 0, unchanged: 0, whitelisted: 0, over: 0, wrong: wrong.length };
  const spared: string[] = [];
  state.bans.transaction(() => {
    const standing = new Map<string, Standing>(state.bans.inForce().map((ban) => [ban.address, ban]));
    for (const { place, ended, ...listed } of bans) {
      const ban = complete(listed);
      const origin = whitelist.covering(ban.address);
      const fate = isOver(ban, now) || ended
        ? "over"
        : origin !== null
        ? "whitelisted"
        : fateOf(ban, standing);
      summary[fate]++;
      if (fate === "whitelisted") spared.push(`${place}: ${ban.address} is whitelisted (${origin})`);
      if (fate !== "banned" && fate !== "extended") continue;
      state.bans.add({ ...ban, start: Math.min(ban.start, now) });
      standing.set(ban.address, fate === "banned" ? ban : state.bans.standing(ban.address)!);
    }
  });
  return { summary, spared };
}

type Standing = Pick<NewBan, "scope" | "until">;

function isOver({ until }: Standing, now: Micros): boolean {
  return until !== null && until <= now;
}

/** What a ban that nothing speaks against adds to those that stand. */
function fateOf(ban: NewBan, standing: ReadonlyMap<string, Standing>): Fate {
  const before = standing.get(ban.address);
  if (before === undefined) return "banned";
  const isNoLonger = before.until === null || (ban.until !== null && ban.until <= before.until);
  return isNoLonger && ["all", ban.scope].includes(before.scope) ? "unchanged" : "extended";
}

/** Tells the first of some sentences on standard error, and how many more there are. */
function tell(sentences: readonly string[]): void {
  for (const sentence of sentences.slice(0, MOST)) console.error(printable(sentence));
  if (sentences.length > MOST) console.error(`and ${sentences.length - MOST} more like these`);
}

const WORDS: Readonly<Record<keyof Summary, string>> = {
  banned: "banned",
  extended: "were banned already, now for longer or from more",
  unchanged: "were banned already",
  whitelisted: "are whitelisted",
  over: "have ended",
  wrong: "could not be read",
};

function sentence(file: string, summary: Summary): string {
  const counts = Object.entries(WORDS).flatMap(([fate, words]) => {
    const count = summary[fate as keyof Summary];
    return count > 0 || fate === "banned" ? `${count} ${words}` : [];
  });
  return `${nameOf(file)}: ${counts.join(", ")}`;
}
