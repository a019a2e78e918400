/** Counts which lines and bans must follow from written lines. Shares no code with the program. */
export class Ledger {
  /** Number of allowed refusals; the next one bans. */
  static readonly LIMIT = 3;
  /** The refused address of each line. */
  #lines: { readonly line: string; readonly address: string }[] = [];
  #numbered = 0;

  /** Makes the next refusal of an address. `word` makes a service's line of its number. */
  write(address: string, word = (n: number) => `${n} refused ${address}`): string {
    const line = word(this.#numbered++);
    this.#lines.push({ line, address });
    return `${line}\n`;
  }

  /** Removes lines that never reached the program's source. */
  takeBack(isLost: (line: string) => boolean): void {
    this.#lines = this.#lines.filter(({ line }) => !isLost(line));
  }

  /** Returns the lines that are not among `stored`. */
  missing(stored: readonly string[]): string[] {
    const there = new Set(stored);
    return this.#lines.map(({ line }) => line).filter((line) => !there.has(line));
  }

  /** Number of lines. */
  get length(): number {
    return this.#lines.length;
  }

  /** Addresses that must be banned. */
  get guilty(): ReadonlySet<string> {
    const refusals = countOf(this.#lines.map(({ address }) => address));
    return new Set([...refusals].filter(([, n]) => n > Ledger.LIMIT).map(([address]) => address));
  }

  /** Compares the stored lines and the made bans with the expected ones. */
  compare(stored: readonly string[], told: readonly string[]): Outcome {
    const times = countOf(stored);
    const tellings = countOf(told);
    const guilty = this.guilty;
    return {
      lines: this.length,
      lost: this.missing(stored).length,
      doubled: stored.length - times.size,
      bans: guilty.size,
      missed: [...guilty].filter((address) => !tellings.has(address)).length,
      undue: [...tellings.keys()].filter((address) => !guilty.has(address)).length,
      toldTwice: told.length - tellings.size,
    };
  }
}

/** The program's faults. */
export interface Outcome {
  readonly lines: number;
  /** Number of lost lines. */
  readonly lost: number;
  /** Number of copies beyond the first. */
  readonly doubled: number;
  readonly bans: number;
  /** Addresses that should have been banned and were not. */
  readonly missed: number;
  /** Addresses that were banned and should not have been. */
  readonly undue: number;
  /** Number of bans that the command got more than once. */
  readonly toldTwice: number;
}

function countOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
