/** Formats a review in lines of at most 80 columns for a terminal. */
// @ts-types="npm:@types/d3-array@^3.2.1"
import { sum } from "d3-array";
import { bounded } from "../../core/text.ts";
import { nameOf } from "../../deciding/ban.ts";
import { tableLines, WIDTH, wrap } from "../common/layout.ts";
import { tableTime, zoneText } from "../common/output.ts";
import { shownName, sourceText } from "../common/words.ts";
import type { Review } from "./review.ts";
import { bansTable, changesTable, type ReviewTable, slowTable, subjectTable } from "./tables.ts";
import {
  busiestText,
  changeText,
  countText,
  endText,
  heldText,
  limitsOf,
  LOGGED_IN,
  mostOf,
  NONE_LOGGED_IN,
  ORDER,
  provenanceText,
  unitText,
  WEEKDAYS,
} from "./words.ts";

/** Columns of a plot, and longest name in characters: any address fits. */
const [PLOT, NAME] = [56, 40];
const BARS = " ▁▂▃▄▅▆▇█";
const SHADES = "·░▒▓█";

/** Formats all lines, with printable names. */
export function reviewLines(review: Review): string[] {
  const { host, period, problems, changes } = review;
  const [from, to] = [tableTime(period.from), tableTime(period.to)];
  return [
    `StrongMonitor on ${bounded(host, NAME)}: ${from} to ${to}`,
    "",
    ...problems.length === 0
      ? ["All works."]
      : problems.flatMap((problem) => wrap(bounded(`Problem: ${problem}`, 400), WIDTH)),
    "",
    ...totalLines(review),
    ...section("Hits over time", plotLines(review)),
    ...section("Hits by weekday and hour, at most seven days", heatLines(review)),
    ...ORDER.map((subject) => subjectTable(review, subject)).filter(({ rows }) => rows.length > 0)
      .flatMap(tableSection),
    ...tableSection(bansTable(review)),
    ...section("Newest bans", newestLines(review)),
    ...tableSection(slowTable(review)),
    ...section(LOGGED_IN, loginLines(review)),
    ...changes === null ? [] : tableSection(changesTable(review)),
    ...section("Sources", sourceLines(review)),
    ...section("About the counts", limitsOf(review).flatMap((sentence) => wrap(sentence, WIDTH))),
    ...wrap(zoneText(), WIDTH),
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title.toUpperCase(), ...lines];
}

function totalLines({ totals, totalsBefore }: Review): string[] {
  const rows = ([
    ["Lines that name an address", "lines"],
    ["Hits: lines that hit a rule", "hits"],
    ["Bans that began", "made"],
    ["Bans that ended", "ended"],
  ] as const).map(([label, key]) => [
    label,
    countText(totals[key]),
    totalsBefore === null ? "-" : countText(totalsBefore[key]),
    changeText(totalsBefore && totalsBefore[key], totals[key]),
  ]);
  return tableLines(["", "NOW", "BEFORE", "CHANGE"], rows);
}

function plotLines({ series }: Review): string[] {
  const { modules, bars } = series;
  if (modules.length === 0) return ["No line hit a rule."];
  const size = Math.ceil(bars.length / PLOT);
  const rows = [
    ...modules.map((name, i) => ({ name: bounded(name, 16), values: bars.map(({ hits }) => hits[i]!) })),
    { name: "bans", values: bars.map(({ bans }) => bans) },
  ].map(({ name, values }) => ({ name, values: merged(values, size) }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  const [column, from] = [unitText(series, size), tableTime(bars[0]!.start)];
  return [
    ...wrap(`A column is ${column}, the first from ${from}; each row has its own scale.`, WIDTH),
    ...rows.map(({ name, values }) => {
      const most = Math.max(...values);
      const plot = values.map((value) => BARS[most === 0 ? 0 : Math.ceil(8 * value / most)]!).join("");
      return `${name.padEnd(width)}  ${plot}`.trimEnd();
    }),
  ];
}

/** Sums each `size` values. */
function merged(values: readonly number[], size: number): number[] {
  return Array.from(
    { length: Math.ceil(values.length / size) },
    (_, i) => sum(values.slice(i * size, (i + 1) * size)),
  );
}

function heatLines({ heat }: Review): string[] {
  const most = mostOf(heat);
  if (most === 0) return [];
  const shade = (hits: number | null) =>
    hits === null ? " " : SHADES[Math.ceil((SHADES.length - 1) * Math.sqrt(hits / most))]!;
  const hours = Array.from({ length: 8 }, (_, i) => String(3 * i).padStart(2, "0").padEnd(6)).join("");
  return [
    `     ${hours.trimEnd()}`,
    ...heat.map((day, i) => `${WEEKDAYS[i]}  ${day.map((hits) => shade(hits).repeat(2)).join("")}`.trimEnd()),
    busiestText(most),
  ];
}

function tableSection({ title, headings, rows, none, note }: ReviewTable): string[] {
  if (rows.length === 0) return section(title, [none]);
  const lines = tableLines(
    headings.map((heading) => heading.toUpperCase()),
    rows.map(({ name, tag, cells }) => {
      const beside = tag === null ? "" : ` (${tag})`;
      return [bounded(shownName(name), NAME) + beside, ...cells];
    }),
  );
  return section(title, [...lines, ...note === undefined ? [] : wrap(note, WIDTH)]);
}

function newestLines({ bansInForce: { newest }, now }: Review): string[] {
  if (newest.length === 0) return [];
  return tableLines(
    ["BAN", "ENDS", "FIREWALL", "REASON"],
    newest.map((ban) => [nameOf(ban), endText(ban, now), heldText(ban), bounded(ban.reason, WIDTH - 4)]),
  );
}

function loginLines({ loggedIn: { newest, count } }: Review): string[] {
  if (count === 0) return wrap(NONE_LOGGED_IN, WIDTH);
  const more = count - newest.length;
  return [
    ...tableLines(
      ["ADDRESS", "USER", "LOGIN", "BANNED", "BY"],
      newest.map(({ address, user, time, ban }) => [
        address,
        bounded(shownName(user), NAME),
        tableTime(time),
        tableTime(ban.start),
        provenanceText(ban.provenance),
      ]),
    ),
    ...more > 0 ? [`and ${countText(more)} more`] : [],
  ];
}

function sourceLines({ status: { report } }: Review): string[] {
  if (report === null) return ["No monitor has reported yet."];
  return tableLines(
    ["SOURCE", "STATE", "LAST BATCH"],
    report.sources.map((source) => [
      bounded(source.name, NAME),
      sourceText(source),
      source.lastBatch === null ? "never" : tableTime(source.lastBatch),
    ]),
  );
}
