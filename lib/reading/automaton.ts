import { type Bytes, isUpper } from "../core/bytes.ts";
import { DEAD, Trie } from "./trie.ts";

/**
 * A text that rules look for, and the number that the automaton puts out where it finds the text.
 */
export interface SoughtText {
  /** At least one byte. */
  readonly bytes: Uint8Array;
  /** Where the text must be: at the start of the bytes, or anywhere in them. */
  readonly place: "start" | "anywhere";
  readonly output: number;
}

/**
 * Texts that rules look for in one field: as it is, or with A to Z read as a to z. The texts are
 * then in lower case.
 */
export interface Dictionary {
  readonly texts: readonly SoughtText[];
  readonly ignoreCase: boolean;
}

/** The empty set of outputs. */
export const NO_OUTPUTS = 0;

/** Most states, sets and unions known when a line begins. */
const MAX_KNOWN = 4_096;
/**
 * Most states that one line may add: making one takes 2 µs, and a hostile line could need one for
 * each byte.
 */
const MAX_NEW = 512;
/** Bytes of IPv4 addresses and of numbers. */
const FIGURES = new TextEncoder().encode("0123456789.");
/** Stands for all bytes that no text contains. */
const NO_BYTE = -1;

/**
 * Finds all texts of all rules of one module in one pass over the bytes.
 *
 * The automaton is a table with a row for each state and a column for each class of bytes; bytes
 * that no text contains are one class. An entry is the next state. A state is a place in the tries
 * of its dictionary, together with the outputs before it, so the last state alone gives the set of
 * outputs. A state is made when a line first leads to it; the shipped rules of sshd need about 240.
 *
 * Whole texts, the `symbols`, have columns too: a caller that has compared "Failed password for "
 * as a whole takes its 20 bytes in one step. Any run of digits and points is also one
 * step, unless a text of a rule begins or continues with a figure there.
 *
 * Limits: a line that needs more than `MAX_NEW` new states, or more than `MAX_KNOWN` in all, ends
 * in the state `lost`. The tries then find its outputs without the table, also in linear time.
 * `begin()` clears everything when the table is full.
 */
export class Automaton {
  /** The class of each byte, which is its column. */
  readonly classes = new Uint8Array(256);
  /** Column of a run of digits and points of any length. */
  readonly #figures: number;
  /**
   * `#next[state + column]` is the next state; the number of a state is the place of its row. 0:
   * call `#find()`. -1 in the column of figures: take the bytes one by one.
   */
  readonly #next: Int32Array;
  /**
   * State of a line that needed too many states: every step stays there, and `setAt()` reads the
   * bytes again.
   */
  readonly lost: number;
  /**
   * Counts how often all states and sets were cleared. Drop anything remembered by the number of
   * a set when it changes.
   */
  generation = 0;
  readonly #dictionaries: readonly Dictionary[];
  /**
   * Tries of the dictionaries that lines have reached: a service that writes nothing needs none.
   */
  readonly #tries: DictionaryTries[] = [];
  readonly #symbols: readonly Uint8Array[];
  readonly #firstSymbol: number;
  /** Column that holds the set of a state. */
  readonly #setColumn: number;
  readonly #width: number;
  /** One byte of each class. */
  readonly #examples: readonly number[];
  /**
   * State of each row. Row 0 is unused, since 0 in a row means that the next state is not known;
   * row 1 is `lost`.
   */
  readonly #states: State[] = [];
  readonly #stateByKey = new Map<string, number>();
  readonly #starts: Int32Array;
  readonly #sets: (readonly number[])[] = [];
  readonly #setByKey = new Map<string, number>();
  /** Known unions of two sets, by the first and the second; `#unionCount` in all. */
  readonly #unions: (number | undefined)[][] = [];
  #unionCount = 0;
  /** Most states when this line ends; never more than rows. */
  #mostStates = MAX_KNOWN;
  #isFull = false;

  /**
   * @param dictionaries the first is for the whole message, unchanged
   * @param symbols texts that the first dictionary may take in one step; their indexes name them
   */
  constructor(dictionaries: readonly Dictionary[], symbols: readonly Uint8Array[] = []) {
    this.#dictionaries = dictionaries;
    this.#examples = classify(dictionaries, this.classes);
    this.#symbols = symbols;
    this.#firstSymbol = this.#examples.length;
    this.#figures = this.#firstSymbol + symbols.length;
    this.#setColumn = this.#figures + 1;
    this.#width = this.lost = this.#setColumn + 1;
    // The kernel gives memory only to written rows: the size costs address space, not memory.
    this.#next = new Int32Array(MAX_KNOWN * this.#width);
    this.#starts = new Int32Array(dictionaries.length);
    this.#clear();
  }

  /**
   * Prepares for a line; call it before each. Numbers of states and sets hold until a call that
   * changes `generation`.
   */
  begin(): void {
    if (this.#isFull) {
      this.#clear();
      this.generation++;
    }
    this.#mostStates = this.#states.length + MAX_NEW;
  }

  /** Looks for a dictionary's texts in `bytes[from, to)`. Returns the set of their outputs. */
  run(dictionary: number, bytes: Bytes, from: number, to: number): number {
    const state = this.along(this.#starts[dictionary]!, bytes.array, from, to);
    return state === this.lost
      ? this.#walk(dictionary, bytes.array, from, to)
      : this.#next[state + this.#setColumn]!;
  }

  /** Returns the union of two sets. */
  join(a: number, b: number): number {
    if (a === b || b === NO_OUTPUTS) return a;
    if (a === NO_OUTPUTS) return b;
    return (this.#unions[a] ??= [])[b] ??= this.#unite(a, b);
  }

  #unite(a: number, b: number): number {
    if (++this.#unionCount >= MAX_KNOWN) this.#isFull = true;
    return this.#setOf([...this.#sets[a]!, ...this.#sets[b]!]);
  }

  /** Returns the outputs of a set, in ascending order. */
  outputsOf(set: number): readonly number[] {
    return this.#sets[set]!;
  }

  /** State before the first byte of the first dictionary. */
  get start(): number {
    return this.#starts[0]!;
  }

  /** Returns the column of a symbol. */
  columnOf(symbol: number): number {
    return this.#firstSymbol + symbol;
  }

  /** Returns the outputs of the first dictionary in `state`, the state after `bytes[from, to)`. */
  setAt(state: number, bytes: Bytes, from: number, to: number): number {
    return state === this.lost ? this.#walk(0, bytes.array, from, to) : this.#next[state + this.#setColumn]!;
  }

  /** Returns the state that follows `state` after `array[from, to)`. */
  along(state: number, array: Uint8Array, from: number, to: number): number {
    const { classes } = this;
    const next = this.#next;
    let at = from | 0;
    state |= 0;
    while (at < to) {
      // V8 keeps a loop's values in registers if the loop calls nothing.
      let known = 0;
      while (at < to && (known = next[state + classes[array[at]!]!]!) !== 0) {
        state = known;
        at++;
      }
      if (at < to) state = this.#step(state, classes[array[at++]!]!) | 0;
    }
    return state;
  }

  /** Returns the state that follows `state` after a byte of the class, or a symbol, of `column`. */
  after(state: number, column: number): number {
    return this.#next[state + column]! || this.#find(state, column) | 0;
  }

  /** Returns the state that follows `state` after `array[from, to)`, digits and points. */
  afterFigures(state: number, array: Uint8Array, from: number, to: number): number {
    const after = this.after(state, this.#figures);
    return after > 0 ? after : this.along(state, array, from, to);
  }

  /** Finds the entry of a column that is still 0 in the row of `state`. */
  #find(state: number, column: number): number {
    if (column < this.#firstSymbol) return this.#step(state, column);
    const symbol = this.#symbols[column - this.#firstSymbol];
    const to = symbol ? this.along(state, symbol, 0, symbol.length) : this.#findFigures(state);
    // `lost` is not stored: the next line may make states again.
    if (to !== this.lost) this.#next[state + column] = to;
    return to;
  }

  /** Returns the state that any figures lead to and stay in, if there is one; otherwise -1. */
  #findFigures(state: number): number {
    const go = (from: number, figure: number) => this.along(from, FIGURES, figure, figure + 1);
    const to = go(state, 0);
    return FIGURES.every((_, figure) => go(state, figure) === to && go(to, figure) === to) ? to : -1;
  }

  #step(state: number, column: number): number {
    const { dictionary: number, start, anywhere, set } = this.#stateAt(state);
    const dictionary = this.#triesOf(number);
    const nodes = dictionary.go({ start, anywhere }, this.#examples[column]!);
    const outputs = dictionary.outputsAt(nodes);
    const to = this.#state({
      dictionary: number,
      ...nodes,
      set: outputs.length === 0 ? set : this.#setOf([...this.#sets[set]!, ...outputs]),
    });
    if (to !== this.lost) this.#next[state + column] = to;
    return to;
  }

  /** Returns the outputs of bytes by the tries alone, for lines that need too many states. */
  #walk(dictionary: number, array: Uint8Array, from: number, to: number): number {
    const tries = this.#triesOf(dictionary);
    const seen = new Set<number>();
    let nodes: TrieNodes = { start: 0, anywhere: 0 };
    for (let i = from; i < to; i++) {
      nodes = tries.go(nodes, array[i]!);
      for (const output of tries.outputsAt(nodes)) seen.add(output);
    }
    return this.#setOf([...seen]);
  }

  #triesOf(dictionary: number): DictionaryTries {
    return this.#tries[dictionary] ??= new DictionaryTries(this.#dictionaries[dictionary]!);
  }

  #stateAt(row: number): State {
    return this.#states[row / this.#width]!;
  }

  /** Returns the row of a state; `lost` if it is new and there are too many. */
  #state(state: State): number {
    const key = `${state.dictionary} ${state.start} ${state.anywhere} ${state.set}`;
    const known = this.#stateByKey.get(key);
    if (known !== undefined) return known;
    if (this.#states.length >= MAX_KNOWN) this.#isFull = true;
    if (this.#isFull || this.#states.length >= this.#mostStates) return this.lost;
    const row = (this.#states.push(state) - 1) * this.#width;
    this.#stateByKey.set(key, row);
    this.#next[row + this.#setColumn] = state.set;
    return row;
  }

  #setOf(outputs: readonly number[]): number {
    const all = [...new Set(outputs)].sort((a, b) => a - b);
    const key = all.join();
    let set = this.#setByKey.get(key);
    if (set === undefined) {
      this.#setByKey.set(key, set = this.#sets.push(all) - 1);
      if (set >= MAX_KNOWN) this.#isFull = true;
    }
    return set;
  }

  #clear(): void {
    this.#next.fill(0, 0, this.#states.length * this.#width);
    this.#next.fill(this.lost, this.lost, this.lost + this.#width);
    this.#states.length = this.#sets.length = 0;
    this.#stateByKey.clear();
    this.#setByKey.clear();
    this.#unions.length = this.#unionCount = 0;
    this.#states.push(NO_STATE, NO_STATE);
    this.#setOf([]);
    this.#isFull = false;
    this.#mostStates = MAX_KNOWN;
    this.#dictionaries.forEach((_, dictionary) =>
      this.#starts[dictionary] = this.#state({ dictionary, start: 0, anywhere: 0, set: NO_OUTPUTS })
    );
  }
}

/** Nodes that some bytes have reached in the tries of a dictionary. */
interface TrieNodes {
  readonly start: number;
  readonly anywhere: number;
}

interface State extends TrieNodes {
  readonly dictionary: number;
  readonly set: number;
}

const NO_STATE: State = { dictionary: 0, start: DEAD, anywhere: 0, set: NO_OUTPUTS };

/** The texts of a dictionary by their places. */
class DictionaryTries {
  readonly #start = new Trie();
  readonly #anywhere = new Trie();
  readonly #ignoreCase: boolean;

  constructor({ texts, ignoreCase }: Dictionary) {
    this.#ignoreCase = ignoreCase;
    for (const { bytes, place, output } of texts) {
      (place === "start" ? this.#start : this.#anywhere).add(bytes, output);
    }
    this.#anywhere.link();
  }

  go({ start, anywhere }: TrieNodes, byte: number): TrieNodes {
    const letter = this.#ignoreCase && isUpper(byte) ? byte + 32 : byte;
    return { start: this.#start.go(start, letter), anywhere: this.#anywhere.goAnywhere(anywhere, letter) };
  }

  outputsAt({ start, anywhere }: TrieNodes): readonly number[] {
    const [a, b] = [this.#start.outputsAt(start), this.#anywhere.outputsAt(anywhere)];
    return a.length === 0 ? b : [...a, ...b];
  }
}

/**
 * Fills in the class of each byte. Returns one byte of each class; class 0 has all bytes that no
 * text contains.
 */
function classify(dictionaries: readonly Dictionary[], classes: Uint8Array): number[] {
  const isHeld = new Uint8Array(256);
  for (const { texts, ignoreCase } of dictionaries) {
    for (const { bytes } of texts) {
      for (const byte of bytes) {
        isHeld[byte] = 1;
        if (ignoreCase && isUpper(byte - 32)) isHeld[byte - 32] = 1;
      }
    }
  }
  const examples = [NO_BYTE];
  isHeld.forEach((held, byte) => {
    if (held === 1) classes[byte] = examples.push(byte) - 1;
  });
  return examples;
}
