/**
 * Orders the turns if a firewall takes few bans at once. Bans and lifts wait in turns, as the state
 * names them: one for each module, network bans, imports and so on. Turns rotate, so that a flood
 * of one module delays no other. Work by hand (`ban`, `unban`, `whitelist add`) takes every other
 * call: it waits behind no flood, and a script of commands does not stop the modules.
 */
const BY_HAND: readonly string[] = ["manual", "unban"];
/** Turns of lifts; all others are of bans. */
export const LIFTS: readonly string[] = ["expired", "unban"];
/** Each turn's every fourth call takes its oldest bans, which would otherwise wait for ever. */
const OLDEST_EVERY = 4;

/** Reports whether a turn is of lifts. */
export function isOfLifts(turn: string): boolean {
  return LIFTS.includes(turn);
}

/** Rotates turns. */
export class Turns {
  #wasByHand = false;
  #lastByHand = "";
  #lastOther = "";
  /** Number of calls of each waiting turn. */
  readonly #calls = new Map<string, number>();

  /** Returns the waiting turns, given ascending, in the order of the next calls. */
  order(waiting: readonly string[]): string[] {
    for (const turn of this.#calls.keys()) if (!waiting.includes(turn)) this.#calls.delete(turn);
    const byHand = roundFrom(this.#lastByHand, waiting.filter((turn) => BY_HAND.includes(turn)));
    const others = roundFrom(this.#lastOther, waiting.filter((turn) => !BY_HAND.includes(turn)));
    return this.#wasByHand ? [...others, ...byHand] : [...byHand, ...others];
  }

  /** Reports whether a turn's oldest bans come next, not its newest. */
  isForOldest(turn: string): boolean {
    return (this.#calls.get(turn) ?? 0) % OLDEST_EVERY === OLDEST_EVERY - 1;
  }

  /** Records a call of a turn. */
  came(turn: string): void {
    this.#wasByHand = BY_HAND.includes(turn);
    if (this.#wasByHand) this.#lastByHand = turn;
    else this.#lastOther = turn;
    this.#calls.set(turn, (this.#calls.get(turn) ?? 0) + 1);
  }
}

/** Returns the ascending `turns`, rotated to begin behind `last`. */
function roundFrom(last: string, turns: readonly string[]): string[] {
  return [...turns.filter((turn) => turn > last), ...turns.filter((turn) => turn <= last)];
}
