/** Kinds of services, and the modules that a configuration makes of them. */
import type { Zone } from "../core/zone.ts";
import type { MessageForm } from "./message_reader.ts";

/** Where a module's lines are found. */
export interface ModuleMatch {
  /** Programs whose journal entries are the module's, by `SYSLOG_IDENTIFIER`. */
  readonly identifiers: readonly string[];
  /**
   * systemd units that the service runs in: an entry from one of them, or of root, is trusted.
   * Without identifiers, all entries of the units are the module's.
   */
  readonly units: readonly string[];
  /** Absolute paths of log files, in which `*` and `?` stand for any part of a file's name. */
  readonly files: readonly string[];
}

/** What is known about one service. */
export interface Module extends ModuleMatch {
  /** Name in the configuration and in reasons, such as `SSHD`. */
  readonly name: string;
  /** See `ReadableModule`. */
  readonly programs?: readonly string[];
  /** How the messages of the service are read. */
  readonly form: MessageForm;
  /** Zone of times that tell none; this machine's unless given. */
  readonly zone?: Zone | undefined;
}

/** What a configuration may tell a module about its service; empty where it says nothing. */
export interface ParserOptions {
  /** Formats of lines as `log_format` of nginx.conf gives them. */
  readonly logFormats: readonly string[];
  /**
   * Canonical addresses and networks of proxies, whose word on the client behind them is taken.
   * Null: whether there are proxies is not known.
   */
  readonly trustedProxies: readonly string[] | null;
  /** Regular expressions in which `<ADDR>` stands for the address. */
  readonly patterns: readonly string[];
  /** Patterns are taken that could name a wrong address or take long. */
  readonly unsafe: boolean;
}

/** A kind of service, from which a configuration makes a module. */
export interface ModuleKind {
  /** Name that a configuration gives; "" for the kind that it may name as it likes. */
  readonly name: string;
  /** Where the module's lines are found unless the configuration tells. */
  readonly match: ModuleMatch;
  /** Which options it takes. */
  readonly options: readonly (keyof ParserOptions)[];
  /**
   * Whether some messages may name a proxy where others name the client behind it: it has to know
   * which proxies there are.
   */
  readonly mayNameProxies: boolean;
  /** Describes the messages of a service with these options. Throws `OptionError`. */
  form(options: ParserOptions): MessageForm;
}

/** An option that a module cannot take as it is. */
export class OptionError extends Error {
  override readonly name = "OptionError";
  /** @param complaint follows the option's name: `must begin with ^`; @param index which one of a list */
  constructor(complaint: string, readonly option: keyof ParserOptions, readonly index: number) {
    super(complaint);
  }
}
