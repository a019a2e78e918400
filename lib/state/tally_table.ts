import type { Counter, Micros, Tally } from "../types.ts";
import type { Database } from "./database.ts";

/** A tally as it is stored: names and figures in the order of their types. */
interface Content {
  readonly forgotten: readonly string[];
  readonly spent: readonly (readonly [service: string, rule: string, address: string])[];
  readonly hits: readonly (readonly [
    service: string,
    rule: string,
    address: string,
    time: Micros,
    value: string | null,
  ])[];
}

/**
 * What counters are made of: appended in order and never changed, as many hits to a row as a batch brought. To find and delete single
 * hits would cost more the more there are of them.
 */
export class TallyTable {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Appends a tally. */
  add({ until, forgotten, spent, hits }: Tally): void {
    const content: Content = {
      forgotten,
      spent: spent.map(({ service, rule, address }) => [service, rule, address]),
      hits: hits.map(({ service, rule, address, time, value }) => [service, rule, address, time, value]),
    };
    this.#db.run("INSERT INTO tally (until, content) VALUES (?, ?)", until, JSON.stringify(content));
  }

  /** All of them in order. */
  *all(): Generator<Tally> {
    for (const { until, content } of this.#db.each<Row>("SELECT until, content FROM tally ORDER BY id")) {
      const { forgotten, spent, hits } = JSON.parse(content) as Content;
      yield {
        until,
        forgotten,
        spent: spent.map(([service, rule, address]): Counter => ({ service, rule, address })),
        hits: hits.map(([service, rule, address, time, value]) => ({ service, rule, address, time, value })),
      };
    }
  }

  /** All counters of an address begin anew. */
  forget(address: string): void {
    const content: Content = { forgotten: [address], spent: [], hits: [] };
    // Kept as long as anything before it.
    this.#db.run(
      "INSERT INTO tally (until, content) SELECT iif(count(until) < count(*), NULL, max(until)), ? FROM tally",
      JSON.stringify(content),
    );
  }

  /** Drops what does not matter any more at `now`. */
  expire(now: Micros): void {
    this.#db.run("DELETE FROM tally WHERE until <= ?", now);
  }
}

interface Row {
  readonly until: Micros | null;
  readonly content: string;
}
