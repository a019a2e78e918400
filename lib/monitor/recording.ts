import { Literal } from "../core/bytes.ts";
import type { LogEvent } from "../reading/event.ts";
import type { ModuleRules } from "../rules/rule.ts";

/** Knows which lines are recorded. */
export class Recording {
  /** By index of the module: whether lines that no rule hits are left out, and beginnings of messages that are. */
  readonly #modules: readonly { readonly isHitsOnly: boolean; readonly noLog: readonly Literal[] }[];

  constructor(modules: readonly Pick<ModuleRules, "record" | "noLog">[]) {
    this.#modules = modules.map(({ record, noLog }) => ({
      isHitsOnly: record === "hits",
      noLog: noLog.map((text) => new Literal(text)),
    }));
  }

  /** Reports whether an event is to be recorded that hits some rule or none. */
  isRecorded({ module, bytes, from, to }: LogEvent, isHit: boolean): boolean {
    const { isHitsOnly, noLog } = this.#modules[module]!;
    if (!isHit && isHitsOnly) return false;
    for (const text of noLog) if (text.isWithin(bytes, from, to)) return false;
    return true;
  }
}
