import type { Micros } from "../core/time.ts";

/** A recorded line. */
export interface LogRow {
  /** Counts up without reuse within one state. */
  readonly seq: number;
  /** Name of the module. */
  readonly module: string;
  readonly address: string;
  readonly time: Micros;
  readonly message: string;
}
