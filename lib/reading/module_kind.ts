import type { Origin, ParserOptions } from "./module.ts";
import type { MessageForm } from "./message_reader.ts";

/** A kind of service, from which a configuration makes a module. */
export interface ModuleKind {
  /** Name that a configuration gives; "" for the kind that it may name as it likes. */
  readonly name: string;
  /** Where the module's lines are found unless the configuration tells. */
  readonly origin: Origin;
  /** Which options it takes. */
  readonly options: readonly (keyof ParserOptions)[];
  /** Describes the messages of a service with these options. Throws `OptionError`. */
  form(options: ParserOptions): MessageForm;
}
