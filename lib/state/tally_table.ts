import type { Micros } from "../core/time.ts";
import type { Tally } from "../rules/findings.ts";
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

/** Tallies without an end that there may be before they are sifted for the first time. */
const SIFT_STEP = 1_000;

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
    this.#db.run("INSERT INTO tally (until, content) VALUES (?, ?)", until, JSON.stringify(content));
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
      `INSERT INTO tally (until, content)
       SELECT iif(count(until) < count(*), NULL, max(until)), ? FROM tally HAVING count(*) > 0`,
      JSON.stringify(content),
    );
  }

  /** Drops what does not matter any more at `now`. */
  expire(now: Micros): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM tally WHERE until <= ?", now);
      const { lasting, sifted } = this.#db.get<{ lasting: number; sifted: number }>(
        `SELECT (SELECT count(*) FROM tally WHERE until IS NULL) AS lasting,
           ifnull((SELECT value FROM meta WHERE key = 'sifted'), 0) AS sifted`,
      )!;
      if (lasting >= 2 * sifted + SIFT_STEP) this.#sift();
    });
  }

  /**
   * Of what has no end, drops the hits that were spent or forgotten later, and then what says so. Done when there is twice as much as
   * the last time, as it looks at all of it.
   */
  #sift(): void {
    const ids = this.#db.all<{ id: number }>("SELECT id FROM tally WHERE until IS NULL ORDER BY id");
    const read = (id: number) =>
      JSON.parse(this.#db.get<Row>("SELECT content FROM tally WHERE id = ?", id)!.content) as Content;
    const overAt = new Map<string, number>();
    for (const { id } of ids) {
      const { forgotten, rules } = read(id);
      for (const address of forgotten) overAt.set(address, id);
      for (const [service, rule, spent] of rules) {
        for (const address of spent) overAt.set(keyOf({ service, rule, address }), id);
      }
    }
    let left = 0;
    for (const { id } of ids) {
      const content = read(id);
      if (content.forgotten.length > 0) continue;
      const rules = content.rules.map(([service, rule, , hits, values]) => {
        const stands = hits.map((n) => {
          const address = content.addresses[n]!;
          const over = Math.max(overAt.get(address) ?? 0, overAt.get(keyOf({ service, rule, address })) ?? 0);
          return over <= id;
        });
        const standing = <T>(list: readonly T[]) => list.filter((_, i) => stands[i]);
        return [service, rule, [], standing(hits), standing(values)] as const;
      }).filter(([, , , hits]) => hits.length > 0);
      if (rules.length === 0) {
        this.#db.run("DELETE FROM tally WHERE id = ?", id);
        continue;
      }
      left++;
      this.#db.run("UPDATE tally SET content = ? WHERE id = ?", JSON.stringify({ ...content, rules }), id);
    }
    // To hits that do have an end it still matters who was forgotten.
    const forgets = "until IS NULL AND json_array_length(content, '$.forgotten') > 0";
    this.#db.run(`UPDATE tally SET until = (SELECT max(until) FROM tally) WHERE ${forgets}`);
    this.#db.run(`DELETE FROM tally WHERE ${forgets}`);
    this.#db.run("INSERT OR REPLACE INTO meta VALUES ('sifted', ?)", left);
  }
}

function keyOf({ service, rule, address }: { service: string; rule: string; address: string }): string {
  return `${service} ${rule} ${address}`;
}

function summed(steps: readonly Micros[]): Micros[] {
  let time = 0;
  return steps.map((step) => time += step);
}

interface Row {
  readonly until: Micros | null;
  readonly content: string;
}
