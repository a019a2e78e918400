import { type Micros, SECOND } from "../core/time.ts";
import { Codes, DIGITS, opens, PLAIN_SECRET, STEP } from "./knock_key.ts";

/** How knocks are told, and what they do. */
export interface KnockConfig {
  /** Stands before the digits of a code. */
  readonly prefix: string;
  /** How long a knock whitelists its sender. */
  readonly time: Micros;
}

/** What opens by a knock: one-time codes of RFC 6238, or a secret that is the same every time. */
export interface KnockKey {
  readonly name: string;
  readonly kind: "totp" | "plain";
  /** Of codes in Base32; of a plain one only a seal: see `seal()`. */
  readonly secret: string;
  readonly since: Micros;
  /** Its last knock; null before the first. */
  readonly used: KnockUse | null;
}

/** When a key was used last, and by whom. */
export interface KnockUse {
  /** Counts the steps of RFC 6238, of which none up to this one is accepted again; null for a plain secret. */
  readonly step: number | null;
  /** Canonical address. */
  readonly by: string;
  readonly at: Micros;
}

/** A key used by somebody, who is whitelisted for it. */
export interface Knock {
  /** Name of the key. */
  readonly key: string;
  /** Canonical. */
  readonly address: string;
  readonly time: Micros;
  /** When the sender is an address like others again. */
  readonly until: Micros;
  readonly step: number | null;
}

/** What an event says to the keys, as text. */
export interface Overheard {
  /** Canonical. */
  readonly address: string;
  readonly time: Micros;
  /** False where any local user could have written it. */
  readonly trusted: boolean;
  readonly message: string;
  readonly fields: { readonly user?: string; readonly raw_path?: string };
}

/** What an event is to the keys: a knock, `known` for a further line of one that must not be kept, null for neither. */
export type Heard = Knock | "known" | null;

/** Steps that a sender's clock may be off. */
const SKEW = 1;
/** How long the same sender's lines about an accepted name belong to its knock. */
const AFTERMATH: Micros = 600 * SECOND;
/** Words of a message that are held against plain secrets: more than an owner's lines have, few enough for a flood. */
const MAX_WORDS = 16;
const WORD = /[A-Za-z0-9._~-]+/g;

/** Tells knocks among events, on the events' own time, and lets each code pass once. Knows no clock. */
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

  /** Whether there are no keys, so that nothing can be a knock. */
  get isEmpty(): boolean {
    return this.#codes.length === 0 && this.#secrets.length === 0;
  }

  /**
   * Holds an event against every key. Codes are accepted one step early or late, and none of a step that is not
   * later than the last one used. An untrusted event is no knock; a plain secret in it is not to be kept either.
   */
  hear(event: Overheard): Heard {
    if (this.isEmpty) return null;
    const names = namesIn(event);
    return this.#hearCode(event, names) ?? this.#hearSecret(event, names);
  }

  #hearCode(event: Overheard, names: readonly string[]): Heard {
    if (!event.trusted || this.#codes.length === 0) return null;
    for (const code of names.flatMap((name) => codeOf(name, this.#config.prefix) ?? [])) {
      for (const { key, codes } of this.#codes) {
        const heard = this.#tryCode(event, { code, key, codes });
        if (heard !== null) return heard;
      }
    }
    return null;
  }

  #tryCode(event: Overheard, { code, key, codes }: { code: string; key: KnockKey; codes: Codes }): Heard {
    const used = this.#uses.get(key.name);
    const last = used?.step ?? -1;
    if (isAftermath(event, { used, span: AFTERMATH }) && codes.fits(code, last)) return "known";
    const current = Math.floor(event.time / STEP);
    for (let step = current - SKEW; step <= current + SKEW; step++) {
      if (step > last && codes.fits(code, step)) return this.#open(event, { key, step });
    }
    return null;
  }

  #hearSecret(event: Overheard, names: readonly string[]): Heard {
    if (this.#secrets.length === 0) return null;
    const words = [...names.filter((name) => PLAIN_SECRET.test(name)), ...wordsOf(event.message)];
    for (const word of new Set(words)) {
      const key = this.#secrets.find(({ secret }) => opens(word, secret));
      if (key === undefined) continue;
      const used = this.#uses.get(key.name);
      const span = Math.min(AFTERMATH, this.#config.time);
      const isKnock = event.trusted && names.includes(word) && !isAftermath(event, { used, span });
      return isKnock ? this.#open(event, { key, step: null }) : "known";
    }
    return null;
  }

  #open({ address, time }: Overheard, { key, step }: { key: KnockKey; step: number | null }): Knock {
    this.#uses.set(key.name, { step, by: address, at: time });
    return { key: key.name, address, time, until: time + this.#config.time, step };
  }
}

/** Login name and path, as they came, by which an event may knock. */
function namesIn({ fields: { user, raw_path: path } }: Overheard): string[] {
  return [...user === undefined ? [] : [user], ...path?.startsWith("/") ? [path.slice(1)] : []];
}

function codeOf(name: string, prefix: string): string | null {
  if (name.length !== prefix.length + DIGITS || !name.startsWith(prefix)) return null;
  const code = name.slice(prefix.length);
  return /^\d+$/.test(code) ? code : null;
}

/** The first words of a message that are long enough for a plain secret. */
function wordsOf(message: string): string[] {
  return message.matchAll(WORD).filter(([word]) => PLAIN_SECRET.test(word)).take(MAX_WORDS).map(([word]) =>
    word
  )
    .toArray();
}

function isAftermath(
  { address, time }: Overheard,
  { used, span }: { used: KnockUse | undefined; span: Micros },
): boolean {
  return used !== undefined && used.by === address && Math.abs(time - used.at) < span;
}
