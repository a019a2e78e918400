import { GROUP_MASK } from "../core/note_record.ts";
import {
  CHUNK,
  COUNT,
  FILL_SHIFT,
  FIRST_NOTE,
  HAS_LATE,
  NONE,
  NoteAddresses,
  PREFIX,
  PREFIX_MASK,
} from "./note_addresses.ts";

/** Words of a note behind its time, which takes two: the rules that count, as in a record, and the hash of a value. */
export const [RULES, VALUE] = [2, 3];
const NOTE_SIZE = 4;
/** A chunk has room for two notes, and knows the chunk before it. */
const CHUNK_NOTES = 2;
const FILL_MASK = 0xff;
const PREVIOUS = CHUNK_NOTES * NOTE_SIZE;
const CHUNK_SIZE = PREVIOUS + 2;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** How much may be kept. */
export interface Room {
  /** Addresses at most: each takes 64 bytes, with its oldest note. */
  readonly addresses: number;
  /** Bytes for further notes of each address, on average: two notes take 40. */
  readonly bytes: number;
}

/**
 * Addresses and their notes, in one array of numbers. Notes of an address stand in the order in which they came: the first one
 * with the address, the others in a chain of chunks. All chunks are of one size, so no memory is lost between them. Three lines of
 * an attacker take 104 bytes.
 */
export class NoteMemory {
  readonly addresses: NoteAddresses;
  readonly words: Int32Array;
  readonly times: Float64Array;
  /** Where the notes stand that `list()` found, the oldest first. */
  places = new Int32Array(64);
  /** Where they begin in `places`. */
  first = 0;
  /** Chunks that were given back, as a chain; where those begin that were never taken. */
  #free = NONE;
  #untaken: number;
  readonly #end: number;

  constructor({ addresses, bytes }: Room) {
    // An address has room for some notes in any case.
    const chunks = Math.max(2, Math.floor(addresses * bytes / (CHUNK_SIZE * WORD_BYTES)));
    this.addresses = new NoteAddresses(addresses, chunks * CHUNK_SIZE);
    this.words = this.addresses.words;
    this.times = this.addresses.times;
    this.#untaken = this.addresses.end;
    this.#end = this.#untaken + chunks * CHUNK_SIZE;
  }

  /** Makes room for one more note of the address at `at`, behind its others. Returns its place; `NONE`: there is no room. */
  append(at: number): number {
    const { words } = this;
    const count = words[at + COUNT]!;
    const chunk = words[at + CHUNK]!;
    let place = at + FIRST_NOTE;
    if (chunk !== NONE || count > 0) {
      const head = words[at + PREFIX]!;
      const fill = head >>> FILL_SHIFT & FILL_MASK;
      if (chunk !== NONE && fill < CHUNK_NOTES) {
        place = chunk + fill * NOTE_SIZE;
        words[at + PREFIX] = head + (1 << FILL_SHIFT);
      } else {
        place = this.#takeChunk();
        if (place === NONE) return NONE;
        words[place + PREVIOUS] = chunk;
        words[at + CHUNK] = place;
        words[at + PREFIX] = head & (PREFIX_MASK | HAS_LATE) | 1 << FILL_SHIFT;
      }
    }
    words[at + COUNT] = count + 1;
    return place;
  }

  /**
   * Lists the notes of the address at `at` in `places`; returns how many there are. Where all came in order, those up to `from` are
   * left out: then `first` is the place in `places` where the list begins.
   */
  list(at: number, from = -Infinity): number {
    const { words, times } = this;
    this.first = 0;
    if ((words[at + PREFIX]! & HAS_LATE) !== 0) from = -Infinity;
    const count = words[at + COUNT]!;
    if (count > this.places.length) this.places = new Int32Array(2 * count);
    const { places } = this;
    let chunk = words[at + CHUNK]!;
    let slot = words[at + PREFIX]! >>> FILL_SHIFT & FILL_MASK;
    for (let i = count - 1; i >= 0; i--) {
      if (chunk === NONE) {
        places[i] = at + FIRST_NOTE;
        break;
      }
      const place = places[i] = chunk + --slot * NOTE_SIZE;
      if (times[place >> 1]! <= from) {
        this.first = i;
        break;
      }
      if (slot > 0) continue;
      chunk = words[chunk + PREVIOUS]!;
      slot = CHUNK_NOTES;
    }
    return count;
  }

  /**
   * Drops those of `count` notes in `places` that count for no rule, and gives their room back, where these are a quarter or more:
   * to move the others takes time. Returns how many notes stand; `places` may be wrong then.
   */
  squeeze(at: number, count: number): number {
    const { words, places } = this;
    let left = 0;
    for (let i = 0; i < count; i++) if ((words[places[i]! + RULES]! & GROUP_MASK) !== 0) left++;
    if (4 * (count - left) < count) return count;
    // Those that stay move towards the newest one: chunks at the old end of the chain become free.
    let to = count;
    for (let i = count - 1; i >= 0; i--) {
      const place = places[i]!;
      if ((words[place + RULES]! & GROUP_MASK) !== 0 && --to !== i) this.#move(place, places[to]!);
    }
    words[at + COUNT] = left;
    if (left > 1) {
      const place = places[to]!;
      const oldest = place - (place - this.addresses.end) % CHUNK_SIZE;
      this.#giveBack(words[oldest + PREVIOUS]!);
      words[oldest + PREVIOUS] = NONE;
      return left;
    }
    if (left === 1) this.#move(places[to]!, at + FIRST_NOTE);
    this.#dropChunks(at);
    return left;
  }

  /** Gives back the address at `at` with all of its notes. */
  drop(at: number): void {
    this.#dropChunks(at);
    this.addresses.drop(at);
  }

  #move(from: number, to: number): void {
    const { words } = this;
    words[to] = words[from]!;
    words[to + 1] = words[from + 1]!;
    words[to + RULES] = words[from + RULES]!;
    words[to + VALUE] = words[from + VALUE]!;
  }

  #dropChunks(at: number): void {
    this.#giveBack(this.words[at + CHUNK]!);
    this.words[at + CHUNK] = NONE;
    this.words[at + PREFIX]! &= PREFIX_MASK | HAS_LATE;
  }

  #takeChunk(): number {
    const chunk = this.#free;
    if (chunk !== NONE) {
      this.#free = this.words[chunk + PREVIOUS]!;
      return chunk;
    }
    if (this.#untaken === this.#end) return NONE;
    this.#untaken += CHUNK_SIZE;
    return this.#untaken - CHUNK_SIZE;
  }

  #giveBack(chunk: number): void {
    const { words } = this;
    while (chunk !== NONE) {
      const previous = words[chunk + PREVIOUS]!;
      words[chunk + PREVIOUS] = this.#free;
      this.#free = chunk;
      chunk = previous;
    }
  }
}
