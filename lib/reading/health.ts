import { UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";

/** Failures in a row after which a module is given up. */
export const MODULE_FAILURES = 3;

/**
 * Tracks which modules fail to read messages. A module that throws is a fault of this program: the
 * message counts as unknown, and a module that fails again and again is no longer asked, so that
 * the others go on.
 */
export class ModuleHealth {
  readonly #names: readonly string[];
  readonly #report: (complaint: string) => void;
  /** Failures in a row of each module. */
  readonly #failures: Uint8Array;
  #haveFailed = false;

  /** @param names of the configured modules; @param report is called with every failure */
  constructor(names: readonly string[], report: (complaint: string) => void) {
    this.#names = names;
    this.#report = report;
    this.#failures = new Uint8Array(names.length);
  }

  /** Names of the modules that are no longer asked. */
  get givenUp(): string[] {
    return this.#names.filter((_, module) => this.isGivenUp(module));
  }

  /** Reports whether the module with this index is no longer asked. */
  isGivenUp(module: number): boolean {
    return this.#haveFailed && this.#failures[module]! >= MODULE_FAILURES;
  }

  /** Notes that the module read a message without an error, understood or not. */
  worked(module: number): void {
    if (this.#haveFailed) this.#failures[module] = 0;
  }

  /** Counts an `error` that the module threw. Throws `UserError` if no module is left. */
  failed(module: number, error: unknown): void {
    this.#haveFailed = true;
    const name = this.#names[module];
    const failures = ++this.#failures[module]!;
    this.#report(`module ${name} failed on a message: ${error}`);
    if (!this.isGivenUp(module)) return;
    this.#report(`module ${name} failed ${counted(failures, "time")} in a row and is given up`);
    if (this.givenUp.length === this.#names.length) {
      throw new UserError("every module has been given up: nothing is left to monitor", 1);
    }
  }
}
