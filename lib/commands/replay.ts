import type { Config } from "../config/types.ts";
import { formatDuration, type Micros, now } from "../core/time.ts";
import { journalMatches } from "../monitor/feeds.ts";
import { type Judge, Pipeline } from "../monitor/pipeline.ts";
import { NoStore, QUIET } from "./dry_run.ts";
import { Decider } from "../deciding/decider.ts";
import { type LoginNews, Logins } from "../deciding/logins.ts";
import { Whitelist } from "../deciding/whitelist.ts";
import { openJournal } from "../sources/journal/journal.ts";
import type { Batch } from "../sources/source.ts";
import { isSameScope } from "../core/scope.ts";
import { counted } from "../core/text.ts";
import type { NewBan, PastBan } from "../deciding/ban.ts";
import type { LogEvent } from "../reading/event.ts";
import type { Trip } from "../rules/rule.ts";
import { UserError } from "../core/error.ts";
import { openInput, readInput } from "./input.ts";
import { requireTime } from "./instant.ts";
import { openConfig, setConfigured } from "./open.ts";
import {
  type CommonOptions,
  isoTime,
  isoTimeOrNull,
  localTime,
  print,
  printError,
  printJson,
} from "./output.ts";
import { Progress } from "./progress.ts";

interface ReplayOptions extends CommonOptions {
  readonly since?: string;
  readonly until?: string;
}

/** `replay`: runs files or the journal through the rules on the lines' own time, and tells whom they would have banned. */
export async function replayCommand(files: readonly string[], options: ReplayOptions): Promise<number> {
  const config = openConfig(options);
  const progress = new Progress();
  const started = performance.now();
  const judge = new ReplayJudge(config, (ban) => {
    progress.clear();
    if (options.json) printJson(banJson(ban));
    else print(banLine(ban));
  });
  const pipeline = new Pipeline(config.modules, {
    store: new NoStore(),
    judge,
    log: QUIET,
    counting: {
      ipv6Prefix: config.ipv6Prefix,
      lenience: (address, time) => judge.logins.lenience(address, time),
      isStored: false,
    },
  });
  const feed = { name: "replay", reader: pipeline.readerFor(config.modules) };
  let lines = 0;
  for await (const batch of batches(files, { options, config, progress })) {
    lines += batch.records.length;
    pipeline.process(batch, feed, now());
  }
  progress.clear();
  const { recorded, hits, events } = pipeline.counts;
  const seconds = Math.round(performance.now() - started) / 1_000;
  const summary = { lines, logged: recorded, hits, bans: judge.bans, seconds };
  if (events === 0 && lines > 0) {
    printError(`${names(config)} found no address in any line: are these lines of another service?`);
  }
  if (options.json) printJson({ summary });
  else {
    const counts = [
      counted(lines, "line"),
      `${recorded} to record`,
      counted(hits, "hit"),
      counted(judge.bans, "ban"),
    ];
    print([...counts, `${seconds} s`].join(", "));
  }
  return 0;
}

function names({ modules }: Config): string {
  return modules.map(({ module }) => module.name).join(" or ");
}

/**
 * Decides as the monitor would, with every ban taking effect at once and ending on the lines' own time. Trips are decided one
 * by one, each as of its own time: many hours of a log come in one batch.
 */
class ReplayJudge implements Judge {
  readonly logins: Logins;
  readonly #decider: Decider;
  /** By address, newest first, extended ones with their later ends. */
  readonly #bans = new Map<string, NewBan[]>();
  readonly #tell: (ban: NewBan) => void;
  #time: Micros = 0;
  bans = 0;

  constructor(config: Config, tell: (ban: NewBan) => void) {
    this.#tell = tell;
    this.logins = new Logins(config.trust);
    const whitelist = new Whitelist();
    setConfigured(whitelist, config);
    this.#decider = new Decider({
      whitelist,
      logins: this.logins,
      networks: config.networkBans,
    });
  }

  note(event: LogEvent): void {
    this.logins.note(event);
  }

  news(): LoginNews {
    return this.logins.takeNews();
  }

  reset(): void {}

  /** The bans that are news: an address that is banned already would not have come again so soon. */
  decide(trips: readonly Trip[]): NewBan[] {
    const history = {
      standing: (address: string) => this.#standing(address),
      past: (address: string) => this.#past(address),
    };
    return trips.flatMap((trip) => {
      this.#time = trip.time;
      return this.#decider.decide([trip], { history }).bans.filter((ban) => this.#keep(ban));
    });
  }

  enforce(bans: readonly NewBan[]): void {
    this.bans += bans.length;
    bans.forEach(this.#tell);
  }

  /**
   * Keeps a ban; false where one in force was to last as long. The monitor would move its end, but would have cut off the lines
   * that make it do so.
   */
  #keep(ban: NewBan): boolean {
    const bans = this.#bans.get(ban.address) ?? [];
    const before = bans.find((other) => isSameScope(other.scope, ban.scope) && isInForce(other, this.#time));
    if (before === undefined) this.#bans.set(ban.address, [ban, ...bans]);
    else if (spanOf(ban) <= spanOf(before)) return false;
    else bans[bans.indexOf(before)] = { ...before, until: ban.until };
    return true;
  }

  #standing(address: string): NewBan[] {
    return (this.#bans.get(address) ?? []).filter((ban) => isInForce(ban, this.#time));
  }

  #past(address: string): PastBan[] {
    const ended = (this.#bans.get(address) ?? []).filter((ban) => !isInForce(ban, this.#time));
    return ended.map(({ start, until }) => ({ start, ended: until!, endReason: "expired" }));
  }
}

function spanOf({ start, until }: NewBan): Micros {
  return until === null ? Infinity : until - start;
}

function isInForce({ until }: NewBan, time: Micros): boolean {
  return until === null || until > time;
}

function banJson({ address, reason, start, count, until }: NewBan): unknown {
  return { address, reason, time: isoTime(start), count, until: isoTimeOrNull(until) };
}

function banLine({ address, reason, start, count, until }: NewBan): string {
  const span = until === null ? "for good" : `for ${formatDuration(until - start)}`;
  return `${localTime(start)}  ${address}  ${span}  ${reason}, ${counted(count, "hit")}`;
}

interface ReplayInput {
  readonly options: ReplayOptions;
  readonly config: Config;
  readonly progress: Progress;
}

function batches(files: readonly string[], input: ReplayInput): AsyncIterable<Batch> {
  const { since, until } = input.options;
  const fromJournal = since !== undefined || until !== undefined;
  if (fromJournal && files.length > 0) {
    throw new UserError("Cannot replay files with --since or --until: these read the journal", 64);
  }
  if (!fromJournal) return fileBatches(files.length > 0 ? files : ["-"], input);
  return openJournal({
    ...journalMatches(input.config.modules),
    follow: false,
    until: until === undefined ? undefined : requireTime(until),
  }).batches(
    { after: null, since: since === undefined ? 0 : requireTime(since) },
    new AbortController().signal,
  );
}

async function* fileBatches(
  files: readonly string[],
  { progress }: ReplayInput,
): AsyncGenerator<Batch> {
  const inputs = files.map((file) => openInput(file, "replay"));
  progress.total = inputs.reduce<number | null>(
    (sum, { size }) => sum === null || size === null ? null : sum + size,
    0,
  );
  for (const input of inputs) yield* readInput(input, (bytes) => progress.add(bytes));
}
