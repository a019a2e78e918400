import { pause } from "../../core/async.ts";
import { modulesWithFirewall } from "../../config/firewalls.ts";
import { scopeAmong, whyWidened } from "../../core/scope.ts";
import { counted } from "../../core/text.ts";
import { hasEnded, type Micros, now } from "../../core/time.ts";
import { type BanInForce, effectOf, keptText, type NewBan } from "../../deciding/ban.ts";
import { type Whitelist, whitelistedBy } from "../../deciding/whitelist.ts";
import type { BanTable } from "../../state/ban_table.ts";
import { type ListedBan, readBanLine } from "./ban_line.ts";
import { tellMonitor, warnIfStopped } from "../common/change.ts";
import { requireSpanOrForever } from "../common/values.ts";
import { inputLines, openInput } from "../common/input.ts";
import { knownWhitelist } from "../whitelist/known.ts";
import { withContext } from "../common/open_state.ts";
import { type CommonOptions, printError, printResult } from "../common/output.ts";
import { Progress } from "../common/progress.ts";
import { inputName } from "../common/words.ts";

/** Most sentences about single lines of each kind. */
const MOST = 20;
/** Lines in one transaction: it takes some 20 ms, during which nobody else can write. */
const SLICE = 1_000;
/** Milliseconds between transactions: a waiting writer tries the lock every 1 to 100 ms. */
const BETWEEN_SLICES = 30;

/** Options of `bans --import`. */
export interface ImportOptions extends CommonOptions {
  /** Default span of bans without an end in the list: a span, or `forever`, the default. */
  readonly for?: string;
  /** Default reason of bans without one in the list. */
  readonly reason?: string;
}

/** Outcome of a line: `extended`, `unchanged`: see `BanEffect`; `over`: the ban ended before. */
type Outcome = "banned" | "extended" | "unchanged" | "whitelisted" | "over" | "wrong";

/** Number of lines with each outcome, without lines that name no address. */
export type Summary = Record<Outcome, number>;

/** Input of `Importing`. */
export interface ImportParts {
  readonly bans: Pick<BanTable, "transaction" | "inForceByAddress" | "addAll">;
  readonly whitelist: Whitelist;
  readonly now: Micros;
  readonly name: string;
  /** Modules that have firewalls of their own here. */
  readonly firewalls: ReadonlySet<string>;
  /** Fills in values that a list does not give. */
  complete(ban: ListedBan): NewBan;
  /** Waits between two transactions, so that others can write. */
  pause(): Promise<void>;
}

/** A ban from a list, with all values filled in. */
interface Candidate {
  readonly place: string;
  readonly ban: NewBan;
  /** It ended in the list. */
  readonly isOver: boolean;
  /** Says why the ban covers more traffic than in the list; null: it does not. */
  readonly widened: string | null;
}

/**
 * `bans --import`: bans everybody in a file (`-`: standard input) except the whitelisted. Writes in
 * slices, so that the monitor can write in between; a repeat changes nothing. Reports wrong lines
 * and imports the others; then exit code 1. Throws `UserError` (64, 69, 78).
 */
export function bansImportCommand(file: string, options: ImportOptions): Promise<number> {
  const span = requireSpanOrForever(options.for);
  return withContext(options, async (context) => {
    const { config, state } = context;
    const [time, name] = [now(), inputName(file)];
    const provenance = { kind: "import", name } as const;
    const until = span === null ? null : time + span;
    const reason = keptText(options.reason ?? `[IMPORT] ${name}`);
    const importing = new Importing({
      bans: state.bans,
      whitelist: knownWhitelist(context),
      now: time,
      name,
      firewalls: config === null ? new Set() : modulesWithFirewall(config),
      complete: (ban) => ({ scope: "all", count: 0, start: time, until, provenance, reason, ...ban }),
      pause: () => pause(BETWEEN_SLICES),
    });
    const input = openInput(file, "bans --import");
    const progress = new Progress();
    progress.begin("bytes", input.size);
    try {
      for await (const lines of inputLines(input, (bytes) => progress.add(bytes))) {
        await importing.take(lines);
      }
      await importing.end();
    } finally {
      progress.clear();
    }
    const { summary, wrong, spared, widened } = importing;
    const made = summary.banned + summary.extended;
    if (made > 0) tellMonitor(state, `bans --import ${file}: ${counted(made, "ban")}`);
    wrong.tell();
    spared.tell();
    widened.tell();
    printResult(options, { file, ...summary }, `${name}: ${sentence(summary)}`);
    warnIfStopped(state.directory);
    return summary.wrong === 0 ? 0 : 1;
  });
}

/** Imports lines of a list. */
export class Importing {
  readonly summary: Summary = { banned: 0, extended: 0, unchanged: 0, whitelisted: 0, over: 0, wrong: 0 };
  /** Lines that could not be read. */
  readonly wrong = new Complaints();
  /** Lines that are whitelisted. */
  readonly spared = new Complaints();
  /** Lines whose bans cover more traffic here. */
  readonly widened = new Complaints();
  readonly #parts: ImportParts;
  #line = 0;
  #slice: Candidate[] = [];
  #isFirst = true;

  constructor(parts: ImportParts) {
    this.#parts = parts;
  }

  /** Writes each full slice. Throws if the state cannot be written; earlier slices stay. */
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
    const { ended: isOver = false, ...rest } = listed;
    const ban = complete(rest);
    const scope = scopeAmong(firewalls, ban.scope);
    this.#slice.push({ place, ban: { ...ban, scope }, isOver, widened: whyWidened(firewalls, ban.scope) });
  }

  async #write(): Promise<void> {
    const { bans, pause } = this.#parts;
    if (!this.#isFirst) await pause();
    this.#isFirst = false;
    const slice = this.#slice;
    this.#slice = [];
    bans.transaction(() => {
      const inForce = bans.inForceByAddress(slice.map(({ ban }) => ban.address));
      bans.addAll(slice.flatMap((candidate) => this.#judge(candidate, inForce) ?? []));
    });
  }

  /** Returns the ban to write for a candidate, joined with those in force; null: none. */
  #judge({ place, ban, isOver, widened }: Candidate, inForce: Map<string, BanInForce[]>): NewBan | null {
    const { now, whitelist } = this.#parts;
    const { summary } = this;
    const { address } = ban;
    if (isOver || hasEnded(ban, now)) return summary.over++, null;
    const origin = whitelist.covering(address);
    if (origin !== null) {
      summary.whitelisted++;
      this.spared.add(`${place}: ${address}: ${whitelistedBy(address, origin)}`);
      return null;
    }
    const others = inForce.get(address) ?? [];
    const effect = effectOf(ban, others);
    summary[effect === "new" ? "banned" : effect]++;
    if (effect === "unchanged") return null;
    if (widened !== null) this.widened.add(`${place}: ${address}: ${widened}`);
    inForce.set(address, [...others, ban]);
    return { ...ban, start: Math.min(ban.start, now) };
  }
}

/** Sentences about single lines; keeps the first `MOST`. */
class Complaints {
  readonly #first: string[] = [];
  #count = 0;

  add(sentence: string): void {
    if (this.#count++ < MOST) this.#first.push(sentence);
  }

  /** Prints them to standard error. */
  tell(): void {
    for (const sentence of this.#first) printError(sentence);
    if (this.#count > MOST) printError(`and ${this.#count - MOST} more like these`);
  }
}

/** Words for one line and for several lines. */
const WORDS: Readonly<Record<Outcome, readonly [string, string]>> = {
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
  const counts = Object.entries(WORDS).flatMap(([outcome, words]) => {
    const count = summary[outcome as Outcome];
    return count > 0 || outcome === "banned" ? counted(count, ...words) : [];
  });
  return counts.join(", ");
}
