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
  /**
   * Processes that wrote a leading message, and its template. A new process replaces the oldest.
   */
  readonly #pids = new Int32Array(PROCESSES).fill(NO_PID);
  readonly #led = new Int32Array(PROCESSES);
  #oldest = 0;

  constructor(templates: readonly Template[]) {
    this.#templates = templates;
    const names = new Set(templates.flatMap(({ after }) => after?.name ?? []));
    this.#leads = templates.map(({ name }) => names.has(name));
  }

  /** Notes a message of process `pid`. Returns the text to read instead; null: none. */
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

  /** Remembers the template of a process's message, in the process's old place if it has one. */
  #remember(pid: number, { at, template }: { at: number; template: number }): void {
    const place = at < 0 ? this.#oldest : at;
    this.#pids[place] = pid;
    this.#led[place] = template;
    if (at < 0) this.#oldest = (this.#oldest + 1) % PROCESSES;
  }
}
