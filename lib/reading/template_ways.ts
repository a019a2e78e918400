import { STRANGER } from "./template_program.ts";

/**
 * Numbers of a way: instruction, place, state of the automaton, place in a stranger's text, values
 * set so far.
 */
export const WAY = 5;
/** Place in a stranger's text if none is being read. */
export const OUTSIDE = -1;

/** A stack of ways on which a message can be read again if nothing fits. */
export class OpenWays {
  /** The ways one after the other; the newest ends at `depth`. */
  readonly numbers: Int32Array;
  depth = 0;

  /** @param most ways that can be open at once */
  constructor(most: number) {
    this.numbers = new Int32Array(WAY * most);
  }

  /** Puts a way at `depth`. Returns the depth above it; the caller keeps it in a register. */
  push(depth: number, one: number, at: number, state: number, scan: number, isSet: number): number {
    const { numbers } = this;
    numbers[depth] = one;
    numbers[depth + 1] = at;
    numbers[depth + 2] = state;
    numbers[depth + 3] = scan;
    numbers[depth + 4] = isSet;
    return depth + WAY;
  }

  /** Returns the place of the newest way in which a stranger's text may end later; below 0: none. */
  strangerIn(code: Int32Array): number {
    const { numbers } = this;
    let way = this.depth - WAY;
    while (way >= 0 && (code[numbers[way]!] !== STRANGER || numbers[way + 3] === OUTSIDE)) way -= WAY;
    return way;
  }
}
