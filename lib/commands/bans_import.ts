import { modulesWithFirewall } from "../config/firewalls.ts";
import { scopeAmong, whyWidened } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import { type Micros, now } from "../core/time.ts";
import { keptText, meet, type NewBan, type StandingBan } from "../deciding/ban.ts";
import { type Whitelist, whitelistedBy } from "../deciding/whitelist.ts";
import { type ListedBan, readBanLine } from "./ban_list.ts";
import { requireSpanOrForever, tellMonitor, warnIfStopped } from "./change.ts";
import { inputLines, openInput } from "./input.ts";
import { knownWhitelist, withGrounds } from "./open.ts";
import { type CommonOptions, print, printError, printJson } from "./output.ts";
import { Progress } from "./progress.ts";

/** Sentences about single lines that are told of each kind. */
const MOST = 20;
/** Lines of one transaction: some 20 ms, in which nobody else can write. */
const SLICE = 1_000;
/** Milliseconds between two transactions: a writer that waits looks for the lock every 1 to 100 ms. */
const BETWEEN_SLICES = 30;

/** Options of `bans --import`. */
export interface ImportOptions extends CommonOptions {
  /** How long bans last where the list does not tell: a span, or `forever`, which is meant without. */
  readonly for?: string;
  /** Reason of bans where the list gives none. */
  readonly reason?: string;
}

/** Outcome of a line: `extended` and `unchanged` as `Meeting` has them, `over` for a ban that ended before it was imported. */
type Fate = "banned" | "extended" | "unchanged" | "whitelisted" | "over" | "wrong";

/** How many lines of a list met each fate; those that name nobody do not count. */
export type Summary = Record<Fate, number>;

/** What an import needs of the bans in the state. */
export interface ImportStore {
  transaction<T>(work: () => T): T;
  standingOf(addresses: readonly string[]): Map<string, StandingBan[]>;
  addAll(bans: readonly NewBan[]): void;
}

/** What importing a list goes by. */
export interface ImportParts {
  readonly bans: ImportStore;
  readonly whitelist: Whitelist;
  readonly now: Micros;
  /** Name of the list. */
  readonly name: string;
  /** Modules that have firewalls of their own here. */
  readonly firewalls: ReadonlySet<string>;
  /** Fills in what a list does not tell. */
  complete(ban: ListedBan): NewBan;
  /** Waits between two transactions, so that others can write. */
  pause(): Promise<void>;
}

/** A ban of a list, complete. */
interface Candidate {
  readonly place: string;
  readonly ban: NewBan;
  readonly hasEnded: boolean;
  /** Why it cuts off more than the list says; null: it does not. */
  readonly widened: string | null;
}

/**
 * `bans --import`: bans all that a file lists (`-`: standard input) but for the whitelisted. It is written slice by slice, so
 * that a monitor can write in between; a second time, as after an interruption, changes nothing that is written already. Wrong
 * lines are told, the others count. Exit code 1 when there were any. Throws `UserError` (64, 69, 78).
 */
export function bansImportCommand(file: string, options: ImportOptions): Promise<number> {
  const span = requireSpanOrForever(options.for);
  return withGrounds(options, async (grounds) => {
    const { config, state } = grounds;
    const [time, name] = [now(), file === "-" ? "standard input" : file];
    const provenance = { kind: "import", name } as const;
    const until = span === null ? null : time + span;
    const reason = keptText(options.reason ?? `[IMPORT] ${name}`);
    const importing = new Importing({
      bans: state.bans,
      whitelist: knownWhitelist(grounds),
      now: time,
      name,
      firewalls: config === null ? new Set() : modulesWithFirewall(config),
      complete: (ban) => ({ scope: "all", count: 0, start: time, until, provenance, reason, ...ban }),
      pause: () => new Promise((resolve) => setTimeout(resolve, BETWEEN_SLICES)),
    });
    await read(file, importing);
    const { summary, wrong, spared, widened } = importing;
    const made = summary.banned + summary.extended;
    if (made > 0) tellMonitor(state, `bans --import ${file}: ${counted(made, "ban")}`);
    wrong.tell();
    spared.tell();
    widened.tell();
    if (options.json) printJson({ file, ...summary });
    else print(`${name}: ${sentence(summary)}`);
    warnIfStopped(state.directory);
    return summary.wrong === 0 ? 0 : 1;
  });
}

async function read(file: string, importing: Importing): Promise<void> {
  const input = openInput(file, "bans --import");
  const progress = new Progress();
  progress.begin("bytes", input.size);
  try {
    for await (const lines of inputLines(input, (bytes) => progress.add(bytes))) await importing.take(lines);
    await importing.end();
  } finally {
    progress.clear();
  }
}

/** Imports the lines of a list as they come. */
export class Importing {
  readonly summary: Summary = { banned: 0, extended: 0, unchanged: 0, whitelisted: 0, over: 0, wrong: 0 };
  /** Lines that could not be read. */
  readonly wrong = new Complaints();
  /** Lines that are whitelisted. */
  readonly spared = new Complaints();
  /** Lines whose bans cut off more here. */
  readonly widened = new Complaints();
  readonly #parts: ImportParts;
  #line = 0;
  #slice: Candidate[] = [];
  #isFirst = true;

  constructor(parts: ImportParts) {
    this.#parts = parts;
  }

  /** Takes lines, and writes each full slice. Throws where the state cannot be written; earlier slices stay. */
  async take(lines: readonly string[]): Promise<void> {
    for (const line of lines) {
      this.#read(line);
      if (this.#slice.length >= SLICE) await this.#write();
    }
  }

  /** Writes the last slice. */
  async end(): Promise<void> {
    if (this.#slice.length > 0) await this.#write();
  }

  #read(line: string): void {
    const { name, firewalls, complete } = this.#parts;
    const place = `${name}:${++this.#line}`;
    const listed = readBanLine(line);
    if (listed === null) return;
    if (typeof listed === "string") {
      this.summary.wrong++;
      return this.wrong.add(`${place}: ${listed}`);
    }
    const { ended: hasEnded = false, ...rest } = listed;
    const ban = complete(rest);
    const scope = scopeAmong(firewalls, ban.scope);
    this.#slice.push({ place, ban: { ...ban, scope }, hasEnded, widened: whyWidened(firewalls, ban.scope) });
  }

  async #write(): Promise<void> {
    const { bans, pause } = this.#parts;
    if (!this.#isFirst) await pause();
    this.#isFirst = false;
    const slice = this.#slice;
    this.#slice = [];
    bans.transaction(() => {
      const standing = bans.standingOf(slice.map(({ ban }) => ban.address));
      bans.addAll(slice.flatMap((candidate) => this.#judge(candidate, standing) ?? []));
    });
  }

  /** The ban to be written for a candidate, which joins those in force; null: none. */
  #judge({ place, ban, hasEnded, widened }: Candidate, standing: Map<string, StandingBan[]>): NewBan | null {
    const { now, whitelist } = this.#parts;
    const { summary } = this;
    const { address, until } = ban;
    if (hasEnded || (until !== null && until <= now)) return summary.over++, null;
    const origin = whitelist.covering(address);
    if (origin !== null) {
      summary.whitelisted++;
      this.spared.add(`${place}: ${address}: ${whitelistedBy(address, origin)}`);
      return null;
    }
    const others = standing.get(address) ?? [];
    const meeting = meet(ban, others);
    summary[meeting === "new" ? "banned" : meeting]++;
    if (meeting === "unchanged") return null;
    if (widened !== null) this.widened.add(`${place}: ${address}: ${widened}`);
    standing.set(address, [...others, ban]);
    return { ...ban, start: Math.min(ban.start, now) };
  }
}

/** Sentences about single lines, of which the first are told. */
class Complaints {
  readonly #first: string[] = [];
  #count = 0;

  add(sentence: string): void {
    if (this.#count++ < MOST) this.#first.push(sentence);
  }

  /** Tells them on standard error. */
  tell(): void {
    for (const sentence of this.#first) printError(sentence);
    if (this.#count > MOST) printError(`and ${this.#count - MOST} more like these`);
  }
}

/** What is said of one line, and of several. */
const WORDS: Readonly<Record<Fate, readonly [string, string]>> = {
  banned: ["banned", "banned"],
  extended: [
    "was banned already, now for longer or from more",
    "were banned already, now for longer or from more",
  ],
  unchanged: ["was banned already", "were banned already"],
  whitelisted: ["is whitelisted", "are whitelisted"],
  over: ["has ended", "have ended"],
  wrong: ["could not be read", "could not be read"],
};

function sentence(summary: Summary): string {
  const counts = Object.entries(WORDS).flatMap(([fate, words]) => {
    const count = summary[fate as Fate];
    return count > 0 || fate === "banned" ? counted(count, ...words) : [];
  });
  return counts.join(", ");
}
