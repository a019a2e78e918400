import { type Bytes, decode } from "../core/bytes.ts";
import type { Origin } from "../core/records.ts";
import { isOfUnit } from "./trust.ts";

/** Messages that journald did not keep, as their service wrote too many. */
export interface Suppression {
  /** The service's systemd unit. */
  readonly unit: string;
  readonly count: number;
}

/** Units that are remembered: a socket may start one for each connection. */
const MAX_UNITS = 64;
const JOURNALD = "systemd-journald";
const SUPPRESSED = /^Suppressed (\d{1,15}) messages from (?:\S*\/)?(\S+)$/;

/** Reports whether an entry of `origin` is journald's own. */
export function isJournalds({ identifier, sender }: Origin): boolean {
  return identifier === JOURNALD && sender.uid === 0;
}

/** Gathers what journald says of the services of modules. */
export class Suppressions {
  readonly #units: readonly string[];
  /** Units that entries of the modules came from. */
  readonly #seen = new Set<string>();
  #told: Suppression[] = [];

  /** @param units of the modules, as far as they are configured */
  constructor(units: readonly string[]) {
    this.#units = units;
  }

  /** Takes note that an entry of a module came from `unit`. */
  seen(unit: string): void {
    if (unit.endsWith(".service") && this.#seen.size < MAX_UNITS) this.#seen.add(unit);
  }

  /** Reads an entry `bytes[from, to)` of journald's own. */
  read(bytes: Bytes, from: number, to: number): void {
    const [, count, unit] = SUPPRESSED.exec(decode(bytes, from, to)) ?? [];
    if (unit !== undefined && this.#isOfModules(unit)) this.#told.push({ unit, count: Number(count) });
  }

  /** Takes what was told since the last call. */
  take(): Suppression[] {
    const told = this.#told;
    this.#told = [];
    return told;
  }

  /** As long as no unit is known, any may be a module's. */
  #isOfModules(unit: string): boolean {
    return this.#seen.size === 0 || this.#seen.has(unit) || isOfUnit(unit, this.#units);
  }
}
