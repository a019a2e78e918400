import * as z from "zod";
import { tried } from "../core/error.ts";
import { type Micros, MINUTE } from "../core/time.ts";

const instant = z.number() satisfies z.ZodType<Micros>;
const count = z.number();

const source = z.object({
  name: z.string(),
  /** Modules that its lines may belong to. Missing in earlier versions. */
  modules: z.array(z.string()).readonly().optional(),
  running: z.boolean(),
  /** Since when it is given up, and why; missing while it is read. */
  stopped: z.object({ time: instant, error: z.string() }).optional(),
  /** Time of its last batch. */
  lastBatch: instant.nullable(),
  /** How soon its entries come; null: as soon as they are written. */
  delivery: z.string().nullable(),
  /** Reasons why parts of it cannot be read, as sentences. */
  problems: z.array(z.string()).readonly(),
  /** Whether there is nothing to read yet. */
  waiting: z.boolean(),
  /** Age of the newest line of the last batch when it was read; missing before the first. */
  lag: z.number().optional(),
});

const leak = z.object({
  address: z.string(),
  /** The traffic that the ban covers, as `formatScope()` spells it. */
  scope: z.string(),
  /** Start of the ban. */
  since: instant,
  /** Names of the modules that read these lines. */
  modules: z.array(z.string()).readonly(),
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
  /** Events that rules hit without counting (`trusted_proxies`). Missing in 1.0, like the next. */
  uncounted: count.default(0),
  /** Addresses evicted for want of room. */
  evicted: count.default(0),
});

const report = z.object({
  /** Time of writing, at least once in `REPORT_SPAN`. Missing in old versions. */
  time: instant.optional(),
  pid: z.number(),
  running: z.boolean(),
  started: instant,
  /** When the configuration was read. Missing in earlier versions: there `started` is that time. */
  loaded: instant.optional(),
  /** When a reload was last refused, and why; missing: the configuration read last is in force. */
  refused: z.object({ time: instant, error: z.string() }).optional(),
  /** Why the monitor ended by itself, as a sentence; null: it runs, or was told to stop. */
  failure: z.string().nullable().default(null),
  config: z.string(),
  firewall: z.string(),
  moduleFirewalls: z.array(z.object({ module: z.string(), firewall: z.string() })).readonly().default([]),
  /** How many bans the firewall really has, see `Holding`; null: not yet checked. */
  holding: z.object({
    time: instant,
    held: count.nullable(),
    missing: count,
    stray: z.array(z.string()).readonly(),
    error: z.string().nullable(),
  }).nullable(),
  leaks: z.array(leak).readonly(),
  /** End of the trial that is under way; null: there is none. */
  trialEnd: instant.nullable(),
  sources: z.array(source).readonly(),
  /** See `ModuleActivity`. */
  modules: z.array(z.object({
    name: z.string(),
    lastLine: instant.nullable(),
    lastHit: instant.nullable(),
    lines: count,
    understood: count,
    rules: z.array(z.object({ name: z.string(), lastHit: instant.nullable() })).readonly(),
    /** Since when it is given up, as it failed too often; missing while it is asked. */
    givenUp: instant.optional(),
  })).readonly(),
  counts,
  /** By report, oldest first: milliseconds since the one before, lines, hits and bans. */
  recent: z.array(z.tuple([count, count, count, count])).readonly().optional(),
  /** Number of counted addresses. */
  tracked: count,
  /** See `FleetStatus`. */
  database: z.object({
    connected: z.boolean(),
    error: z.string().nullable(),
    lastShipped: instant.nullable(),
    setAside: count,
  }).nullable(),
  /** See `NotifierStatus`. */
  notify: z.object({
    program: z.string(),
    told: count,
    failed: count,
    lastTold: instant.nullable(),
    error: z.string().nullable(),
  }).nullable().default(null),
  /** Why the metrics could not be written last; null: they were, or are not configured. */
  metricsError: z.string().nullable().default(null),
  /** A sentence for each whitelist file that cannot be read, and for each with doubtful lines. */
  whitelistProblems: z.array(z.string()).readonly().default([]),
}).transform((given) => ({ ...given, loaded: given.loaded ?? given.started }));

/** One source's state, for `strongmonitor status`. */
export type SourceReport = Readonly<z.infer<typeof source>>;

/** A banned address that goes on sending lines. */
export type Leak = Readonly<z.infer<typeof leak>>;

/** Counts of committed records. */
export type Counts = z.infer<typeof counts>;

/** Returns all counts at 0. */
export function noCounts(): Counts {
  return Object.fromEntries(Object.keys(counts.shape).map((name) => [name, 0])) as Counts;
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
