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
  /** Absolute paths of log files; `*` and `?` stand for any part of a file's name. */
  readonly files: readonly string[];
}

/** Reports whether a module has entries in the journal. */
export function isInJournal({ identifiers, units }: Pick<ModuleMatch, "identifiers" | "units">): boolean {
  return identifiers.length > 0 || units.length > 0;
}

/** A service's name, where its lines are found, and how its messages are read. */
export interface Module extends ModuleMatch {
  /** Name in the configuration and in reasons, such as `SSHD`. */
  readonly name: string;
  /**
   * Programs whose lines are the module's if its message contains a line with its own head, as a
   * container's may; empty: all programs. The default is `identifiers`.
   */
  readonly programs?: readonly string[];
  /** See `ModuleKind`. */
  readonly aliases?: readonly string[] | undefined;
  /** Describes the messages of the service. */
  readonly form: MessageForm;
  /** Options that `form` was made with; missing: it is not known. */
  readonly options?: ModuleOptions;
  /** Zone of times without one; the default is this machine's. */
  readonly zone?: Zone | undefined;
}

/** Options of a configuration for a module; empty if it sets none. */
export interface ModuleOptions {
  /** Formats of lines, as `log_format` of nginx.conf gives them. */
  readonly logFormats: readonly string[];
  /**
   * Canonical addresses and networks of proxies; their word on the client behind them is trusted.
   * Null: it is not known whether there are proxies.
   */
  readonly trustedProxies: readonly string[] | null;
  /** Regular expressions in which `<ADDR>` stands for the address. */
  readonly patterns: readonly string[];
  /** Accept patterns that could name a wrong address or take long. */
  readonly unsafe: boolean;
}

/** A kind of service, of which a configuration makes a module. */
export interface ModuleKind {
  /** Name in a configuration; "" for the kind that a configuration may name freely. */
  readonly name: string;
  /** Where the module's lines are found unless the configuration says otherwise. */
  readonly match: ModuleMatch;
  /**
   * Other names of the service in lines of text: units, which `journalctl -o with-unit` writes in
   * place of programs, and sources of Windows' event log.
   */
  readonly aliases?: readonly string[];
  /** Options that the kind accepts. */
  readonly options: readonly (keyof ModuleOptions)[];
  /**
   * Whether some messages may name a proxy where others name the client behind it. The kind must
   * then know the proxies.
   */
  readonly mayNameProxies: boolean;
  /** Describes the messages of a service with these options. Throws `OptionError`. */
  form(options: ModuleOptions): MessageForm;
}

/** An option with a value that a module cannot use. */
export class OptionError extends Error {
  override readonly name = "OptionError";
  /** @param complaint follows the option's name: `must begin with ^`; @param index in its list */
  constructor(complaint: string, readonly option: keyof ModuleOptions, readonly index: number) {
    super(complaint);
  }
}
