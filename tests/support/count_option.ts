import { UserError } from "../../lib/core/error.ts";

/** Reads `--name` as a whole number from 1; default `standard`. Throws `UserError` (64). */
export function readCount(name: string, given: string | undefined, standard: number): number {
  const number = Number(given ?? standard);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new UserError(`--${name} must be a whole number from 1, got ${given}`, 64);
}
