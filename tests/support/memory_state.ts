/** A state in memory that keeps the written batches and can be made to fail. */
import { addressOf } from "../../lib/core/address_text.ts";
import { decode } from "../../lib/core/bytes.ts";
import { textOfWords } from "../../lib/core/address.ts";
import { GROUP_MASK, HIT, readNotes, SPENT } from "../../lib/rules/note_record.ts";
import type { BatchState } from "../../lib/monitor/pipeline_parts.ts";
import type { BatchRecord } from "../../lib/state/batch_writer.ts";
import type { LogEvent } from "../../lib/reading/event.ts";
import type { BatchNotes } from "../../lib/rules/note_batch.ts";
import type { StoredGroup } from "../../lib/rules/rule_groups.ts";

/** A recorded line as the source read it. */
export interface Recorded {
  readonly module: number;
  readonly address: string;
  readonly time: number;
  readonly message: string;
}

/** A record with its lines. */
export type Written = BatchRecord & { readonly events: readonly Recorded[] };

export class MemoryState implements BatchState {
  readonly rollups = { add(): void {}, addHits(): void {}, reset(): void {} };
  broken = false;
  hasRoom = true;
  readonly records: Written[] = [];
  readonly #events: Recorded[] = [];
  readonly #groups: StoredGroup[] = [];
  readonly #contents: Uint8Array[] = [];

  get lines() {
    const events = this.#events;
    return {
      get length() {
        return events.length;
      },
      get size() {
        return events.reduce((size, { message }) => size + message.length, 0);
      },
      add({ module, reader, time, bytes, from, to }: LogEvent) {
        events.push({ module, address: addressOf(reader.address)!, time, message: decode(bytes, from, to) });
      },
      clear() {
        events.length = 0;
      },
    };
  }

  get notes() {
    return {
      seed: 7,
      groups: () => this.#groups,
      contents: () => this.#contents,
      add: ({ groups, forgotten, rows }: BatchNotes) => {
        this.#groups.push(...groups);
        if (forgotten !== null) this.#contents.push(forgotten);
        this.#contents.push(...rows.map(({ content }) => content));
      },
    };
  }

  write(record: BatchRecord): number {
    if (this.broken) throw new Error("disk full");
    const events = this.hasRoom ? [...this.#events] : [];
    this.records.push({ ...record, events });
    this.notes.add(record.notes);
    return events.length;
  }
}

/** Returns the addresses of the notes of one kind in stored contents, in order. */
function addressesIn(contents: Iterable<Uint8Array>, kind: number): string[] {
  return [...contents].flatMap((content) => {
    const all = readNotes(content);
    const addresses: string[] = [];
    while (all.next()) {
      if (all.kind === kind && (all.rules & GROUP_MASK) !== 0) addresses.push(textOfWords(all));
    }
    return addresses;
  });
}

/** Returns the addresses whose hits in a stored batch still count after a restart. */
export function hitsOf({ rows }: BatchNotes): string[] {
  return addressesIn(rows.map(({ content }) => content), HIT);
}

/** Returns the addresses whose hits were spent, in stored contents. */
export function spentIn(contents: Iterable<Uint8Array>): string[] {
  return addressesIn(contents, SPENT);
}
