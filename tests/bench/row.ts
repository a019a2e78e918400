import type { Figures, Target } from "./figures.ts";
import type { Plot } from "./plot.ts";
import type { Workshop } from "./workshop.ts";

/** One line of the table of results. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** In words. */
  readonly title: string;
  /** Programs without which nothing can be measured; `root` for the right to make namespaces. */
  readonly needs: readonly string[];
  readonly targets: readonly Target[];
  /** Makes what is needed, and checks that each side finds what it should. Throws an `Error` that says which does not. */
  prepare(workshop: Workshop): Promise<void>;
  /** Measures each side once, in turn. */
  round(workshop: Workshop): Promise<Figures>;
  /** How cost grows, measured once after the rounds. */
  plot?(workshop: Workshop): Promise<Plot>;
}

/** Throws where one side did not find what it should. */
export function requireFound(who: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new Error(`${who} found ${found} where ${expected} are: nothing is measured that does not work`);
}
