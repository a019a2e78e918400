import type { Micros, Module, ModuleRules } from "./types.ts";
import { UserError } from "./types.ts";

/** A configuration that has been checked: every default filled in, every path absolute, every span in microseconds. */
export interface Config {
  /** Absolute path of the file it came from. */
  readonly path: string;
  /** Absolute path of the directory that holds the embedded state. */
  readonly stateDirectory: string;
  readonly modules: readonly ModuleRules[];
  readonly ban: BanConfig;
  /** The PostgreSQL database to ship to; null: the embedded state alone. */
  readonly database: DatabaseConfig | null;
  readonly whitelist: WhitelistConfig;
  /** How long recorded lines are kept; null: for ever. */
  readonly keepLog: Micros | null;
}

/** How bans are carried out. */
export interface BanConfig {
  /** Words of the command, one of them holding `%s` once; null: observe only. */
  readonly command: readonly string[] | null;
  /** Likewise for lifting a ban; null: the command lifts none. */
  readonly unban: readonly string[] | null;
  /** A command that runs longer has failed. */
  readonly timeout: Micros;
  /** This many commands at once. */
  readonly concurrency: number;
}

/** Where PostgreSQL is and who we are there. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** "" when loaded without the password. */
  readonly password: string;
}

/** Who is never banned. */
export interface WhitelistConfig {
  /** Canonical addresses and networks. */
  readonly networks: readonly string[];
  /** DNS names, lower case. */
  readonly names: readonly string[];
  /** The names are resolved again this often. */
  readonly refresh: Micros;
}

/** What `loadConfig` goes by. */
export interface LoadOptions {
  /** The modules that a configuration may name. */
  readonly known: readonly Module[];
  /** Takes the place of the key `state`; relative to the working directory. */
  readonly state?: string;
  /** False leaves the password file unread and the password empty; true unless told. */
  readonly withPassword?: boolean;
}

/**
 * Reads, checks and completes the configuration in the file `path`.
 * @throws {UserError} code 78: a sentence for each of the first ten problems, one a line, in the file's order
 */
export function loadConfig(path: string, _options: LoadOptions): Config {
  throw new UserError(`Cannot load ${path}: not yet`, 78);
}

/** What `config` means, in lines for people to read; warnings come last. */
export function describeConfig(_config: Config): string {
  return "";
}
