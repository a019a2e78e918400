import { UserError } from "../core/error.ts";
import { counted } from "../core/text.ts";

/** Failures in a row after which a module is given up. */
export const MODULE_FAILURES = 3;

/**
 * Which modules fail to read messages. A module that throws is a fault of this program: the message
 * counts as unknown, and a module that goes on failing is no longer asked, so that the others work
 * on.
 */
export class ModuleHealth {
  readonly #names: readonly string[];
  readonly #report: (complaint: string) => void;
  /** Failures in a row of each module. */
  readonly #failures: Uint8Array;
  #haveFailed = false;

  /** @param names of the configured modules; @param report is told of every failure */
  constructor(names: readonly string[], report: (complaint: string) => void) {
    this.#names = names;
    this.#report = report;
    this.#failures = new Uint8Array(names.length);
  }

  /** Names of the modules that are no longer asked. */
  get givenUp(): string[] {
    return this.#names.filter((_, module) => this.isGivenUp(module));
  }

  /** Reports whether the module, by its index, is no longer to be asked. */
  isGivenUp(module: number): boolean {
    return this.#haveFailed && this.#failures[module]! >= MODULE_FAILURES;
  }

  /** Takes note that the module has read a message, be it one that it does not know. */
  worked(module: number): void {
    if (this.#haveFailed) this.#failures[module] = 0;
  }

  /** Takes note that the module threw `error`. Throws `UserError` if no module is left. */
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
