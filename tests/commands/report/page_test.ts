/** The page in a real browser. */
import { strict as assert } from "node:assert";
import axe from "npm:axe-core@^4.10.0";
import { reviewOf } from "../../../lib/commands/report/gather.ts";
import { reviewPage } from "../../../lib/commands/report/page.ts";
import type { Review } from "../../../lib/commands/report/review.ts";
import { DAY, now } from "../../../lib/core/time.ts";
import { fillHistory, HOSTILE } from "../../support/history.ts";
import { Browser, findBrowser, type View } from "../../support/browser.ts";
import { temporaryState } from "../../support/helpers.ts";

const browser = findBrowser();
const [WIDE, TABLET, NARROW] = [1_280, 768, 390];
const VIEWS = [WIDE, NARROW].flatMap((width) =>
  (["light", "dark"] as const).map((scheme): View => ({ width, scheme }))
);

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Pages of a busy week, of one in which nothing was tried but what is hostile, and of a server that is new and in trouble. */
async function* pages(): AsyncGenerator<readonly [name: string, page: string, views: readonly View[]]> {
  const time = now();
  const of = async (
    fill: (state: Parameters<typeof reviewOf>[0]) => Promise<void>,
    change: Partial<Review> | ((review: Review) => Partial<Review>) = {},
  ) => {
    using temporary = temporaryState();
    await fill(temporary.state);
    const review = reviewOf(temporary.state, { since: time - 7 * DAY, now: time, host: "web1.example.org" });
    return reviewPage({ ...review, ...typeof change === "function" ? change(review) : change });
  };
  yield ["busy", await of((state) => fillHistory(state, { now: time }), { problems: [] }), VIEWS.slice(0, 2)];
  yield [
    "hostile",
    await of((state) => fillHistory(state, { now: time, names: HOSTILE, isNothingElse: true, days: 3 })),
    VIEWS,
  ];
  yield [
    "large",
    await of((state) => fillHistory(state, { now: time, days: 3 }), flooded),
    [...VIEWS.slice(1, 3), ...[TABLET, 961, 641].map((width): View => ({ width, scheme: "light" }))],
  ];
  yield ["new", await of(async () => {}, { host: "x".repeat(300), problems: HOSTILE }), VIEWS.slice(2)];
}

/** Counts more than ten million lines and hits, also for each name of the tables, and many bans. */
function flooded({ tables, totals }: Review): Partial<Review> {
  const rows = Object.entries(tables).map(([subject, rows]) => [
    subject,
    rows.map((row) => ({ ...row, hits: 12_345_678, made: row.made && 123_456 })),
  ]);
  return {
    tables: Object.fromEntries(rows),
    totals: { ...totals, lines: 123_456_789, hits: 88_888_888, made: 123_456 },
  };
}

/** Expression for the texts of cells and great numbers that do not fit their place. */
const OVERFLOWING =
  "[...document.querySelectorAll('td, dd')].filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)";

Deno.test({
  name: "the page of `report` asks for nothing, fits its window and has no accessibility errors in a browser",
  ignore: browser === null,
  async fn() {
    const file = await Deno.makeTempFile({ suffix: ".html" });
    try {
      await using page = await Browser.start(browser!);
      for await (const [name, text, views] of pages()) {
        await Deno.writeTextFile(file, text);
        for (const view of views) {
          const where = `${name}, ${view.width} px, ${view.scheme}`;
          await page.open(`file://${file}`, view);
          assert.deepEqual(
            page.requests().filter((url) => !url.startsWith("data:")),
            [`file://${file}`],
            where,
          );
          assert.deepEqual(page.complaints(), [], where);
          assert.equal(await page.evaluate("document.documentElement.scrollWidth"), view.width, where);
          assert.deepEqual(await page.evaluate("[...document.scripts].length"), 0, where);
          assert.deepEqual(await page.evaluate(OVERFLOWING), [], where);
          assert.deepEqual(await violationsIn(page), [], where);
        }
      }
    } finally {
      await Deno.remove(file);
    }
  },
});

async function violationsIn(page: Browser): Promise<string[]> {
  await page.evaluate(`${axe.source}; 0`);
  const violations = await page.evaluate<Violation[]>(
    "axe.run(document).then(({ violations }) => violations)",
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary}`)
  );
}
