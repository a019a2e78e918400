import type { Figures, Target } from "./figures.ts";
import type { Peers } from "./peers.ts";
import type { Plot } from "./plot.ts";
import type { Workshop } from "./workshop.ts";

/** A line of the table of results. */
export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** Name for people. */
  readonly title: string;
  /** Programs that the row needs; `root`: the right to make namespaces. */
  readonly needs: readonly string[];
  readonly targets: readonly Target[];
  /**
   * Prepares the files, and checks that each side finds what it should. Throws an `Error` if our
   * side does not. Other programs run within `peers`.
   */
  prepare(workshop: Workshop, peers: Peers): Promise<void>;
  /** Measures each side once, in turn. Throws an `Error` if our side fails. */
  round(workshop: Workshop, peers: Peers): Promise<Figures>;
  /** Growth of the cost, measured once after the rounds. */
  plot?(workshop: Workshop, peers: Peers): Promise<Plot>;
}

/** Throws if a side did not find what it should. */
export function requireFound(who: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new Error(`${who} found ${found} where ${expected} are: nothing is measured that does not work`);
}
