// What deno.json names is compiled into the program, which this is no part of.
import { authenticator } from "npm:otplib@^12.0.1";
import type { Micros } from "../../lib/core/time.ts";

/** What another authenticator than the program's own shows at an instant for a secret in Base32. */
export function codeAt(time: Micros, secret: string): string {
  return authenticator.clone({ epoch: time / 1_000 }).generate(secret);
}
