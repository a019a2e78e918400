/** Keys of knocks: one-time codes of RFC 6238, and plain secrets stored as seals. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { Cache } from "../core/cache.ts";
import { type Micros, SECOND } from "../core/time.ts";

/** How long each code is valid (RFC 6238, section 4.1). */
export const STEP: Micros = 30 * SECOND;
/** Digits of a code. */
export const DIGITS = 6;
/** Form of a plain secret: it passes URLs and sshd, which cuts names at 100 bytes, unchanged. */
export const PLAIN_SECRET = /^[A-Za-z0-9_~][A-Za-z0-9._~-]{15,63}$/;

const ISSUER = "StrongMonitor";
/** Codes remembered, so that a flood of guesses costs only comparisons. */
const CACHED = 8;

/** Codes of one secret, as authenticator apps make them: HMAC-SHA-1, six digits, 30 seconds. */
export class Codes {
  readonly #totp: TOTP;
  readonly #known = new Cache<number, string>(CACHED);

  /** @param secret in Base32 (RFC 4648); throws if it is not */
  constructor(secret: string) {
    this.#totp = new TOTP({ secret, digits: DIGITS });
  }

  /** Reports whether `code`, six ASCII characters, is the step's; compares in constant time. */
  fits(code: string, step: number): boolean {
    const generate = () => this.#totp.generate({ timestamp: step * STEP / 1_000 });
    return isSame(code, this.#known.of(step, generate));
  }
}

/** Makes a Base32 secret for codes. RFC 4226 demands 16 random bytes and recommends 20. */
export function codeSecret(random: Uint8Array<ArrayBuffer>): string {
  return new Secret({ buffer: random.buffer }).base32;
}

/** Makes a plain secret of random bytes, in lower case. */
export function plainSecret(random: Uint8Array<ArrayBuffer>): string {
  return codeSecret(random).toLowerCase();
}

/** Returns the URI that authenticator apps take, by hand or as a QR code. */
export function otpauthUri(secret: string, { name, host }: { name: string; host: string }): string {
  return new TOTP({ issuer: ISSUER, label: `${name}@${host}`, secret, digits: DIGITS }).toString();
}

/**
 * Returns the stored form of a plain secret: `salt:HMAC-SHA-256` in hexadecimal. The hash need not
 * be slow, as the secret cannot be guessed, and must be fast, as names come by the thousand.
 */
export function seal(secret: string, salt: string): string {
  return `${salt}:${createHmac("sha256", salt).update(secret).digest("hex")}`;
}

/** Reports whether `text` is the secret of `sealed`; compares in constant time. */
export function opens(text: string, sealed: string): boolean {
  return isSame(seal(text, sealed.slice(0, sealed.indexOf(":"))), sealed);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [new TextEncoder().encode(one), new TextEncoder().encode(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
