import type { Figures, Target } from "./figures.ts";
import type { Peers } from "./peers.ts";
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
  /**
   * Makes what is needed, and checks that each side finds what it should. Throws an `Error` when our side does not;
   * other programs run within `peers`.
   */
  prepare(workshop: Workshop, peers: Peers): Promise<void>;
  /** Measures each side once, in turn. Throws an `Error` when our side fails. */
  round(workshop: Workshop, peers: Peers): Promise<Figures>;
  /** How cost grows, measured once after the rounds. */
  plot?(workshop: Workshop, peers: Peers): Promise<Plot>;
}

/** Throws where one side did not find what it should. */
export function requireFound(who: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new Error(`${who} found ${found} where ${expected} are: nothing is measured that does not work`);
}
