import { type Bytes, decode } from "../core/bytes.ts";
import type { Origin } from "../core/records.ts";
import { isOfUnit } from "./trust.ts";

/** Messages that journald dropped because their service wrote too many. */
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

/** Collects journald's reports about the services of modules. */
export class Suppressions {
  readonly #units: readonly string[];
  /** Units of the modules' entries so far. */
  readonly #seenUnits = new Set<string>();
  #reported: Suppression[] = [];

  /** @param units of the modules, as configured */
  constructor(units: readonly string[]) {
    this.#units = units;
  }

  /** Notes that an entry of a module came from `unit`. */
  addUnit(unit: string): void {
    if (unit.endsWith(".service") && this.#seenUnits.size < MAX_UNITS) this.#seenUnits.add(unit);
  }

  /** Reads an entry `bytes[from, to)` of journald. */
  read(bytes: Bytes, from: number, to: number): void {
    const [, count, unit] = SUPPRESSED.exec(decode(bytes, from, to)) ?? [];
    if (unit !== undefined && this.#isOfModules(unit)) this.#reported.push({ unit, count: Number(count) });
  }

  /** Takes the suppressions since the last call. */
  take(): Suppression[] {
    const reported = this.#reported;
    this.#reported = [];
    return reported;
  }

  /** Reports whether `unit` is a module's. Until an entry tells a unit, every unit may be. */
  #isOfModules(unit: string): boolean {
    return this.#seenUnits.size === 0 || this.#seenUnits.has(unit) || isOfUnit(unit, this.#units);
  }
}
