/**
 * Knocks: takes them out of what the pipeline reads, and lets their senders in once they are committed. Text of an event is
 * made only where there are keys.
 */
import { addressOf } from "../core/address_reader.ts";
import { decode } from "../core/bytes.ts";
import type { Log } from "../core/log.ts";
import { formatDuration } from "../core/time.ts";
import { type Knock, type KnockConfig, type KnockKey, Knocks, type Overheard } from "../deciding/knock.ts";
import type { LogEvent } from "../reading/event.ts";
import { fieldText } from "../reading/field_text.ts";

/** What knocks need of their surroundings. */
export interface KnockingOptions {
  readonly config: KnockConfig;
  readonly log: Log;
  /** The keys as they are stored now, with their last uses. */
  readonly keys: () => KnockKey[];
  /** Called when knocks have been committed and their senders are to be let in. */
  readonly opened: () => void;
}

/** Tells knocks from other events. */
export class Knocking {
  readonly #options: KnockingOptions;
  #knocks: Knocks;

  constructor(options: KnockingOptions) {
    this.#options = options;
    this.#knocks = new Knocks(options.keys(), options.config);
  }

  /** Goes by the keys as they are stored now: a knock that was not committed has not been. */
  takeKeys(): void {
    this.#knocks = new Knocks(this.#options.keys(), this.#options.config);
  }

  /**
   * Reports whether an event belongs to a knock: then it is neither for the rules nor to be recorded. A knock itself goes
   * into `knocks`, a further line about one does not.
   */
  isKnock(event: LogEvent, knocks: Knock[]): boolean {
    if (this.#knocks.isEmpty) return false;
    const heard = this.#knocks.hear(overheard(event));
    if (heard !== null && heard !== "known") knocks.push(heard);
    return heard !== null;
  }

  /** Lets in the senders of knocks that were committed. */
  open(knocks: readonly Knock[]): void {
    if (knocks.length === 0) return;
    for (const { key, address, time, until } of knocks) {
      const span = formatDuration(until - time);
      this.#options.log.info(`whitelisting ${address} for ${span}: it knocked with the key ${key}`);
    }
    this.#options.opened();
  }
}

function overheard({ reader, bytes, from, to, time, isTrusted }: LogEvent): Overheard {
  const [user, path] = [fieldText(reader, "user"), fieldText(reader, "raw_path")];
  return {
    address: addressOf(reader.address)!,
    time,
    trusted: isTrusted,
    message: decode(bytes, from, to),
    fields: { ...(user === null ? {} : { user }), ...(path === null ? {} : { raw_path: path }) },
  };
}
