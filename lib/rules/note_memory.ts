import { GROUP_MASK } from "./note_record.ts";
import {
  CHUNK,
  COUNT,
  FILL_SHIFT,
  FIRST_NOTE,
  HAS_LATE,
  LATEST,
  NONE,
  NoteAddresses,
  PREFIX,
  PREFIX_MASK,
} from "./note_addresses.ts";

/** Words of a note behind the two of its time: rules as in a record, and hash of a value. */
export const [RULES, VALUE] = [2, 3];
const NOTE_SIZE = 4;
/** A chunk holds two notes and the place of the chunk before it. */
const CHUNK_NOTES = 2;
const FILL_MASK = 0xff;
const PREVIOUS = CHUNK_NOTES * NOTE_SIZE;
const CHUNK_SIZE = PREVIOUS + 2;
const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;

/** Bounds of memory. */
export interface Room {
  /** Most addresses. Each takes 64 bytes with its oldest note. */
  readonly addresses: number;
  /** Bytes for further notes per address, on average. Two notes take 40. */
  readonly bytes: number;
  /**
   * Whether V8 leaves the memory out of its account. 84 MiB at once otherwise have it collect all
   * garbage, which takes as long as reading thousands of lines. For commands that end soon: V8 would
   * not collect in time what a reload leaves behind.
   */
  readonly isOffAccount?: boolean;
}

/** A million addresses with a million further notes: 84 MiB when full. */
export const ROOM: Room = { addresses: 1 << 20, bytes: 20 };
/** The same room for a command that ends soon. */
export const PASSING_ROOM: Room = { ...ROOM, isOffAccount: true };

/**
 * Addresses and their notes in one array of numbers. The first note stands with its address, the
 * others in a chain of chunks, in order of arrival. All chunks have one size, so no memory is lost
 * between them. Three lines of an attacker take 104 bytes.
 */
export class NoteMemory {
  readonly addresses: NoteAddresses;
  readonly words: Int32Array;
  readonly times: Float64Array;
  /** Places of the notes that `list()` found, the oldest first. */
  places = new Int32Array(64);
  /** Index of the first note in `places`. */
  first = 0;
  /** Freed chunks, as a chain; place of the first chunk never taken. */
  #free = NONE;
  #untaken: number;
  readonly #end: number;

  constructor({ addresses, bytes, isOffAccount = false }: Room) {
    // Even the smallest room holds some further notes.
    const chunks = Math.max(2, Math.floor(addresses * bytes / (CHUNK_SIZE * WORD_BYTES)));
    this.addresses = new NoteAddresses(addresses, { behind: chunks * CHUNK_SIZE, isOffAccount });
    this.words = this.addresses.words;
    this.times = this.addresses.times;
    this.#untaken = this.addresses.end;
    this.#end = this.#untaken + chunks * CHUNK_SIZE;
  }

  /** Adds room for a note behind the others at `at`. Returns its place; `NONE`: no room. */
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
   * Lists the notes of the address at `at` in `places` and returns their number. If all came in
   * order, it skips the notes up to `from`, and the list begins at index `first`.
   */
  list(at: number, from = -Infinity): number {
    const { words, times } = this;
    this.first = 0;
    if ((words[at + PREFIX]! & HAS_LATE) !== 0) from = -Infinity;
    const count = words[at + COUNT]!;
    if (times[at + LATEST >> 1]! <= from) return this.first = count;
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
   * Drops notes without rules among the `count` notes in `places`, if at least a quarter, as moving
   * takes time. Returns the number of notes left; `places` may be wrong then.
   */
  compact(at: number, count: number): number {
    const { words, places } = this;
    let left = 0;
    for (let i = 0; i < count; i++) if ((words[places[i]! + RULES]! & GROUP_MASK) !== 0) left++;
    if (4 * (count - left) < count) return count;
    // Notes that stay move towards the newest, which frees chunks at the old end of the chain.
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

  /** Frees the address at `at` with all of its notes. */
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
