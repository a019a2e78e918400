import { POINT } from "../core/ascii.ts";
import { AddressReader } from "../core/address_reader.ts";
import { type Bytes, isDigit } from "../core/bytes.ts";
import type { Automaton } from "./automaton.ts";
import {
  ADDRESS,
  CHOICE,
  COLUMN,
  DIGITS,
  FAIL,
  FIELD,
  FINISH,
  isLiteralAt,
  LEAST,
  LENGTH,
  LITERAL,
  MOST,
  NEXT,
  OPTION,
  OTHER,
  REST,
  REST_WITHOUT,
  RUN,
  RUN_UP_TO,
  SEEN_FROM,
  SEEN_IN,
  SEEN_TO,
  SET,
  SKIP,
  STRANGER,
  TEMPLATE,
  type TemplateProgram,
} from "./template_program.ts";

/**
 * Numbers of an open choice: instruction, place, state of the automaton, place in a stranger's
 * text, values set so far.
 */
const ENTRY = 5;
/** The bit for a read address, among the bits of the fields that are set. */
const ADDRESS_BIT = 1 << 30;
/** The bit for a `<REST>` that was taken. */
const REST_BIT = 1 << 29;
const FIELD_BITS = REST_BIT - 1;
/** No stranger's text is being read. */
const OUTSIDE = -1;

/**
 * Runs a program along a message as a person would read it: compare a literal, read an address, go
 * on. If several ways are open, it puts the others on a stack, and goes back to the newest one when
 * nothing fits. `<USER>` is such a choice too: it ends at the first place of the text behind it,
 * and the later places remain open.
 *
 *     Invalid user <USER> from <ADDR>
 *     Invalid user a from gw from 192.0.2.1
 *                   ^ first end of <USER>: "gw" is no address, go back
 *                           ^ second end: everything behind it fits, and the message ends
 *
 * Time is linear in the message. The text behind `<USER>` contains a blank, and nothing that is
 * read behind it does, so tries behind different places read different bytes. `<REST>` ends the
 * match; for `<REST WITHOUT >` the instruction remembers how far it has read. The automaton runs
 * along: a text compared as a whole is one step.
 */
export class TemplateRunner {
  /** The address that the message names. */
  readonly address = new AddressReader();
  /** Where the fields are; below 0: the message has no such field. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The template that fits, and the state of the automaton behind the message. */
  template = -1;
  state = 0;
  /** Whether the message took a `<REST>`. */
  hasRest = false;
  /** Number of instructions and bytes read since `start()`. */
  steps = 0;
  readonly #program: TemplateProgram;
  readonly #automaton: Automaton;
  readonly #stack: Int32Array;
  #depth = 0;
  /** Fields that were set since all were cleared. */
  #touched = 0;
  #bytes!: Bytes;
  #to = 0;
  /** Number of messages; instructions tell by it which message they remember. */
  #message = 0;

  /** @param fields number of fields, 29 at most */
  constructor(program: TemplateProgram, fields: number, automaton: Automaton) {
    this.#program = program;
    this.#automaton = automaton;
    // No way leads through an instruction twice.
    this.#stack = new Int32Array(ENTRY * (program.length + 1));
    this.from = new Int32Array(fields).fill(-1);
    this.to = new Int32Array(fields);
  }

  /**
   * Runs along `bytes[at, to)`; `state` is the automaton's state before it. Returns whether a
   * template fits.
   */
  start(bytes: Bytes, at: number, to: number, state: number): boolean {
    this.#bytes = bytes;
    this.#to = to;
    this.#message = this.#message + 1 | 0;
    this.steps = 0;
    const entry = at < to ? this.#program.byFirst[bytes.array[at]!]! : FAIL;
    if (entry !== FAIL && this.#run(entry, 0, at, state, OUTSIDE, 0)) return true;
    this.clear();
    return false;
  }

  /** Forgets the address and the fields of the message. */
  clear(): void {
    this.#finish(0);
  }

  /**
   * Reports whether the text behind the stranger's also occurs later, so that `goOn()` may find
   * another fit.
   */
  mayGoOn(): boolean {
    const entry = this.#openStranger();
    if (entry < 0) return false;
    const { code } = this.#program;
    const { view } = this.#bytes;
    const one = this.#stack[entry]!;
    const last = this.#to - code[one + LENGTH]!;
    for (let at = this.#stack[entry + 3]! + 1; at <= last; at++) {
      this.steps++;
      if (isLiteralAt(code, one, view, at)) return true;
    }
    return false;
  }

  /** Looks for a fit in which the stranger's text ends later. Without one, the last fit is lost. */
  goOn(): boolean {
    const entry = this.#openStranger();
    const [one, at, state, scan, isSet] = this.#stack.subarray(entry, entry + ENTRY);
    return this.#run(one!, entry, at!, state!, scan!, isSet!);
  }

  /** Returns the place of a stranger's open end on the stack; below 0: none. */
  #openStranger(): number {
    const { code } = this.#program;
    let entry = this.#depth - ENTRY;
    while (entry >= 0 && (code[this.#stack[entry]!] !== STRANGER || this.#stack[entry + 3] === OUTSIDE)) {
      entry -= ENTRY;
    }
    return entry;
  }

  /**
   * Makes an instruction know how far it fits from `at`. Returns whether it had to read bytes for
   * that.
   */
  #look(one: number, at: number): boolean {
    const { code, sets } = this.#program;
    const { array } = this.#bytes;
    if (code[one + SEEN_IN] === this.#message && at >= code[one + SEEN_FROM]! && at <= code[one + SEEN_TO]!) {
      return false;
    }
    const set = code[one + SET]!;
    let to = at;
    while (to < this.#to && sets[set + array[to]!] === 1) to++;
    this.steps += to - at;
    code[one + SEEN_IN] = this.#message;
    code[one + SEEN_FROM] = at;
    code[one + SEEN_TO] = to;
    return true;
  }

  /** Drops values of ways that were given up, and of the message before. */
  #finish(isSet: number): void {
    for (let stale = this.#touched & ~isSet; stale !== 0; stale &= stale - 1) {
      this.from[31 - Math.clz32(stale & -stale)] = -1;
    }
    this.#touched = isSet & FIELD_BITS;
    if ((isSet & ADDRESS_BIT) === 0) this.address.clear();
    this.hasRest = (isSet & REST_BIT) !== 0;
  }

  /**
   * Runs the program from one instruction until the message fits, or until no choice above `floor`
   * is open. It is one long function to keep its values in registers; a call for each instruction
   * would take as long as the instruction.
   */
  #run(one: number, floor: number, at: number, state: number, scan: number, isSet: number): boolean {
    const { code, sets } = this.#program;
    const { array, view } = this.#bytes;
    const automaton = this.#automaton;
    const { next, classes, figures } = automaton;
    const { from, to, address } = this;
    const stack = this.#stack;
    const end = this.#to;
    let depth = floor;
    let steps = this.steps;
    let touched = this.#touched;
    for (;;) {
      steps++;
      if (one === FAIL) {
        if (depth === floor) {
          this.steps = steps;
          this.#touched = touched;
          return false;
        }
        depth -= ENTRY;
        one = stack[depth]!;
        at = stack[depth + 1]!;
        state = stack[depth + 2]!;
        scan = stack[depth + 3]!;
        isSet = stack[depth + 4]!;
      }
      const start = at;
      switch (code[one]) {
        case LITERAL:
        case OPTION: {
          const behind = at + code[one + LENGTH]!;
          if (behind > end || !isLiteralAt(code, one, view, at)) {
            one = code[one + OTHER]!;
            continue;
          }
          if (code[one] === OPTION) {
            stack[depth] = code[one + OTHER]!;
            stack[depth + 1] = at;
            stack[depth + 2] = state;
            stack[depth + 3] = OUTSIDE;
            stack[depth + 4] = isSet;
            depth += ENTRY;
          }
          at = behind;
          const column = code[one + COLUMN]!;
          state = next[state + column]! || automaton.find(state, column);
          one = code[one + NEXT]!;
          continue;
        }
        case ADDRESS: {
          at = address.read(this.#bytes, at, end);
          if (at === start) {
            one = FAIL;
            continue;
          }
          steps += at - start;
          const way = isDotted(array, start, address)
            ? next[state + figures]! || automaton.find(state, figures)
            : -1;
          state = way > 0 ? way : automaton.along(state, array, start, at);
          isSet |= ADDRESS_BIT;
          break;
        }
        case DIGITS: {
          while (at < end && isDigit(array[at]!)) at++;
          steps += at - start;
          if (at === start || at - start > code[one + MOST]!) {
            one = FAIL;
            continue;
          }
          const way = next[state + figures]! || automaton.find(state, figures);
          state = way > 0 ? way : automaton.along(state, array, start, at);
          break;
        }
        case RUN: {
          const set = code[one + SET]!;
          while (at < end && sets[set + array[at]!] === 1) {
            const column = classes[array[at++]!]!;
            state = next[state + column]! || automaton.find(state, column);
          }
          steps += at - start;
          if (at - start < code[one + LEAST]!) {
            one = FAIL;
            continue;
          }
          break;
        }
        case RUN_UP_TO: {
          const set = code[one + SET]!;
          const last = end - code[one + LENGTH]!;
          const least = at + code[one + LEAST]!;
          while (
            at <= last && sets[set + array[at]!] === 1 && (at < least || !isLiteralAt(code, one, view, at))
          ) {
            at++;
          }
          steps += at - start;
          // If the text is not here, the next instruction fails.
          if (at < least) {
            one = FAIL;
            continue;
          }
          state = automaton.along(state, array, start, at);
          break;
        }
        case STRANGER: {
          const last = end - code[one + LENGTH]!;
          if (scan === OUTSIDE) scan = at;
          else {
            // Nothing fits behind the last end tried: that place is part of the stranger's text.
            const column = classes[array[scan++]!]!;
            state = next[state + column]! || automaton.find(state, column);
          }
          const first = scan;
          while (scan <= last && !isLiteralAt(code, one, view, scan)) {
            const column = classes[array[scan++]!]!;
            state = next[state + column]! || automaton.find(state, column);
          }
          steps += scan - first;
          if (scan > last) {
            one = FAIL;
            continue;
          }
          stack[depth] = one;
          stack[depth + 1] = at;
          stack[depth + 2] = state;
          stack[depth + 3] = scan;
          stack[depth + 4] = isSet;
          depth += ENTRY;
          const field = code[one + FIELD]!;
          if (field >= 0) {
            from[field] = at;
            to[field] = scan;
            isSet |= 1 << field;
            touched |= 1 << field;
          }
          at = scan + code[one + LENGTH]!;
          const column = code[one + COLUMN]!;
          state = next[state + column]! || automaton.find(state, column);
          scan = OUTSIDE;
          one = code[one + NEXT]!;
          continue;
        }
        case REST:
          state = automaton.along(state, array, at, end);
          steps += end - at;
          at = end;
          isSet |= REST_BIT;
          break;
        case REST_WITHOUT: {
          this.steps = steps;
          const isNew = this.#look(one, at);
          steps = this.steps;
          if (code[one + SEEN_TO] !== end) {
            one = FAIL;
            continue;
          }
          // Runs along bytes once; if that is not enough, the tries find the outputs of the whole
          // message.
          state = isNew ? automaton.along(state, array, at, end) : automaton.lost;
          at = end;
          isSet |= REST_BIT;
          break;
        }
        case SKIP:
          at = end;
          break;
        case CHOICE:
          stack[depth] = code[one + OTHER]!;
          stack[depth + 1] = at;
          stack[depth + 2] = state;
          stack[depth + 3] = OUTSIDE;
          stack[depth + 4] = isSet;
          depth += ENTRY;
          break;
        case FINISH:
          if (at !== end) {
            one = FAIL;
            continue;
          }
          this.#depth = depth;
          this.template = code[one + TEMPLATE]!;
          this.state = state;
          this.steps = steps;
          this.#touched = touched;
          this.#finish(isSet);
          return true;
      }
      const field = code[one + FIELD]!;
      if (field >= 0) {
        from[field] = start;
        to[field] = at;
        isSet |= 1 << field;
        touched |= 1 << field;
      }
      one = code[one + NEXT]!;
    }
  }
}

/** Reports whether the address at `at` is a dotted quad: figures and points, without a zone. */
function isDotted(array: Uint8Array, at: number, { isAddress }: AddressReader): boolean {
  if (!isAddress || !isDigit(array[at]!)) return false;
  return array[at + 1] === POINT || array[at + 2] === POINT || array[at + 3] === POINT;
}
