// Not in deno.json, whose packages are compiled into the program.
import { authenticator } from "npm:otplib@^12.0.1";
import type { Micros } from "../../lib/core/time.ts";

/** Returns the code of an independent authenticator for a secret in Base32 at an instant. */
export function codeAt(time: Micros, secret: string): string {
  return authenticator.clone({ epoch: time / 1_000 }).generate(secret);
}
