import * as z from "zod/mini";
import { tried } from "../core/error.ts";
import { type Micros, MINUTE } from "../core/time.ts";

const instant = z.number() satisfies z.ZodMiniType<Micros>;
const count = z.number();
const listOf = <T extends z.ZodMiniType>(item: T) => z.readonly(z.array(item));

const source = z.object({
  name: z.string(),
  /** Modules that its lines may belong to. */
  modules: listOf(z.string()),
  running: z.boolean(),
  /** Since when it is given up, and why; missing while it is read. */
  stopped: z.optional(z.object({ time: instant, error: z.string() })),
  /** Time of its last batch. */
  lastBatch: z.nullable(instant),
  /** How soon its entries come; null: as soon as they are written. */
  delivery: z.nullable(z.string()),
  /** Reasons why parts of it cannot be read, as sentences. */
  problems: listOf(z.string()),
  /** Whether there is nothing to read yet. */
  waiting: z.boolean(),
  /** Age of the newest line of the last batch when it was read; missing before the first. */
  lag: z.optional(z.number()),
});

const leak = z.object({
  address: z.string(),
  /** The traffic that the ban covers, as `formatScope()` spells it. */
  scope: z.string(),
  /** Start of the ban. */
  since: instant,
  /** Names of the modules that read these lines. */
  modules: listOf(z.string()),
  /** Number of lines since the firewall confirmed the ban, and the time of the last one. */
  lines: count,
  lastLine: instant,
});

const counts = z.object({
  entries: count,
  /** Records that their module has no template for. */
  unknown: count,
  /** Events: records that name an address. */
  events: count,
  recorded: count,
  hits: count,
  bans: count,
  /** Records that a source had to cut or drop. */
  damaged: count,
  /** Messages that journald dropped, as their service wrote too many. */
  suppressed: count,
  /** Events that any local user could have forged: recorded, not counted. */
  untrusted: count,
  /** Events dated ahead of the clock, taken as of now. */
  ahead: count,
  /** Events that rules hit without counting (`trusted_proxies`). */
  uncounted: count,
  /** Addresses evicted for want of room. */
  evicted: count,
});

const report = z.object({
  /** Time of writing, at least once in `REPORT_SPAN`; missing before it is written. */
  time: z.optional(instant),
  pid: z.number(),
  running: z.boolean(),
  started: instant,
  /** When the configuration was read. */
  loaded: instant,
  /** When a reload was last refused, and why; missing: the configuration read last is in force. */
  refused: z.optional(z.object({ time: instant, error: z.string() })),
  /** Why the monitor ended by itself, as a sentence; null: it runs, or was told to stop. */
  failure: z.nullable(z.string()),
  config: z.string(),
  firewall: z.string(),
  moduleFirewalls: listOf(z.object({ module: z.string(), firewall: z.string() })),
  /** How many bans the firewall really has, see `Holding`; null: not yet checked. */
  holding: z.nullable(z.object({
    time: instant,
    held: z.nullable(count),
    missing: count,
    stray: listOf(z.string()),
    error: z.nullable(z.string()),
  })),
  leaks: listOf(leak),
  /** End of the trial that is under way; null: there is none. */
  trialEnd: z.nullable(instant),
  sources: listOf(source),
  /** See `ModuleActivity`. */
  modules: listOf(z.object({
    name: z.string(),
    lastLine: z.nullable(instant),
    lastHit: z.nullable(instant),
    lines: count,
    understood: count,
    rules: listOf(z.object({ name: z.string(), lastHit: z.nullable(instant), hits: count })),
    /** Since when it is given up, as it failed too often; missing while it is asked. */
    givenUp: z.optional(instant),
  })),
  counts,
  /** By report, oldest first: milliseconds since the one before, lines, hits and bans. See `time`. */
  recent: z.optional(listOf(z.tuple([count, count, count, count]))),
  /** Number of counted addresses. */
  tracked: count,
  /** See `FleetStatus`. */
  database: z.nullable(z.object({
    connected: z.boolean(),
    error: z.nullable(z.string()),
    lastShipped: z.nullable(instant),
    setAside: count,
  })),
  /** See `NotifierStatus`. */
  notify: z.nullable(z.object({
    program: z.string(),
    told: count,
    failed: count,
    lastTold: z.nullable(instant),
    error: z.nullable(z.string()),
  })),
  /** Why the metrics could not be written last; null: they were, or are not configured. */
  metricsError: z.nullable(z.string()),
  /** A sentence for each whitelist file that cannot be read, and for each with doubtful lines. */
  whitelistProblems: listOf(z.string()),
});

/** One source's state, for `strongmonitor status`. */
export type SourceReport = Readonly<z.infer<typeof source>>;

/** A banned address that goes on sending lines. */
export type Leak = Readonly<z.infer<typeof leak>>;

/** Counts of committed records. */
export type Counts = z.infer<typeof counts>;

/** Names of all counts. */
export const COUNTS = Object.keys(counts.shape) as (keyof Counts)[];

/** Returns all counts at 0. */
export function noCounts(): Counts {
  return Object.fromEntries(COUNTS.map((name) => [name, 0])) as Counts;
}

/** The running monitor's report on itself; instants in microseconds. */
export type MonitorReport = Readonly<z.infer<typeof report>>;

/** Longest time between two reports of a monitor. */
export const REPORT_SPAN: Micros = MINUTE;

/** Reports whether a monitor that runs should have reported again by now. */
export function isOverdue({ running, time }: Pick<MonitorReport, "running" | "time">, now: Micros): boolean {
  return running && time !== undefined && now - time > 3 * REPORT_SPAN;
}

/** Reads a monitor's report from the state; null: no report, or of an incompatible version. */
export function readReport(text: string | null): MonitorReport | null {
  return report.safeParse(tried(() => JSON.parse(text ?? "null"))).data ?? null;
}
