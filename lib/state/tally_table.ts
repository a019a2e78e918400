import type { Micros, RuleTally, Tally } from "../types.ts";
import type { Database } from "./database.ts";

/**
 * A tally as it is stored: what a rule's holds, in the order of its type. Most addresses hit several rules at once, so one that was
 * named before is the number of its first place among those that are named; times are differences.
 */
interface Content {
  readonly forgotten: readonly string[];
  readonly rules: readonly (readonly [
    service: string,
    rule: string,
    spent: readonly string[],
    addresses: readonly (string | number)[],
    steps: readonly Micros[],
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
  add({ until, forgotten, rules }: Tally): void {
    const known = new Map<string, number>();
    const content: Content = {
      forgotten,
      rules: rules.map(({ service, rule, spent, addresses, times, values }) => [
        service,
        rule,
        spent,
        addresses.map((address) => numberOf(address, known) ?? address),
        times.map((time, i) => time - (times[i - 1] ?? 0)),
        values,
      ]),
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
      const { forgotten, rules } = JSON.parse(content) as Content;
      const known: string[] = [];
      yield {
        until,
        forgotten,
        rules: rules.map(([service, rule, spent, addresses, steps, values]): RuleTally => ({
          service,
          rule,
          spent,
          addresses: addresses.map((address) => addressOf(address, known)),
          times: summed(steps),
          values,
        })),
      };
    }
  }

  /** All counters of an address begin anew. */
  forget(address: string): void {
    const content: Content = { forgotten: [address], rules: [] };
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

/** The number of an address that was named before; undefined for a new one, which is given the next. */
function numberOf(address: string, known: Map<string, number>): number | undefined {
  const number = known.get(address);
  if (number === undefined) known.set(address, known.size);
  return number;
}

function addressOf(address: string | number, known: string[]): string {
  if (typeof address === "number") return known[address]!;
  known.push(address);
  return address;
}

function summed(steps: readonly Micros[]): Micros[] {
  let time = 0;
  return steps.map((step) => time += step);
}

interface Row {
  readonly until: Micros | null;
  readonly content: string;
}
