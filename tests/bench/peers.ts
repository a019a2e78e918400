/** Other programs to compare with. If one fails, only its own figures are missing. */
import type { Figures } from "./figures.ts";

/** A failed peer, and its failure in words. */
export interface PeerFailure {
  readonly peer: string;
  readonly cause: string;
}

/**
 * The peers of one row. It names a peer that fails, and leaves it out from then on, so a hanging one
 * costs one timeout.
 */
export class Peers {
  readonly #say: (words: string) => void;
  readonly #failures = new Map<string, string>();

  /** @param say receives each failing peer and its failure at once */
  constructor(say: (words: string) => void) {
    this.#say = say;
  }

  /** Failed peers, in order of failure. */
  get failures(): readonly PeerFailure[] {
    return [...this.#failures].map(([peer, cause]) => ({ peer, cause }));
  }

  /** Returns the figures of `measure`; none if the peer fails or has failed before. */
  async figures(peer: string, measure: () => Promise<Figures>): Promise<Figures> {
    return await this.attempt(peer, measure) ?? {};
  }

  /** Returns the result of `work`; null if the peer fails or has failed before. */
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
