import type { Log } from "../core/log.ts";
import type { Micros } from "../core/time.ts";
import { ModuleHealth } from "../reading/health.ts";
import type { MessageReader } from "../reading/message_reader.ts";
import type { ReadableModule } from "../reading/candidates.ts";
import { LineReader } from "../reading/line_reader.ts";
import { Reader } from "../reading/reader.ts";
import type { Engine } from "../rules/engine.ts";
import type { ModuleRules } from "../rules/rule.ts";

/** The readers of all modules' messages, shared by all sources: one record is read at a time. */
export class ModuleReaders {
  readonly #modules: readonly ModuleRules[];
  readonly #readers: readonly MessageReader[];
  readonly #health: ModuleHealth;

  constructor(
    modules: readonly ModuleRules[],
    { engine, log }: { engine: Pick<Engine, "automatonOf">; log: Log },
  ) {
    this.#modules = modules;
    this.#readers = modules.map(({ module: { form } }, i) => form.open(() => engine.automatonOf(i)));
    this.#health = new ModuleHealth(
      modules.map(({ module }) => module.name),
      (complaint) => log.error(complaint),
    );
  }

  /** Modules that failed too often and are no longer asked. */
  get givenUp(): string[] {
    return this.#health.givenUp;
  }

  /** Returns a reader of entries of these modules alone. */
  ofEntries(modules: readonly ModuleRules[]): Reader {
    return new Reader(this.#readable(modules), this.#health);
  }

  /** Returns a reader of records of these modules alone; see `LineReader` for `otherZone`. */
  of(modules: readonly ModuleRules[], otherZone?: (shift: Micros) => void): LineReader {
    return new LineReader(this.#readable(modules), this.#health, otherZone);
  }

  /** Returns a reader of recorded messages. A record's identifier is the name of its module. */
  ofRecorded(): Reader {
    const readable = this.#modules.map(({ module: { name } }, index) => ({
      index,
      identifiers: [name],
      units: [],
      reader: this.#readers[index]!,
    }));
    return new Reader(readable, this.#health);
  }

  #readable(modules: readonly ModuleRules[]): ReadableModule[] {
    return modules.map((rules) => {
      const index = this.#modules.indexOf(rules);
      const { identifiers, units, programs, aliases, zone, form } = rules.module;
      const mayBegin = (text: string) => form.mayBegin?.(text) ?? true;
      return { index, identifiers, units, programs, aliases, zone, mayBegin, reader: this.#readers[index]! };
    });
  }
}
