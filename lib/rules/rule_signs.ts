import type { Lane, SoughtText } from "../reading/automaton.ts";
import { MESSAGE } from "../reading/message_reader.ts";
import type { ReadyCondition } from "./condition.ts";

/** The conditions of a rule. */
export interface Seeking {
  /** Null: any event meets it. */
  readonly condition: ReadyCondition | null;
  readonly except: readonly ReadyCondition[];
}

/** A lane of the automaton with its field. */
interface FieldLane extends Lane {
  readonly field: number;
  readonly texts: SoughtText[];
}

/** Signs of one module's rules: a text at a place, which meets conditions. */
export class Signs {
  /** The first lane is the message itself. */
  readonly lanes: readonly FieldLane[];
  /** Conditions that each sign meets, by number of the sign. */
  readonly #meanings: ReadyCondition[][] = [];
  /** Index of the rule that needs each condition. */
  readonly #wanting = new Map<ReadyCondition, number>();
  /** Indexes of rules that any event may hit. */
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

  /** Returns the conditions that these signs meet. */
  conditionsMet(signs: readonly number[]): ReadonlySet<ReadyCondition> {
    return new Set(signs.flatMap((sign) => this.#meanings[sign]!));
  }

  /** Returns the ascending indexes of rules that may be hit when these conditions are met. */
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
