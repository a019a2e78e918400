import { NO_PID } from "../core/records.ts";
import type { Template } from "./template.ts";

/** Processes whose earlier message is remembered. */
const PROCESSES = 64;

/**
 * Knows messages that mean something else after an earlier one of the same process: see
 * `Template.after`.
 */
export class Sequels {
  readonly #templates: readonly Template[];
  /** Whether a message of each template changes the meaning of later ones. */
  readonly #leads: readonly boolean[];
  /** Names of leading templates, by the process that wrote such a message; the oldest comes first. */
  readonly #led = new Map<number, string>();

  constructor(templates: readonly Template[]) {
    this.#templates = templates;
    const names = new Set(templates.flatMap(({ after }) => after?.name ?? []));
    this.#leads = templates.map(({ name }) => names.has(name));
  }

  /** Notes a message of process `pid`. Returns the text to read instead; null: none. */
  textFor(template: number, pid: number): string | null {
    if (pid === NO_PID) return null;
    const { name, after } = this.#templates[template]!;
    if (!this.#leads[template] && after === undefined) return null;
    const before = this.#led.get(pid);
    this.#led.delete(pid);
    if (this.#leads[template]) this.#led.set(pid, name);
    if (this.#led.size > PROCESSES) this.#led.delete(this.#led.keys().next().value!);
    return before !== undefined && before === after?.name ? after.text : null;
  }
}
