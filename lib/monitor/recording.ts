import { Literal } from "../core/bytes.ts";
import type { LogEvent } from "../reading/event.ts";
import type { ModuleRules } from "../rules/rule.ts";

/** Decides which lines are recorded. */
export class Recording {
  /** By index of the module: whether it records hits only, and the texts of `no_log`. */
  readonly #modules: readonly { readonly isHitsOnly: boolean; readonly noLog: readonly Literal[] }[];

  constructor(modules: readonly Pick<ModuleRules, "record" | "noLog">[]) {
    this.#modules = modules.map(({ record, noLog }) => ({
      isHitsOnly: record === "hits",
      noLog: noLog.map((text) => new Literal(text)),
    }));
  }

  /** Reports whether to record an event; `isHit`: a rule hits it. */
  isRecorded({ module, bytes, from, to }: LogEvent, isHit: boolean): boolean {
    const { isHitsOnly, noLog } = this.#modules[module]!;
    if (!isHit && isHitsOnly) return false;
    for (const text of noLog) if (text.isWithin(bytes, from, to)) return false;
    return true;
  }
}
