import { AddressReader } from "../core/address_reader.ts";
import { type Bytes, isDigit } from "../core/bytes.ts";
import type { Automaton } from "./automaton.ts";
import * as op from "./template_program.ts";
import { OpenWays, OUTSIDE, WAY } from "./template_ways.ts";

/** The bit for a read address, among the bits of the fields that are set. */
const ADDRESS_BIT = 1 << 30;
/** The bit for a `<REST>` that was taken. */
const REST_BIT = 1 << 29;
const FIELD_BITS = REST_BIT - 1;

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
  readonly #program: op.TemplateProgram;
  readonly #automaton: Automaton;
  readonly #ways: OpenWays;
  /** Fields that were set since all were cleared. */
  #touched = 0;
  #bytes!: Bytes;
  #to = 0;
  /** Number of messages; instructions tell by it which message they remember. */
  #message = 0;

  /** @param fields number of fields, 29 at most */
  constructor(program: op.TemplateProgram, fields: number, automaton: Automaton) {
    this.#program = program;
    this.#automaton = automaton;
    // No way leads through an instruction twice.
    this.#ways = new OpenWays(program.length + 1);
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
    const entry = at < to ? this.#program.byFirst[bytes.array[at]!]! : op.FAIL;
    if (entry !== op.FAIL && this.#run(entry, 0, at, state, OUTSIDE, 0)) return true;
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
    const { code } = this.#program;
    const { view } = this.#bytes;
    const { numbers } = this.#ways;
    const way = this.#ways.strangerIn(code);
    if (way < 0) return false;
    const one = numbers[way]!;
    const last = this.#to - code[one + op.LENGTH]!;
    for (let at = numbers[way + 3]! + 1; at <= last; at++) {
      if (op.isLiteralAt(code, one, view, at)) return true;
    }
    return false;
  }

  /** Looks for a fit in which the stranger's text ends later. Without one, the last fit is lost. */
  goOn(): boolean {
    const way = this.#ways.strangerIn(this.#program.code);
    const [one, at, state, scan, isSet] = this.#ways.numbers.subarray(way, way + WAY);
    return this.#run(one!, way, at!, state!, scan!, isSet!);
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
    const program = this.#program;
    const { code, sets } = program;
    const { array, view } = this.#bytes;
    const automaton = this.#automaton;
    const { from, to, address } = this;
    const ways = this.#ways;
    const { numbers } = ways;
    const end = this.#to;
    let depth = floor | 0;
    let touched = this.#touched;
    // Without this, V8 takes the numbers of a loop for any values, and checks each at each use.
    one |= 0;
    at |= 0;
    state |= 0;
    scan |= 0;
    isSet |= 0;
    for (;;) {
      if (one === op.FAIL) {
        if (depth === floor) {
          this.#touched = touched;
          return false;
        }
        depth -= WAY;
        one = numbers[depth]!;
        at = numbers[depth + 1]!;
        state = numbers[depth + 2]!;
        scan = numbers[depth + 3]!;
        isSet = numbers[depth + 4]!;
      }
      const start = at;
      switch (code[one]) {
        case op.LITERAL:
        case op.OPTION: {
          const behind = at + code[one + op.LENGTH]!;
          if (behind > end || !op.isLiteralAt(code, one, view, at)) {
            one = code[one + op.OTHER]!;
            continue;
          }
          if (code[one] === op.OPTION) {
            depth = ways.push(depth, code[one + op.OTHER]!, at, state, OUTSIDE, isSet);
          }
          at = behind;
          state = automaton.after(state, code[one + op.COLUMN]!);
          one = code[one + op.NEXT]!;
          continue;
        }
        case op.ADDRESS: {
          at = address.read(this.#bytes, at, end) | 0;
          if (at === start) {
            one = op.FAIL;
            continue;
          }
          state = address.isDottedAt(array, start)
            ? automaton.afterFigures(state, array, start, at)
            : automaton.along(state, array, start, at);
          isSet |= ADDRESS_BIT;
          break;
        }
        case op.DIGITS: {
          while (at < end && isDigit(array[at]!)) at++;
          if (at === start || at - start > code[one + op.MOST]!) {
            one = op.FAIL;
            continue;
          }
          state = automaton.afterFigures(state, array, start, at);
          break;
        }
        case op.RUN: {
          const set = code[one + op.SET]!;
          while (at < end && sets[set + array[at]!] === 1) at++;
          if (at - start < code[one + op.LEAST]!) {
            one = op.FAIL;
            continue;
          }
          state = automaton.along(state, array, start, at);
          break;
        }
        case op.RUN_UP_TO: {
          const set = code[one + op.SET]!;
          const last = end - code[one + op.LENGTH]!;
          const least = at + code[one + op.LEAST]!;
          while (
            at <= last && sets[set + array[at]!] === 1 && (at < least || !op.isLiteralAt(code, one, view, at))
          ) {
            at++;
          }
          // If the text is not here, the next instruction fails.
          if (at < least) {
            one = op.FAIL;
            continue;
          }
          state = automaton.along(state, array, start, at);
          break;
        }
        case op.STRANGER: {
          const last = end - code[one + op.LENGTH]!;
          // Nothing fits behind the last end tried: that place is part of the stranger's text.
          const passed = scan === OUTSIDE ? at : scan++;
          if (scan === OUTSIDE) scan = at;
          while (scan <= last && !op.isLiteralAt(code, one, view, scan)) scan++;
          if (scan > last) {
            one = op.FAIL;
            continue;
          }
          state = automaton.along(state, array, passed, scan);
          depth = ways.push(depth, one, at, state, scan, isSet);
          const field = code[one + op.FIELD]!;
          if (field >= 0) {
            from[field] = at;
            to[field] = scan;
            isSet |= 1 << field;
            touched |= 1 << field;
          }
          at = scan + code[one + op.LENGTH]!;
          state = automaton.after(state, code[one + op.COLUMN]!);
          scan = OUTSIDE;
          one = code[one + op.NEXT]!;
          continue;
        }
        case op.REST:
          state = automaton.along(state, array, at, end);
          at = end;
          isSet |= REST_BIT;
          break;
        case op.REST_WITHOUT: {
          const isNew = program.look(one, array, at, end, this.#message);
          if (code[one + op.SEEN_TO] !== end) {
            one = op.FAIL;
            continue;
          }
          // Runs along bytes once; if that is not enough, the tries find the outputs of the whole
          // message.
          state = isNew ? automaton.along(state, array, at, end) : automaton.lost;
          at = end;
          isSet |= REST_BIT;
          break;
        }
        case op.SKIP:
          at = end;
          break;
        case op.CHOICE:
          depth = ways.push(depth, code[one + op.OTHER]!, at, state, OUTSIDE, isSet);
          break;
        case op.FINISH:
          if (at !== end) {
            one = op.FAIL;
            continue;
          }
          ways.depth = depth;
          this.template = code[one + op.TEMPLATE]!;
          this.state = state;
          this.#touched = touched;
          this.#finish(isSet);
          return true;
      }
      const field = code[one + op.FIELD]!;
      if (field >= 0) {
        from[field] = start;
        to[field] = at;
        isSet |= 1 << field;
        touched |= 1 << field;
      }
      one = code[one + op.NEXT]!;
    }
  }
}
