import { NO_PID } from "../core/records.ts";
import type { Template } from "./template.ts";

/** Processes that are remembered for what they say next. */
const PROCESSES = 64;

/**
 * Knows which messages mean something else behind an earlier one of the same process: see
 * `Template.after`.
 */
export class Sequels {
  readonly #templates: readonly Template[];
  /** Whether messages of a template change what comes after them. */
  readonly #leads: readonly boolean[];
  /** Processes that have written such a message, and its template. The oldest is replaced. */
  readonly #pids = new Int32Array(PROCESSES).fill(NO_PID);
  readonly #led = new Int32Array(PROCESSES);
  #oldest = 0;

  constructor(templates: readonly Template[]) {
    this.#templates = templates;
    const names = new Set(templates.flatMap(({ after }) => after?.name ?? []));
    this.#leads = templates.map(({ name }) => names.has(name));
  }

  /** Takes note of a message of process `pid`. Returns the text that it means; null: what it says. */
  textFor(template: number, pid: number): string | null {
    if (pid === NO_PID) return null;
    const { after } = this.#templates[template]!;
    if (!this.#leads[template] && after === undefined) return null;
    const at = this.#pids.indexOf(pid);
    if (this.#leads[template]) this.#remember(pid, { at, template });
    if (at < 0 || after === undefined) return null;
    this.#pids[at] = NO_PID;
    return this.#templates[this.#led[at]!]!.name === after.name ? after.text : null;
  }

  /** Remembers what a process wrote, in the place that it has already. */
  #remember(pid: number, { at, template }: { at: number; template: number }): void {
    const place = at < 0 ? this.#oldest : at;
    this.#pids[place] = pid;
    this.#led[place] = template;
    if (at < 0) this.#oldest = (this.#oldest + 1) % PROCESSES;
  }
}
