import type { Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { Module } from "../reading/module.ts";

/** Place of a text; `regex`: the text is a regular expression. */
export type Mode = "start" | "anywhere" | "regex";

/** A condition on an event: one of `texts` stands in one of `fields`. */
export interface Condition {
  /** Names of fields; `message` is the whole message. */
  readonly fields: readonly string[];
  readonly mode: Mode;
  /** Not empty; in lower case where `ignoreCase`. */
  readonly texts: readonly string[];
  /** Whether fields are compared in lower case. */
  readonly ignoreCase: boolean;
}

/** How later bans of one address last longer. */
export interface Growth {
  /** Each ban lasts this many times as long as the one before; 1: no growth. */
  readonly factor: number;
  /** Longest ban; null: unbounded. */
  readonly most: Micros | null;
  /** Time without a ban after which an address begins anew; null: never. */
  readonly forgetAfter: Micros | null;
}

/** Says when events count and when to ban. */
export interface Rule {
  readonly name: string;
  /** Null: any message meets it. */
  readonly condition: Condition | null;
  /** The event must have one of these status codes; null: any or none. */
  readonly status: ReadonlySet<number> | null;
  /** An event that meets one of these is no hit. */
  readonly except: readonly Condition[];
  /** Field whose distinct values are counted instead of hits; null: every hit counts. */
  readonly distinct: string | null;
  /** Allowed hits; the next one bans. */
  readonly limit: number;
  /** How long a hit counts; null: for ever. */
  readonly window: Micros | null;
  /** Length of an address's first ban; null: for good. */
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/** A module as configured. */
export interface ModuleRules {
  readonly module: Module;
  /** Messages with one of these beginnings are counted but not recorded. */
  readonly noLog: readonly string[];
  /** Other lines that are recorded: all with an address, or those that a rule hits. */
  readonly record: "all" | "hits";
  /** Addresses and networks of proxies in front of the service; null: unknown. */
  readonly trustedProxies: readonly string[] | null;
  readonly rules: readonly Rule[];
}

/** A limit that an address passed, for the decider. */
export interface Trip {
  /** Counted address: the address itself, or its network of IPv6. */
  readonly address: string;
  /** Address of the last hit. */
  readonly source: string;
  /** Names of the module and the rule. */
  readonly module: string;
  readonly rule: string;
  /** `[SSHD] invalid_user` */
  readonly reason: string;
  readonly time: Micros;
  /** Hits counted, including the last one. */
  readonly count: number;
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/** Returns the longest window with an end; `fallback`: no rule has one. */
export function longestWindow(modules: readonly Pick<ModuleRules, "rules">[], fallback: Micros): Micros {
  const windows = modules.flatMap(({ rules }) => rules.flatMap(({ window }) => window ?? []));
  return windows.length > 0 ? Math.max(...windows) : fallback;
}
