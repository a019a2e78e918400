/** What must come of the lines that were written, by a count that shares no code with the program. */
export class Ledger {
  /** So many refusals are allowed; the next one bans. */
  static readonly LIMIT = 3;
  /** Each line with the address that it refuses. */
  #lines: { readonly line: string; readonly address: string }[] = [];
  #numbered = 0;

  /** Makes the next line, which refuses an address; `word` gives it, by its number, the form of a service. */
  write(address: string, word = (n: number) => `${n} refused ${address}`): string {
    const line = word(this.#numbered++);
    this.#lines.push({ line, address });
    return `${line}\n`;
  }

  /** Takes lines back that never came to where the program reads. */
  takeBack(isLost: (line: string) => boolean): void {
    this.#lines = this.#lines.filter(({ line }) => !isLost(line));
  }

  /** How many lines there are. */
  get length(): number {
    return this.#lines.length;
  }

  /** Who must be banned. */
  get guilty(): ReadonlySet<string> {
    const refusals = countOf(this.#lines.map(({ address }) => address));
    return new Set([...refusals].filter(([, n]) => n > Ledger.LIMIT).map(([address]) => address));
  }

  /** Holds against the lines that were stored and the bans that were told what should have been. */
  compare(stored: readonly string[], told: readonly string[]): Outcome {
    const times = countOf(stored);
    const tellings = countOf(told);
    const guilty = this.guilty;
    return {
      lines: this.length,
      lost: this.#lines.filter(({ line }) => !times.has(line)).length,
      doubled: stored.length - times.size,
      bans: guilty.size,
      missed: [...guilty].filter((address) => !tellings.has(address)).length,
      undue: [...tellings.keys()].filter((address) => !guilty.has(address)).length,
      toldTwice: told.length - tellings.size,
    };
  }
}

/** How the program fared. */
export interface Outcome {
  readonly lines: number;
  /** Lines that are nowhere. */
  readonly lost: number;
  /** Copies beyond the first. */
  readonly doubled: number;
  readonly bans: number;
  /** Who should have been banned and was not. */
  readonly missed: number;
  /** Who was banned and should not have been. */
  readonly undue: number;
  /** Bans that the command was told more than once. */
  readonly toldTwice: number;
}

function countOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
