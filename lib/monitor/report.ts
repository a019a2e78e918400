import * as z from "zod";
import type { Micros } from "../core/time.ts";

const instant = z.number() satisfies z.ZodType<Micros>;
const count = z.number();

const source = z.object({
  name: z.string(),
  running: z.boolean(),
  /** When its last batch came. */
  lastBatch: instant.nullable(),
  /** How soon its entries come; null where they come as soon as they are written. */
  delivery: z.string().nullable(),
  /** What keeps parts of it from being read, in sentences. */
  problems: z.array(z.string()).readonly(),
  /** There is nothing yet to be read. */
  waiting: z.boolean(),
  /** How old the newest line of the last batch was when it was read; missing before the first. */
  lag: z.number().optional(),
});

const report = z.object({
  /** When it was written: it is written anew once something else in it has changed. Reports of earlier versions have none. */
  time: instant.optional(),
  pid: z.number(),
  running: z.boolean(),
  started: instant,
  /** When the configuration was read. Reports of earlier versions have none, and `started` is that. */
  loaded: instant.optional(),
  /** Why it ended by itself, in a sentence; null: it runs, or was told to stop. */
  failure: z.string().nullable().default(null),
  config: z.string(),
  firewall: z.string(),
  /** Modules that have a firewall of their own. */
  moduleFirewalls: z.array(z.object({ module: z.string(), firewall: z.string() })).readonly().default([]),
  /** How far bans really hold, see `Holding`; null where nobody has looked yet. */
  holding: z.object({
    time: instant,
    held: count.nullable(),
    missing: count,
    stray: z.array(z.string()).readonly(),
    error: z.string().nullable(),
  }).nullable(),
  /** See `Leak`: banned addresses that go on sending lines. */
  leaks: z.array(z.object({
    address: z.string(),
    scope: z.string(),
    since: instant,
    modules: z.array(z.string()).readonly(),
    lines: count,
    lastLine: instant,
  })).readonly(),
  /** When the trial ends that is under way. */
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
  })).readonly(),
  /** Modules that failed too often. */
  givenUp: z.array(z.string()).readonly(),
  /** See `Counts`. */
  counts: z.object({
    entries: count,
    unknown: count,
    events: count,
    recorded: count,
    hits: count,
    bans: count,
    damaged: count,
    suppressed: count,
    untrusted: count,
    ahead: count,
  }),
  /** What came before each of the last reports, oldest first: milliseconds since the one before, lines, hits and bans. */
  recent: z.array(z.tuple([count, count, count, count])).readonly().optional(),
  /** Addresses being counted. */
  tracked: count,
  /** How many more there were than can be counted. */
  forgotten: count,
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
});

/** What one source is doing, for `strongmonitor status`. */
export type SourceReport = Readonly<z.infer<typeof source>>;

/** What the running monitor tells about itself; instants in microseconds. */
export type MonitorReport = Readonly<z.infer<typeof report>>;

/** Reads what a monitor left in the state; null for text that is no report, or one of a version with another form. */
export function readReport(text: string | null): MonitorReport | null {
  try {
    return report.safeParse(JSON.parse(text ?? "null")).data ?? null;
  } catch {
    return null;
  }
}
