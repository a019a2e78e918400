import type { DatabaseConfig } from "../postgres/database_config.ts";
import type { ModuleRules } from "../rules/rule.ts";
import type { FollowRules } from "../deciding/following.ts";
import type { KnockConfig } from "../deciding/knock.ts";
import type { TrustOptions } from "../deciding/logins.ts";
import type { NetworkStep } from "../deciding/networks.ts";
import type { Micros } from "../core/time.ts";
import type { ModuleKind } from "../reading/module.ts";
import type { BuildTarget } from "./build_hint.ts";
import type { Path } from "./document.ts";
import type { WhitelistMember } from "./whitelist.ts";
import type { WhitelistFile } from "./whitelist_file.ts";

/** A checked configuration: with all defaults, absolute paths, and spans in microseconds. */
export interface Config {
  /** Absolute path of its file, by which relative paths in it are resolved. */
  readonly path: string;
  /** Options of a build for a program with all permissions that this configuration needs. */
  readonly target: BuildTarget;
  /** Its name in messages: the path, or `standard input`. */
  readonly name: string;
  /** Absolute path of the embedded state's directory. */
  readonly stateDirectory: string;
  readonly modules: readonly ModuleRules[];
  /** Interval at which journalctl is woken to look for new entries; null: it is not woken. */
  readonly journalWake: Micros | null;
  readonly tests: readonly RuleTests[];
  readonly ban: BanConfig;
  /** How bans of modules with a `ban_command` of their own are carried out. */
  readonly moduleBans: readonly (ConfiguredFirewall & { readonly module: string })[];
  /** The PostgreSQL database to ship to, with an empty password: see `withPassword()`; null: none. */
  readonly database: DatabaseConfig | null;
  /** Rules for following bans of other servers; null: none are followed. */
  readonly following: FollowRules | null;
  /** Absolute path of the file with metrics; null: none. */
  readonly metricsFile: string | null;
  /** The program that gets notices of bans and problems; null: none. */
  readonly notify: NotifyConfig | null;
  readonly whitelist: WhitelistConfig;
  /** Prefix length of the networks by which IPv6 addresses are counted and banned. */
  readonly ipv6Prefix: number;
  /** Steps of network bans, in order: each counts the bans of the step before it. */
  readonly networkBans: readonly NetworkStep[];
  /** Logins that protect an address from bans; null: past logins do not. */
  readonly trust: TrustOptions | null;
  readonly knock: KnockConfig;
  /** How long recorded lines are kept; null: for ever. */
  readonly keepLog: Micros | null;
  /** Bytes of the state beyond which the oldest recorded lines are deleted; null: never. */
  readonly keepLogSize: number | null;
  /** How long ended bans are kept, at least while later decisions need them; null: for ever. */
  readonly keepBans: Micros | null;
  /** Makes a sentence about a key, with its position in the file. */
  readonly complain: (key: Path, complaint: string) => string;
}

/** Lines that a rule must hit (`match`) and lines that it must not hit (`noMatch`). */
export interface RuleTests {
  readonly module: string;
  readonly rule: string;
  readonly match: readonly string[];
  readonly noMatch: readonly string[];
}

/** How bans are carried out. */
export interface BanConfig {
  readonly firewall: "nftables" | "command" | "observe";
  /** Program and arguments that run nft. */
  readonly nft: readonly string[];
  /** Whether all bans are lifted while the monitor is stopped. */
  readonly unbanOnStop: boolean;
  /** Program and arguments that ban an address, which replaces `%s`; null: no command. */
  readonly command: readonly string[] | null;
  /** Program and arguments that lift a ban; null: no command lifts bans. */
  readonly unban: readonly string[] | null;
  /** Longest time of a command; one that runs longer is killed and has failed. */
  readonly timeout: Micros;
  /** Most commands that run at the same time. */
  readonly concurrency: number;
}

/** How the bans of one module or of all others are carried out. */
export interface ConfiguredFirewall {
  /** The module with a firewall of its own; null: the firewall for everything. */
  readonly module: string | null;
  readonly ban: BanConfig;
}

/** How a program is notified of bans and problems. */
export interface NotifyConfig {
  /** Program by name or absolute path. */
  readonly program: string;
  /** Shortest time between two notices of bans; null: bans are not told. */
  readonly bans: Micros | null;
  /** Longest run; a program that runs longer is killed and has failed. */
  readonly timeout: Micros;
}

/** Options of `loadConfig()`. */
export interface LoadOptions {
  /** The kinds of modules that a configuration may name. */
  readonly known: readonly ModuleKind[];
  /** Replaces the key `state`; relative to the working directory. */
  readonly state?: string;
  /** The configuration's name in messages; its path by default. */
  readonly name?: string;
}

/** Addresses, networks and DNS names that are never banned. */
export interface WhitelistConfig {
  /** With trusted proxies; each address once. */
  readonly members: readonly WhitelistMember[];
  readonly files: readonly WhitelistFile[];
  /** Interval at which DNS names are resolved again. */
  readonly refresh: Micros;
}
