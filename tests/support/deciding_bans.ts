import { Decider, type Decision, NO_DECISION } from "../../lib/deciding/decider.ts";
import type { DeciderOptions, Remembered } from "../../lib/deciding/decider.ts";
import type { NewBan } from "../../lib/deciding/ban.ts";
import type { Knock } from "../../lib/deciding/knock.ts";
import { Bans } from "../../lib/enforcing/bans.ts";
import type { State } from "../../lib/state/state.ts";
import type { Trip } from "../../lib/rules/rule.ts";

type Options =
  & ConstructorParameters<typeof Bans>[0]
  & Omit<DeciderOptions, "history" | "remembered">
  & {
    readonly state: Pick<State, "bans" | "enforcement">;
    readonly known: () => Omit<Remembered, "bans">;
  };

/** Bans with a decider on the same state, connected as in a monitor. */
export class DecidingBans extends Bans {
  readonly decider: Decider;
  readonly #clock: Options["clock"];
  /** Of decisions that are not enforced yet. */
  #pending = NO_DECISION;

  constructor(options: Options) {
    super(options);
    const { state: { bans }, known, clock } = options;
    this.#clock = clock;
    this.decider = new Decider({
      ...options,
      history: bans,
      remembered: (span) => ({ ...known(), bans: bans.decisionsSince(clock() - span) }),
    });
  }

  /** Decides now. */
  decide(trips: readonly Trip[], knocks: readonly Knock[] = []): NewBan[] {
    const { bans, spared, gains } = this.decider.decide(trips, { now: this.#clock(), knocks });
    const before = this.#pending;
    this.#pending = {
      bans: [],
      spared: [...before.spared, ...spared],
      gains: new Map([...before.gains, ...gains]),
    };
    return [...bans];
  }

  /** Enforces the bans that `decide()` returned, or a whole decision. */
  override enforce(decided: Decision | readonly NewBan[] = []): void {
    if ("bans" in decided) return super.enforce(decided);
    super.enforce({ ...this.#pending, bans: decided });
    this.#pending = NO_DECISION;
  }

  whyNot(target: string): string | null {
    return this.decider.whyNot(target, this.#clock());
  }

  /** Replaces memory by the state, as after a failed commit. */
  reset(): void {
    this.#pending = NO_DECISION;
    this.decider.reset();
  }
}
