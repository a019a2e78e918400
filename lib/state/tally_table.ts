import type { Micros, Tally } from "../types.ts";
import type { Database } from "./database.ts";

/** A tally as it is stored: its rules' values in the order of their type, its times as differences. */
interface Content {
  readonly forgotten: readonly string[];
  readonly addresses: readonly string[];
  readonly steps: readonly Micros[];
  readonly rules: readonly (readonly [
    service: string,
    rule: string,
    spent: readonly string[],
    hits: readonly number[],
    values: readonly string[],
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
  add({ until, forgotten, addresses, times, rules }: Tally): void {
    const content: Content = {
      forgotten,
      addresses,
      steps: times.map((time, i) => time - (times[i - 1] ?? 0)),
      rules: rules.map(({ service, rule, spent, hits, values }) => [service, rule, spent, hits, values]),
    };
    // Hits that were spent may be dated later than what has spent them: they must not outlive it.
    const spends = until !== null && rules.some(({ spent }) => spent.length > 0);
    this.#db.run(
      spends
        ? "INSERT INTO tally (until, content) SELECT max(?, ifnull(max(until), 0)), ? FROM tally"
        : "INSERT INTO tally (until, content) VALUES (?, ?)",
      until,
      JSON.stringify(content),
    );
  }

  /** All of them in order. */
  *all(): Generator<Tally> {
    for (const { until, content } of this.#db.each<Row>("SELECT until, content FROM tally ORDER BY id")) {
      const { forgotten, addresses, steps, rules } = JSON.parse(content) as Content;
      yield {
        until,
        forgotten,
        addresses,
        times: summed(steps),
        rules: rules.map(([service, rule, spent, hits, values]) => ({ service, rule, spent, hits, values })),
      };
    }
  }

  /** All counters of an address begin anew. */
  forget(address: string): void {
    const content: Content = { forgotten: [address], addresses: [], steps: [], rules: [] };
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

function summed(steps: readonly Micros[]): Micros[] {
  let time = 0;
  return steps.map((step) => time += step);
}

interface Row {
  readonly until: Micros | null;
  readonly content: string;
}
