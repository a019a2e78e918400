import type { Micros } from "../core/time.ts";

/** A recorded line. */
export interface LogRow {
  /** Ascends, and is never used twice within one state. */
  readonly seq: number;
  /** Name of the module. */
  readonly module: string;
  readonly address: string;
  readonly time: Micros;
  readonly message: string;
}
