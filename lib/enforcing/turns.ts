/**
 * Who comes next where a firewall takes few bans at once. Bans and lifts wait in turns, as the state names them: one for each
 * module, network bans, imports and so on. The turns go round, so that a flood of one module holds up no other. What people did
 * (`ban`, `unban`, `whitelist add`) takes every other call: it never waits behind a flood, and a script of people's never
 * holds up the modules either.
 */
const BY_HAND: readonly string[] = ["manual", "unban"];
/** Turns of lifts; all others are of bans. */
const LIFTS: readonly string[] = ["expired", "unban"];
/** Every so many calls of a turn take those that wait longest: the newest alone would leave the old waiting for ever. */
const OLDEST_EVERY = 4;

/** Reports whether a turn is of lifts. */
export function isOfLifts(turn: string): boolean {
  return LIFTS.includes(turn);
}

/** Has turns go round. */
export class Turns {
  #wasByHand = false;
  #lastByHand = "";
  #lastOther = "";
  /** How often a turn came, while it waits. */
  readonly #calls = new Map<string, number>();

  /** The turns in which something waits, given ascending, in the order in which they are to come. */
  order(waiting: readonly string[]): string[] {
    for (const turn of this.#calls.keys()) if (!waiting.includes(turn)) this.#calls.delete(turn);
    const byHand = roundFrom(this.#lastByHand, waiting.filter((turn) => BY_HAND.includes(turn)));
    const others = roundFrom(this.#lastOther, waiting.filter((turn) => !BY_HAND.includes(turn)));
    return this.#wasByHand ? [...others, ...byHand] : [...byHand, ...others];
  }

  /** Reports whether those that wait longest are to come, and not the newest. */
  isForOldest(turn: string): boolean {
    return (this.#calls.get(turn) ?? 0) % OLDEST_EVERY === OLDEST_EVERY - 1;
  }

  /** Takes note that a turn came. */
  came(turn: string): void {
    this.#wasByHand = BY_HAND.includes(turn);
    if (this.#wasByHand) this.#lastByHand = turn;
    else this.#lastOther = turn;
    this.#calls.set(turn, (this.#calls.get(turn) ?? 0) + 1);
  }
}

/** `turns`, which ascend, beginning behind `last`. */
function roundFrom(last: string, turns: readonly string[]): string[] {
  return [...turns.filter((turn) => turn > last), ...turns.filter((turn) => turn <= last)];
}
