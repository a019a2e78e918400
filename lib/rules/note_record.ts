import { type AddressWords, isIPv4 } from "../core/address.ts";
import { grown } from "../core/bytes.ts";
import type { Micros } from "../core/time.ts";

/** Kind of a record: a line hit rules; an address begins anew in some rules, or in all. */
export const [HIT, SPENT, FORGOTTEN] = [0, 1, 2] as const;

/** Kinds of records by their numbers. */
export type RecordKind = typeof HIT | typeof SPENT | typeof FORGOTTEN;

/** Most rules of a group: a record names rules as bits of a group. */
export const GROUP_RULES = 12;
/** All bits of a group. */
export const GROUP_MASK = (1 << GROUP_RULES) - 1;

/**
 * Offsets of a record's words: prefix, kind and family; group and rules; time; hash of the value;
 * last word of the address; for IPv6 its first three and an unused one, so that times stay aligned.
 */
const [HEAD, RULES, TIME, VALUE, LAST_WORD, FIRST_WORDS] = [0, 1, 2, 4, 5, 6];
const [IPV4_SIZE, IPV6_SIZE] = [6, 10];
const [KIND_SHIFT, IS_IPV6] = [8, 1 << 10];

/** Fields of a record. */
export interface NoteRecord extends AddressWords {
  readonly kind: RecordKind;
  /**
   * Number of a group of rules, and its rules as bits: `group << GROUP_RULES | bits`. For an
   * address that begins anew: 0 for all modules, or a group of the module concerned.
   */
  readonly rules: number;
  readonly time: Micros;
  /** Hash of the value that `distinct` rules count once; 0: none. */
  readonly value: number;
}

/** Writes records in sequence. Numbers are little-endian, as on every machine that runs Deno. */
export class NoteWriter {
  #words = new Int32Array(1 << 8);
  #times = new Float64Array(this.#words.buffer);
  #end = 0;

  /** Whether no record has been written. */
  get isEmpty(): boolean {
    return this.#end === 0;
  }

  /** Appends a record. `record` may be a view that changes later. */
  put({ kind, w0, w1, w2, w3, prefix, rules, time, value }: NoteRecord): void {
    if (this.#end + IPV6_SIZE > this.#words.length) this.#grow();
    const words = this.#words;
    const at = this.#end;
    const isIPv4 = w0 === 0 && w1 === 0 && w2 === 0xffff;
    words[at + HEAD] = prefix | kind << KIND_SHIFT | (isIPv4 ? 0 : IS_IPV6);
    words[at + RULES] = rules;
    this.#times[at + TIME >> 1] = time;
    words[at + VALUE] = value;
    words[at + LAST_WORD] = w3;
    if (!isIPv4) {
      words[at + FIRST_WORDS] = w0;
      words[at + FIRST_WORDS + 1] = w1;
      words[at + FIRST_WORDS + 2] = w2;
      words[at + FIRST_WORDS + 3] = 0;
    }
    this.#end = at + (isIPv4 ? IPV4_SIZE : IPV6_SIZE);
  }

  /** Returns the written records as a copy and begins anew. */
  take(): Uint8Array {
    const content = new Uint8Array(this.#words.buffer, 0, 4 * this.#end).slice();
    this.#end = 0;
    return content;
  }

  /** Drops hits that no rule counts now. */
  compact(): void {
    const all = readNotes(this.take());
    while (all.next()) if (all.kind !== HIT || (all.rules & GROUP_MASK) !== 0) this.put(all);
  }

  /** Returns a reader of the written records, valid until the next `put()`. */
  records(): NoteReader {
    return new NoteReader(this.#words, this.#end);
  }

  #grow(): void {
    this.#words = grown(this.#words);
    this.#times = new Float64Array(this.#words.buffer);
  }
}

/** Reads records in sequence; the fields show the record that `next()` has reached. */
export class NoteReader implements NoteRecord {
  kind: RecordKind = HIT;
  w0 = 0;
  w1 = 0;
  w2 = 0;
  w3 = 0;
  prefix = 0;
  rules = 0;
  time: Micros = 0;
  value = 0;
  readonly #words: Int32Array;
  readonly #times: Float64Array;
  readonly #end: number;
  #at = 0;
  #next = 0;

  constructor(words: Int32Array, end = words.length) {
    this.#words = words;
    this.#times = new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
    this.#end = end;
  }

  /** Goes to the next record; false: there is none, or it is incomplete. */
  next(): boolean {
    const words = this.#words;
    const at = this.#at = this.#next;
    if (at + IPV4_SIZE > this.#end) return false;
    const head = words[at + HEAD]!;
    const isIPv6 = (head & IS_IPV6) !== 0;
    if (isIPv6 && at + IPV6_SIZE > this.#end) return false;
    this.#next = at + (isIPv6 ? IPV6_SIZE : IPV4_SIZE);
    this.prefix = head & 0xff;
    this.kind = (head >>> KIND_SHIFT & 3) as RecordKind;
    this.w0 = isIPv6 ? words[at + FIRST_WORDS]! : 0;
    this.w1 = isIPv6 ? words[at + FIRST_WORDS + 1]! : 0;
    this.w2 = isIPv6 ? words[at + FIRST_WORDS + 2]! : 0xffff;
    this.w3 = words[at + LAST_WORD]!;
    this.rules = words[at + RULES]!;
    this.time = this.#times[at + TIME >> 1]!;
    this.value = words[at + VALUE]!;
    return true;
  }

  /** Changes the rules of the current record. */
  setRules(rules: number): void {
    this.#words[this.#at + RULES] = this.rules = rules;
  }
}

/** Reads the records of `content`, a result of `NoteWriter.take()`. */
export function readNotes(content: Uint8Array): NoteReader {
  // A copy starts at a multiple of eight bytes; the original may not.
  const copy = content.slice(0, content.length & ~7);
  return new NoteReader(new Int32Array(copy.buffer));
}

/**
 * Returns bytes that every record has about an address or network, about anything inside of it, and
 * for IPv6 about networks of 16 bits or more around it; empty if there are none.
 */
export function bytesInRecords(address: AddressWords): Uint8Array {
  const { w0, w3, prefix } = address;
  const octets = isIPv4(address) ? Math.max(0, prefix - 96 >> 3) : Math.min(2, prefix >> 3);
  // Words are little-endian, so the first octets come last.
  return new Uint8Array(Int32Array.of(isIPv4(address) ? w3 : w0).buffer, 4 - octets);
}
