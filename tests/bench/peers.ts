/** Other programs that are measured beside ours: a failure of theirs costs their own figures and nothing else. */
import type { Figures } from "./figures.ts";

/** What went wrong with a peer, in words. */
export interface PeerFailure {
  readonly peer: string;
  readonly cause: string;
}

/** The peers of one row. A peer that fails once is named, and is left out from then on: a hanging one costs one timeout. */
export class Peers {
  readonly #say: (words: string) => void;
  readonly #failures = new Map<string, string>();

  /** @param say told at once which peer fails, and why */
  constructor(say: (words: string) => void) {
    this.#say = say;
  }

  /** All peers that failed so far, in the order in which they did. */
  get failures(): readonly PeerFailure[] {
    return [...this.#failures].map(([peer, cause]) => ({ peer, cause }));
  }

  /** Returns the figures that `measure` gets of a peer; none when the peer fails or has failed before. */
  async figures(peer: string, measure: () => Promise<Figures>): Promise<Figures> {
    return await this.attempt(peer, measure) ?? {};
  }

  /** Returns what `work` gets out of a peer; null when the peer fails or has failed before. */
  async attempt<T>(peer: string, work: () => Promise<T>): Promise<T | null> {
    if (this.#failures.has(peer)) return null;
    try {
      return await work();
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      this.#failures.set(peer, cause);
      this.#say(`${peer} is left out: ${cause}`);
      return null;
    }
  }
}
