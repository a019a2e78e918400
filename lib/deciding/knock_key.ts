/** What keys of knocks are made of: one-time codes of RFC 6238, and secrets kept as seals. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import { type Micros, SECOND } from "../core/time.ts";

/** How long each code is the current one (RFC 6238, section 4.1). */
export const STEP: Micros = 30 * SECOND;
/** Digits of a code. */
export const DIGITS = 6;
/** What a plain secret is: it passes sshd, which cuts names at 100 bytes, and URLs unchanged. */
export const PLAIN_SECRET = /^[A-Za-z0-9_~][A-Za-z0-9._~-]{15,63}$/;

const ISSUER = "StrongMonitor";
/** Codes kept, so that whoever guesses costs us no more than comparisons. */
const CACHED = 8;

/** The codes of one secret, as every authenticator app makes them: HMAC-SHA-1, six digits, thirty seconds. */
export class Codes {
  readonly #totp: TOTP;
  readonly #known = new Map<number, string>();

  /** @param secret in Base32 (RFC 4648); throws when it is not */
  constructor(secret: string) {
    this.#totp = new TOTP({ secret, digits: DIGITS });
  }

  /** Whether `code`, six characters of ASCII, is that of the step; compares in constant time. */
  fits(code: string, step: number): boolean {
    return isSame(code, this.#at(step));
  }

  #at(step: number): string {
    const known = this.#known.get(step);
    if (known !== undefined) return known;
    if (this.#known.size >= CACHED) this.#known.clear();
    const code = this.#totp.generate({ timestamp: step * STEP / 1_000 });
    this.#known.set(step, code);
    return code;
  }
}

/** A secret for codes out of random bytes, in Base32. RFC 4226 wants at least 16 bytes and recommends 20. */
export function codeSecret(random: Uint8Array<ArrayBuffer>): string {
  return new Secret({ buffer: random.buffer }).base32;
}

/** A plain secret out of random bytes, in lower case throughout. */
export function plainSecret(random: Uint8Array<ArrayBuffer>): string {
  return codeSecret(random).toLowerCase();
}

/** The URI that authenticator apps take, by hand or as a QR code. */
export function otpauthUri(secret: string, { name, host }: { name: string; host: string }): string {
  return new TOTP({ issuer: ISSUER, label: `${name}@${host}`, secret, digits: DIGITS }).toString();
}

/**
 * What is kept of a plain secret: `salt:HMAC-SHA-256`, in hexadecimal. It is made for secrets that cannot be guessed
 * and for names that come by the thousand, and is therefore no slow hash.
 */
export function seal(secret: string, salt: string): string {
  return `${salt}:${createHmac("sha256", salt).update(secret).digest("hex")}`;
}

/** Whether `text` is the secret behind `sealed`; compares in constant time. */
export function opens(text: string, sealed: string): boolean {
  return isSame(seal(text, sealed.slice(0, sealed.indexOf(":"))), sealed);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [new TextEncoder().encode(one), new TextEncoder().encode(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
