import { type Micros, SECOND } from "../core/time.ts";
import { Codes, DIGITS, opens, PLAIN_SECRET, STEP } from "./knock_key.ts";

/** Options of knocks. */
export interface KnockConfig {
  /** Text before the digits of a code. */
  readonly prefix: string;
  /** How long a knock whitelists its sender. */
  readonly time: Micros;
}

/** A key: one-time codes of RFC 6238, or a plain secret. */
export interface KnockKey {
  readonly name: string;
  readonly kind: "totp" | "plain";
  /** Base32 for codes; the seal of a plain secret: see `seal()`. */
  readonly secret: string;
  readonly since: Micros;
  /** The key's last knock; null: never used. */
  readonly used: KnockUse | null;
}

/** Time and sender of a key's last use. */
export interface KnockUse {
  /** Step of RFC 6238; no step up to it is accepted again. Null for a plain secret. */
  readonly step: number | null;
  /** Canonical address. */
  readonly by: string;
  readonly at: Micros;
}

/** A use of a key, which whitelists its sender. */
export interface Knock {
  /** Name of the key. */
  readonly key: string;
  /** Canonical. */
  readonly address: string;
  readonly time: Micros;
  /** End of the whitelisting. */
  readonly until: Micros;
  readonly step: number | null;
}

/** The parts of an event that are compared with keys, as text. */
export interface KnockEvent {
  /** Canonical. */
  readonly address: string;
  readonly time: Micros;
  /** False: any local user could have written it. */
  readonly trusted: boolean;
  readonly message: string;
  readonly fields: { readonly user?: string; readonly raw_path?: string };
}

/** A knock; `known`: a further line of a knock, not to be recorded; null: neither. */
export type KnockResult = Knock | "known" | null;

/** Steps by which a sender's clock may be off. */
const SKEW = 1;
/** How long a sender's further lines about an accepted name belong to its knock. */
const FOLLOW_UP_SPAN: Micros = 600 * SECOND;
/**
 * Words compared with plain secrets: more than an owner's lines have. Each costs 8 µs for a key, and
 * a hostile line may have more than a thousand.
 */
const MAX_WORDS = 16;
const WORD = /[A-Za-z0-9._~-]+/g;

/** Finds knocks among events, by the events' own time; reads no clock. Accepts each code once. */
export class Knocks {
  readonly #config: KnockConfig;
  readonly #codes: readonly { key: KnockKey; codes: Codes }[];
  readonly #secrets: readonly KnockKey[];
  readonly #uses: Map<string, KnockUse>;

  constructor(keys: readonly KnockKey[], config: KnockConfig) {
    this.#config = config;
    this.#codes = keys.filter(({ kind }) => kind === "totp")
      .map((key) => ({ key, codes: new Codes(key.secret) }));
    this.#secrets = keys.filter(({ kind }) => kind === "plain");
    this.#uses = new Map(keys.flatMap(({ name, used }) => used === null ? [] : [[name, used]]));
  }

  /** Whether there are no keys, so that no event is a knock. */
  get isEmpty(): boolean {
    return this.#codes.length === 0 && this.#secrets.length === 0;
  }

  /**
   * Compares an event with every key. Codes are accepted one step early or late, and only of a step
   * later than the last one used. An untrusted event is no knock, but a plain secret in it must not
   * be recorded either.
   */
  check(event: KnockEvent): KnockResult {
    if (this.isEmpty) return null;
    const { user, raw_path: path } = event.fields;
    const names = [user ?? [], path?.startsWith("/") ? path.slice(1) : []].flat();
    return this.#checkCode(event, names) ?? this.#checkSecret(event, names);
  }

  #checkCode(event: KnockEvent, names: readonly string[]): KnockResult {
    if (!event.trusted || this.#codes.length === 0) return null;
    for (const code of names.flatMap((name) => codeOf(name, this.#config.prefix) ?? [])) {
      for (const { key, codes } of this.#codes) {
        const result = this.#tryCode(event, { code, key, codes });
        if (result !== null) return result;
      }
    }
    return null;
  }

  #tryCode(
    event: KnockEvent,
    { code, key, codes }: { code: string; key: KnockKey; codes: Codes },
  ): KnockResult {
    const used = this.#uses.get(key.name);
    const last = used?.step ?? -1;
    if (isFollowUp(event, { used, span: FOLLOW_UP_SPAN }) && codes.fits(code, last)) return "known";
    const current = Math.floor(event.time / STEP);
    for (let step = current - SKEW; step <= current + SKEW; step++) {
      if (step > last && codes.fits(code, step)) return this.#open(event, { key, step });
    }
    return null;
  }

  #checkSecret(event: KnockEvent, names: readonly string[]): KnockResult {
    if (this.#secrets.length === 0) return null;
    const words = [...names.filter((name) => PLAIN_SECRET.test(name)), ...wordsOf(event.message)];
    for (const word of new Set(words)) {
      const key = this.#secrets.find(({ secret }) => opens(word, secret));
      if (key === undefined) continue;
      const used = this.#uses.get(key.name);
      const span = Math.min(FOLLOW_UP_SPAN, this.#config.time);
      const isKnock = event.trusted && names.includes(word) && !isFollowUp(event, { used, span });
      return isKnock ? this.#open(event, { key, step: null }) : "known";
    }
    return null;
  }

  #open({ address, time }: KnockEvent, { key, step }: { key: KnockKey; step: number | null }): Knock {
    this.#uses.set(key.name, { step, by: address, at: time });
    return { key: key.name, address, time, until: time + this.#config.time, step };
  }
}

function codeOf(name: string, prefix: string): string | null {
  if (name.length !== prefix.length + DIGITS || !name.startsWith(prefix)) return null;
  const code = name.slice(prefix.length);
  return /^\d+$/.test(code) ? code : null;
}

/** Returns the first words of a message that are long enough for a plain secret. */
function wordsOf(message: string): string[] {
  const words = message.matchAll(WORD).map(([word]) => word).filter((word) => PLAIN_SECRET.test(word));
  return [...words.take(MAX_WORDS)];
}

function isFollowUp(
  { address, time }: KnockEvent,
  { used, span }: { used: KnockUse | undefined; span: Micros },
): boolean {
  return used !== undefined && used.by === address && Math.abs(time - used.at) < span;
}
