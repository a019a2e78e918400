import type { DatabaseConfig, KnockConfig, Micros, ModuleKind, ModuleRules } from "../types.ts";

/** A configuration that has been checked: every default filled in, every path absolute, every span in microseconds. */
export interface Config {
  /** Absolute path of the file it came from. */
  readonly path: string;
  /** Absolute path of the directory that holds the embedded state. */
  readonly stateDirectory: string;
  readonly modules: readonly ModuleRules[];
  readonly tests: readonly RuleTests[];
  readonly ban: BanConfig;
  /** The PostgreSQL database to ship to; null: the embedded state alone. */
  readonly database: DatabaseConfig | null;
  readonly whitelist: WhitelistConfig;
  readonly knock: KnockConfig;
  /** How long recorded lines are kept; null: for ever. */
  readonly keepLog: Micros | null;
}

/** Lines that a rule of a module must hit, and that it must not. */
export interface RuleTests {
  readonly module: string;
  readonly rule: string;
  readonly match: readonly string[];
  readonly noMatch: readonly string[];
}

/** How bans are carried out. */
export interface BanConfig {
  /** Program and arguments, one of which holds `%s` once; null: observe only. */
  readonly command: readonly string[] | null;
  /** Likewise for lifting a ban; null: none is lifted. */
  readonly unban: readonly string[] | null;
  /** A command that runs longer has failed. */
  readonly timeout: Micros;
  /** At most this many commands at once. */
  readonly concurrency: number;
}

/** Who is never banned. */
export interface WhitelistConfig {
  /** Canonical addresses and networks, trusted proxies among them. */
  readonly networks: readonly string[];
  /** DNS names, in lower case and without a final dot. */
  readonly names: readonly string[];
  /** The names are resolved again this often. */
  readonly refresh: Micros;
}

/** What `loadConfig()` goes by. */
export interface LoadOptions {
  /** The kinds of modules that a configuration may name. */
  readonly known: readonly ModuleKind[];
  /** Takes the place of the key `state`; relative to the working directory. */
  readonly state?: string;
  /** False leaves the password file unread and the password ""; true unless told. */
  readonly withPassword?: boolean;
}
