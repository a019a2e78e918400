import type { Micros } from "../core/time.ts";
import type { Stamp } from "../core/timestamp.ts";

/** What a module read out of one message. */
export interface Parsed {
  /**
   * Canonical address (`canonicalAddress()`), taken only from where the service itself writes it; null for a
   * message that is understood but names nobody, or leaves a doubt whom.
   */
  readonly address: string | null;
  /** Named parts such as `user` or `path`: text chosen by whoever connected. */
  readonly fields: Readonly<Record<string, string>>;
  /** When it was, where the message itself says so. */
  readonly stamp?: Stamp;
}

/** Reads a message; null when it has no form that the module knows. Pure and synchronous. */
export interface Parser {
  (message: string): Parsed | null;
  /** Matches the beginning of every message that it understands, so that others need not be read; without, any may be one. */
  readonly beginning?: RegExp;
}

/** Where a module's lines are found. */
export interface Origin {
  /** Programs whose journal entries are the module's, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units that the service runs in: an entry from one of them, or of root, is trusted. Without identifiers, all
   * entries of the units are the module's.
   */
  readonly units: readonly string[];
  /** Absolute paths of log files, in which `*` and `?` stand for any part of a file's name. */
  readonly files: readonly string[];
}

/** What is known about one service. */
export interface Module extends Origin {
  /** Name in the configuration and in reasons, such as `SSHD`. */
  readonly name: string;
  readonly parse: Parser;
}

/** What a configuration may tell a module about its service; empty where it says nothing. */
export interface ParserOptions {
  /** Formats of lines as `log_format` of nginx.conf gives them. */
  readonly logFormats: readonly string[];
  /** Canonical addresses and networks of proxies, whose word on the client behind them is taken. */
  readonly trustedProxies: readonly string[];
  /** Regular expressions in which `<ADDR>` stands for the address. */
  readonly patterns: readonly string[];
  /** Patterns are taken that could name a wrong address or take long. */
  readonly unsafe: boolean;
}

/** A kind of service, from which a configuration makes a module. */
export interface ModuleKind {
  /** Name that a configuration gives; "" for those that it may name as it likes. */
  readonly name: string;
  /** Where its lines are found unless told. */
  readonly origin: Origin;
  /** Which options it takes. */
  readonly options: readonly (keyof ParserOptions)[];
  /** Names of the fields that its events may have. */
  fields(options: ParserOptions): readonly string[];
  /** Throws `OptionError`. */
  parser(options: ParserOptions): Parser;
}

/** An option that a module cannot take as it is. */
export class OptionError extends Error {
  override readonly name = "OptionError";
  /** @param complaint follows the option's name: `must begin with ^`; @param index which one of a list */
  constructor(complaint: string, readonly option: keyof ParserOptions, readonly index: number) {
    super(complaint);
  }
}

/** What an entry means to us. */
export interface LogEvent {
  /** Name of the module that read it. */
  readonly service: string;
  /** Canonical. */
  readonly address: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly time: Micros;
  readonly message: string;
  /** False for an entry that any local user could have forged: recorded, never counted. */
  readonly trusted: boolean;
}
