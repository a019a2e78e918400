/**
 * Recognises knocks among events, and whitelists their senders once the batch is committed. Decodes
 * an event to text only if the state holds keys.
 */
import { addressOf } from "../core/address_text.ts";
import { decode } from "../core/bytes.ts";
import type { Log } from "../core/log.ts";
import { formatDuration } from "../core/time.ts";
import { type Knock, type KnockConfig, type KnockEvent, type KnockKey, Knocks } from "../deciding/knock.ts";
import type { LogEvent } from "../reading/event.ts";
import { fieldText } from "../reading/field_text.ts";

/** Options of `Knocking`. */
export interface KnockingOptions {
  readonly config: KnockConfig;
  readonly log: Log;
  /** Returns the stored keys with their last uses. */
  readonly keys: () => KnockKey[];
  /** Called after a commit with knocks: their senders are whitelisted in the state. */
  readonly whitelisted: () => void;
}

/** Recognises knocks, and reports them once they are committed. */
export class Knocking {
  readonly #options: KnockingOptions;
  #knocks: Knocks;

  constructor(options: KnockingOptions) {
    this.#options = options;
    this.#knocks = new Knocks(options.keys(), options.config);
  }

  /** Reads the stored keys again: a knock that was not committed does not use up its code. */
  takeKeys(): void {
    this.#knocks = new Knocks(this.#options.keys(), this.#options.config);
  }

  /**
   * Reports whether an event belongs to a knock, so that no rule counts it and it is not recorded.
   * Adds a new knock to `knocks`; further lines about a known one add nothing.
   */
  isKnock(event: LogEvent, knocks: Knock[]): boolean {
    if (this.#knocks.isEmpty) return false;
    const result = this.#knocks.check(knockEvent(event));
    if (result !== null && result !== "known") knocks.push(result);
    return result !== null;
  }

  /** Logs committed knocks, and makes the whitelist take over their senders. */
  committed(knocks: readonly Knock[]): void {
    if (knocks.length === 0) return;
    for (const { key, address, time, until } of knocks) {
      const span = formatDuration(until - time);
      this.#options.log.info(`whitelisting ${address} for ${span}: it knocked with the key ${key}`);
    }
    this.#options.whitelisted();
  }
}

function knockEvent({ reader, bytes, from, to, time, isTrusted }: LogEvent): KnockEvent {
  const [user, path] = [fieldText(reader, "user"), fieldText(reader, "raw_path")];
  return {
    address: addressOf(reader.address)!,
    time,
    trusted: isTrusted,
    message: decode(bytes, from, to),
    fields: { user: user ?? undefined, raw_path: path ?? undefined },
  };
}
