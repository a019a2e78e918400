/** Draws docs/report.png and docs/report-dark.png: `report` of a made-up week, in Chromium. */
import { reviewOf } from "../../lib/commands/report/gather.ts";
import { reviewPage } from "../../lib/commands/report/page.ts";
import { DAY } from "../../lib/core/time.ts";
import { fillHistory } from "../support/history.ts";
import { Browser, findBrowser, type View } from "../support/browser.ts";
import { temporaryState } from "../support/helpers.ts";

/** A fixed time and zone, so that the same program makes the same pictures. */
const NOW = Date.parse("2026-11-28T17:42:00Z") * 1_000;
const DOCS = new URL("../../docs/", import.meta.url);
const PICTURES: readonly (View & { readonly file: string; readonly height: number })[] = [
  { file: "report.png", width: 1_120, scheme: "light", height: 1_180 },
  { file: "report-dark.png", width: 390, scheme: "dark", height: 1_180 },
];

Deno.env.set("TZ", "UTC");
const program = findBrowser();
if (program === null) throw new Error("Cannot make pictures: install chromium");
using temporary = temporaryState();
await fillHistory(temporary.state, { now: NOW });
const review = reviewOf(temporary.state, { since: NOW - 7 * DAY, now: NOW, host: "web1.example.org" });
const file = await Deno.makeTempFile({ suffix: ".html" });
// No monitor runs on a made-up state.
await Deno.writeTextFile(file, reviewPage({ ...review, problems: [] }));
await using browser = await Browser.start(program);
for (const { file: name, height, ...view } of PICTURES) {
  await browser.open(`file://${file}`, view);
  await Deno.writeFile(new URL(name, DOCS), await browser.screenshot({ height }));
}
await Deno.remove(file);
