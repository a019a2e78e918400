import type { Lane, SoughtText } from "../reading/automaton.ts";
import { MESSAGE } from "../reading/message_reader.ts";
import type { ReadyCondition } from "./condition.ts";

/** What a rule looks for. */
export interface Seeking {
  /** Null: any event will do. */
  readonly condition: ReadyCondition | null;
  readonly except: readonly ReadyCondition[];
}

/** A lane of the automaton, and the field that it looks at. */
interface FieldLane extends Lane {
  readonly field: number;
  readonly texts: SoughtText[];
}

/** All that the rules of one module look for: each text at its place is a sign, and each sign meets some conditions. */
export class Signs {
  /** The first is the message as it is. */
  readonly lanes: readonly FieldLane[];
  /** By number of a sign, the conditions that it meets. */
  readonly #meanings: ReadyCondition[][] = [];
  /** Of each condition, the places of the rules that need it. */
  readonly #wanting = new Map<ReadyCondition, number>();
  /** Places of rules that may be hit by any event. */
  readonly #always: readonly number[];

  constructor(rules: readonly Seeking[]) {
    const lanes: FieldLane[] = [{ field: MESSAGE, ignoreCase: false, texts: [] }];
    const signs = new Map<string, number>();
    const note = (condition: ReadyCondition) => {
      for (const field of condition.fields) {
        const lane = laneOf(lanes, field, condition.ignoreCase);
        for (const text of condition.texts ?? []) {
          const key = `${lanes.indexOf(lane)} ${condition.place} ${text}`;
          let sign = signs.get(key);
          if (sign === undefined) {
            signs.set(key, sign = this.#meanings.push([]) - 1);
            lane.texts.push({ bytes: new TextEncoder().encode(text), place: condition.place, sign });
          }
          this.#meanings[sign]!.push(condition);
        }
      }
    };
    rules.forEach(({ condition, except }, place) => {
      if (condition) {
        note(condition);
        this.#wanting.set(condition, place);
      }
      except.forEach(note);
    });
    this.lanes = lanes;
    this.#always = rules.flatMap(({ condition }, place) =>
      condition === null || condition.texts === null ? [place] : []
    );
  }

  /** The conditions that these signs meet. */
  conditionsMet(signs: readonly number[]): ReadonlySet<ReadyCondition> {
    return new Set(signs.flatMap((sign) => this.#meanings[sign]!));
  }

  /** The places of rules that these conditions leave possible, in ascending order. */
  candidates(met: ReadonlySet<ReadyCondition>): number[] {
    const wanted = [...met].flatMap((condition) => this.#wanting.get(condition) ?? []);
    return [...this.#always, ...wanted].sort((a, b) => a - b);
  }
}

function laneOf(lanes: FieldLane[], field: number, ignoreCase: boolean): FieldLane {
  const known = lanes.find((lane) => lane.field === field && lane.ignoreCase === ignoreCase);
  if (known) return known;
  const lane = { field, ignoreCase, texts: [] };
  lanes.push(lane);
  return lane;
}
