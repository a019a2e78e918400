/**
 * Remembers which problems and bans were told. In: the present problems, again and again. Out: the
 * notice that is due. There is no queue: the state and the told problems determine the notice, so
 * that memory is bounded and a crash loses none.
 */
import { tried } from "../core/error.ts";
import { type Micros, MINUTE } from "../core/time.ts";
import type { NewBan } from "../deciding/ban.ts";
import type { State } from "../state/state.ts";
import { EVENTS, type Problem, TOLD_AFTER } from "./problems.ts";

/** A problem with the time of its beginning. */
export interface OpenProblem extends Problem {
  readonly since: Micros;
}

/** A problem that was told, with the time when it was last present. */
export interface ToldProblem extends OpenProblem {
  readonly seen: Micros;
}

/** Problems and bans to tell. */
export interface Notice {
  readonly time: Micros;
  readonly problems: readonly OpenProblem[];
  /** Told problems that are no longer present. */
  readonly over: readonly ToldProblem[];
  /** The newest bans, in order. */
  readonly bans: readonly NewBan[];
  /** The number of all bans to tell. */
  readonly banCount: number;
  /** Id of the last ban that this notice covers. */
  readonly lastBan: number;
}

/** The state, as far as notices need it: bans, and memory between two starts. */
export type NoticeState = Pick<State, "noticeMemory" | "setNoticeMemory"> & {
  readonly bans: Pick<State["bans"], "madeAfter" | "lastId">;
};

/** How long a told problem must be gone to count as over: one that comes and goes is told once. */
const QUIET: Micros = 10 * MINUTE;
/** Most bans that one notice lists. */
const MOST_BANS = 100;
/** Most told problems that are remembered. */
const MOST_TOLD = 100;

interface Memory {
  readonly lastBan: number;
  /** When bans were last told. */
  readonly bansTold: Micros;
  readonly told: readonly ToldProblem[];
}

/** Remembers the problems and bans that were told, and makes the notice that is due. */
export class Notices {
  readonly #state: NoticeState;
  /** Shortest time between two notices of bans; null: bans are not told. */
  readonly #digest: Micros | null;
  readonly #open = new Map<string, OpenProblem>();
  readonly #told: Map<string, ToldProblem>;
  #lastBan: number;
  #lastBanNotice: Micros;
  #storedAt: Micros = 0;

  constructor(state: NoticeState, digest: Micros | null) {
    // Without a memory, bans of the past are not told.
    const memory: Memory = { lastBan: Infinity, bansTold: 0, told: [] };
    const text = state.noticeMemory() ?? "{}";
    const { told, lastBan, bansTold }: Memory = { ...memory, ...tried(() => JSON.parse(text)) };
    this.#state = state;
    this.#digest = digest;
    this.#told = new Map(told.map((problem) => [keyOf(problem), problem]));
    // Another state may have smaller ids.
    this.#lastBan = Math.min(lastBan, state.bans.lastId());
    this.#lastBanNotice = bansTold;
    this.#storeMemory(0);
  }

  /** Takes the problems that are present at `now`. */
  see(problems: readonly Problem[], now: Micros): void {
    const there = new Set(problems.map(keyOf));
    for (const key of this.#open.keys()) if (!there.has(key)) this.#open.delete(key);
    for (const problem of problems) this.add(problem, now);
    for (const [key, { kind, seen }] of this.#told) {
      // The clock was set back.
      if (seen > now) this.#told.set(key, { ...this.#told.get(key)!, seen: now });
      if (EVENTS.has(kind) && seen < now - QUIET) this.#told.delete(key);
    }
    // A monitor that fails again and again must know the problems told before.
    if (this.#told.size > 0 && Math.abs(now - this.#storedAt) > MINUTE) this.#storeMemory(now);
  }

  add(problem: Problem, now: Micros): void {
    const key = keyOf(problem);
    const told = this.#told.get(key);
    if (told !== undefined) this.#told.set(key, { ...told, ...problem, seen: now });
    else this.#open.set(key, { ...problem, since: Math.min(this.#open.get(key)?.since ?? now, now) });
  }

  /** Returns the notice due at `now`; null: none. */
  due(now: Micros): Notice | null {
    const problems = [...this.#open.values()].filter(({ kind, since }) =>
      now - since >= (TOLD_AFTER[kind] ?? 0)
    );
    const over = [...this.#told.values()].filter(({ kind, seen }) => !EVENTS.has(kind) && seen < now - QUIET);
    const bans = this.#dueBans(now);
    if (problems.length === 0 && over.length === 0 && bans.banCount === 0) return null;
    return { time: now, problems, over, ...bans };
  }

  /** Remembers that a notice was told. Throws if the state cannot be written. */
  tell({ problems, over, banCount, lastBan, time }: Notice): void {
    for (const problem of problems) {
      this.#open.delete(keyOf(problem));
      this.#told.set(keyOf(problem), { ...problem, seen: time });
    }
    for (const problem of over) this.#told.delete(keyOf(problem));
    for (const key of [...this.#told.keys()].slice(0, -MOST_TOLD)) this.#told.delete(key);
    this.#lastBan = lastBan;
    if (banCount > 0) this.#lastBanNotice = time;
    this.#storeMemory(time);
  }

  #dueBans(now: Micros): Pick<Notice, "bans" | "banCount" | "lastBan"> {
    const isDue = this.#digest !== null && Math.abs(now - this.#lastBanNotice) >= this.#digest;
    if (!isDue) return { bans: [], banCount: 0, lastBan: this.#lastBan };
    const lastBan = this.#state.bans.lastId();
    const { bans, count } = this.#state.bans.madeAfter(this.#lastBan, MOST_BANS);
    if (count === 0) this.#lastBan = lastBan;
    return { bans, banCount: count, lastBan };
  }

  #storeMemory(now: Micros): void {
    this.#storedAt = now;
    const memory: Memory = {
      lastBan: this.#lastBan,
      bansTold: this.#lastBanNotice,
      told: [...this.#told.values()],
    };
    this.#state.setNoticeMemory(JSON.stringify(memory));
  }
}

function keyOf({ kind, subject }: Problem): string {
  return `${kind} ${subject}`;
}
