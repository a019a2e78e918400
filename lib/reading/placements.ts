import type { Origin, Records } from "../core/records.ts";
import { type Candidate, type Candidates, sentBy } from "./candidates.ts";
import { isJournalds } from "./suppressions.ts";
import { isOfUnit } from "./trust.ts";

/** Programs of journal entries that are remembered. */
const MAX_WRITERS = 256;

/** An origin and the modules that its entries may belong to. */
export interface Placement {
  readonly origin: Origin;
  readonly candidates: readonly Candidate[];
  /** Whether the entries are journald's own. */
  readonly isJournalds: boolean;
  /**
   * Identifies the program in its unit and container; null: journald took each message as the
   * program sent it.
   */
  readonly stream: object | null;
}

/** Finds the modules that an entry of the journal may belong to, once for each origin. */
export class Placements {
  readonly #candidates: Candidates;
  readonly #placed: (unit: string) => void;
  /** By the indexes of the records' origins. */
  readonly #known: Placement[] = [];
  /** Programs in units and containers, by the names of all three; they outlive the records' origins. */
  readonly #writers = new Map<string, object>();

  /** @param placed is called with the unit of an origin whose entries a module reads */
  constructor(candidates: Candidates, placed: (unit: string) => void) {
    this.#candidates = candidates;
    this.#placed = placed;
  }

  /** Returns the placement of entry `i`. */
  of({ origin, origins }: Records, i: number): Placement {
    const index = origin[i]!;
    const known = this.#known[index];
    return known?.origin === origins[index] ? known! : this.#known[index] = this.#place(origins[index]!);
  }

  #place(origin: Origin): Placement {
    const { identifier, sender, isWhole, container } = origin;
    const ofUnit = () => this.#candidates.ofAnyProgram.filter(({ units }) => isOfUnit(sender.unit, units));
    const candidates = sentBy(this.#candidates.named(identifier) ?? ofUnit(), sender);
    if (candidates.length > 0) this.#placed(sender.unit);
    const stream = isWhole ? null : this.#writerOf(`${identifier}\n${sender.unit}\n${container ?? ""}`);
    return { origin, candidates, isJournalds: isJournalds(origin), stream };
  }

  #writerOf(name: string): object {
    const writer = this.#writers.get(name) ?? {};
    this.#writers.delete(name);
    this.#writers.set(name, writer);
    if (this.#writers.size > MAX_WRITERS) this.#writers.delete(this.#writers.keys().next().value!);
    return writer;
  }
}
