import type { DatabaseConfig } from "../postgres/connection.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { KnockConfig } from "../deciding/knock.ts";
import type { TrustOptions } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Micros } from "../core/time.ts";
import type { ModuleKind } from "../reading/module.ts";
import type { WhitelistEntry } from "../deciding/whitelist.ts";

/** A configuration that has been checked: every default filled in, every path absolute, every span in microseconds. */
export interface Config {
  /** Absolute path of the file it came from. */
  readonly path: string;
  /** Absolute path of the directory that holds the embedded state. */
  readonly stateDirectory: string;
  readonly modules: readonly ModuleRules[];
  /** How often journalctl is made to look for new entries; null: it waits until journald tells of them. */
  readonly journalWake: Micros | null;
  readonly tests: readonly RuleTests[];
  readonly ban: BanConfig;
  /** The PostgreSQL database to ship to; null: the embedded state alone. */
  readonly database: DatabaseConfig | null;
  readonly whitelist: WhitelistConfig;
  /** IPv6 addresses are counted and banned by networks of so many bits. */
  readonly ipv6Prefix: number;
  /** When networks are banned for the bans inside of them, in order. */
  readonly networkBans: readonly NetworkStep[];
  /** Whose logins keep from bans; null: nobody's. */
  readonly trust: TrustOptions | null;
  readonly knock: KnockConfig;
  /** How long recorded lines are kept; null: for ever. */
  readonly keepLog: Micros | null;
  /** How long bans are kept after their end, at least as long as later decisions depend on them; null: for ever. */
  readonly keepBans: Micros | null;
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
  readonly firewall: "nftables" | "command" | "observe";
  /** What nft is run by: program and arguments. */
  readonly nft: readonly string[];
  /** No ban is to hold while the monitor is stopped. */
  readonly unbanOnStop: boolean;
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
  /** Trusted proxies among them. Each address once. */
  readonly members: readonly WhitelistMember[];
  /** As they were when the configuration was read. */
  readonly files: readonly WhitelistFile[];
  /** DNS names are resolved again this often. */
  readonly refresh: Micros;
}

/** An address, a network or a DNS name that is never banned. */
export interface WhitelistMember extends WhitelistEntry {
  /** `address` is a DNS name, in lower case and without a final dot. */
  readonly isName: boolean;
}

/** A file that says who is never banned. */
export interface WhitelistFile {
  /** Absolute. */
  readonly path: string;
  /** Differs when the file does; null when it could not be looked at. */
  readonly stamp: string | null;
  /** Each address once. */
  readonly members: readonly WhitelistMember[];
  /** Lines that do not count, a sentence each that begins with `path:line`. */
  readonly complaints: readonly string[];
  /** Why it could not be read, in a sentence; null when it was. */
  readonly error: string | null;
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
