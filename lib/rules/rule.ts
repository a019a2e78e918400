import type { Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { Module } from "../reading/module.ts";

/** Where a text must stand; `regex`: the text is a regular expression. */
export type Mode = "start" | "anywhere" | "regex";

/** Something that an event may say: any of `texts` stands in any of `fields`. */
export interface Condition {
  /** Names of parsed fields; `message` is the whole. */
  readonly fields: readonly string[];
  readonly mode: Mode;
  /** Not empty; in lower case where `ignoreCase`. */
  readonly texts: readonly string[];
  /** The field is compared in lower case. */
  readonly ignoreCase: boolean;
}

/** How bans of addresses that come back grow. */
export interface Growth {
  /** Each ban lasts so many times as long as the one before; 1: all the same. */
  readonly factor: number;
  /** None lasts longer; null: without bounds. */
  readonly most: Micros | null;
  /** An address that was free so long begins anew; null: never. */
  readonly forgetAfter: Micros | null;
}

/** When an event counts as suspicious, and what follows. */
export interface Rule {
  readonly name: string;
  /** Null: any message will do. */
  readonly condition: Condition | null;
  /** Status codes of which the event must have one; null: any or none. */
  readonly status: ReadonlySet<number> | null;
  /** An event that meets one of these makes no hit all the same. */
  readonly except: readonly Condition[];
  /** Field of which different values are counted, each once; null: every hit counts. */
  readonly distinct: string | null;
  /** This many hits are allowed; the next one bans. */
  readonly limit: number;
  /** Hits older than this are forgotten; null: never. */
  readonly window: Micros | null;
  /** How long the first ban of an address lasts; null: for good. */
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/** A configured module. */
export interface ModuleRules {
  readonly module: Module;
  /** Messages that start so are counted but not recorded. */
  readonly noLog: readonly string[];
  /** Which of the others are recorded: all that name an address, or those that a rule hits. */
  readonly record: "all" | "hits";
  /** Addresses and networks of proxies in front of the service; null: whether there are some is not known. */
  readonly trustedProxies: readonly string[] | null;
  readonly rules: readonly Rule[];
}

/** A rule's limit passed by an address: a ban to be decided. */
export interface Trip {
  /** What is counted: the address, or the network that IPv6 addresses are counted by. */
  readonly address: string;
  /** The very address of the last hit. */
  readonly source: string;
  /** Names of the module and its rule. */
  readonly module: string;
  readonly rule: string;
  /** `[SSHD] invalid_user` */
  readonly reason: string;
  readonly time: Micros;
  /** Hits counted, the one that tripped included. */
  readonly count: number;
  readonly banTime: Micros | null;
  readonly growth: Growth;
  readonly scope: Scope;
}

/** The longest span that any rule looks back over; `fallback` where none has a window. */
export function longestWindow(modules: readonly Pick<ModuleRules, "rules">[], fallback: Micros): Micros {
  const windows = modules.flatMap(({ rules }) => rules.flatMap(({ window }) => window ?? []));
  return windows.length > 0 ? Math.max(...windows) : fallback;
}
