/** `deno task bench`: measures the compiled program, what others do with the same files, and the machine's limits. */
import { parseArgs } from "node:util";
import { type Figures, judge, medians, rounded, type Verdict } from "./figures.ts";
import { svg } from "./plot.ts";
import type { Row } from "./row.ts";
import { BAN_ROWS } from "./rows_bans.ts";
import { LIVE_ROWS } from "./rows_live.ts";
import { REPLAY_ROWS } from "./rows_replay.ts";
import { STATE_ROWS } from "./rows_state.ts";
import { isInstalled, Workshop } from "./workshop.ts";

const ROWS: readonly Row[] = [...REPLAY_ROWS, ...LIVE_ROWS, ...BAN_ROWS, ...STATE_ROWS];
const DOCUMENT = new URL("../../docs/performance.md", import.meta.url);
const PLOTS = new URL("../../docs/performance/", import.meta.url);
const [BEGIN, END] = ["<!-- results -->", "<!-- end of results -->"];

const HELP = `Usage: deno task bench [options]

Measures the compiled program against others and against the machine's limits, all on the same files in the same run.

Options:
  --lines <n>        lines of each log (default: 1000000)
  --rounds <n>       how often each side is measured, in turn (default: 5)
  --only <row>       this row alone; may be given several times: ${ROWS.map(({ name }) => name).join(", ")}
  --directory <dir>  where to work (default: /var/tmp/strongmonitor-bench)
  --json             results for machines
  --plots            measure how cost grows as well, and draw it into docs/performance/
  --write            put the table into docs/performance.md
  --help             print this

Exit codes: 0 measured, whatever the results; 1 a side does not find what it should; 64 wrong usage
`;

interface Result {
  readonly row: Row;
  /** Why nothing was measured; null: it was. */
  readonly skipped: string | null;
  readonly rounds: readonly Figures[];
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const OPTIONS = {
  lines: text,
  rounds: text,
  only: { type: "string", multiple: true },
  directory: text,
  json: flag,
  plots: flag,
  write: flag,
  help: flag,
} as const;

function options() {
  try {
    return parseArgs({ args: Deno.args, options: OPTIONS }).values;
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: see deno task bench --help`, 64);
  }
}

function fail(words: string, code: number): never {
  console.error(words);
  Deno.exit(code);
}

function count(name: string, given: string | undefined, standard: number): number {
  const number = Number(given ?? standard);
  return Number.isInteger(number) && number > 0
    ? number
    : fail(`--${name} must be a number from 1, got ${given}`, 64);
}

/** What is under way goes to standard error, so that the table alone can be kept. */
function say(words: string): void {
  console.error(`- ${words}`);
}

/** What a row needs that is not here. */
function lackingFor({ needs }: Row): string[] {
  return needs.filter((need) => need === "root" ? Deno.uid() !== 0 : !isInstalled(need));
}

async function measure(rows: readonly Row[], { workshop, rounds }: { workshop: Workshop; rounds: number }) {
  const results: { row: Row; skipped: string | null; rounds: Figures[] }[] = [];
  for (const row of rows) {
    const lacking = lackingFor(row);
    results.push({ row, skipped: lacking.length > 0 ? `without ${lacking.join(", ")}` : null, rounds: [] });
  }
  const ready = results.filter(({ skipped }) => skipped === null);
  for (const { row } of ready) {
    say(`checking that all sides find what they should: ${row.name}`);
    await row.prepare(workshop);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const result of ready) {
      say(`round ${round} of ${rounds}: ${result.row.name}`);
      result.rounds.push(await result.row.round(workshop));
    }
  }
  return results;
}

function verdicts({ row, rounds }: Result): Verdict[] {
  return row.targets.flatMap((target) => judge(target, rounds) ?? []);
}

function table(results: readonly Result[]): string {
  const lines = ["| what | measured | target | here | |", "| --- | --- | --- | ---: | --- |"];
  for (const result of results) {
    const { row, skipped, rounds } = result;
    if (skipped !== null) {
      lines.push(`| ${row.title} | skipped ${skipped} | | | |`);
      continue;
    }
    const figures = Object.entries(medians(rounds)).map(([name, value]) => `${name} ${rounded(value)}`).join(
      "<br>",
    );
    if (verdicts(result).length === 0) lines.push(`| ${row.title} | ${figures} | | too little to tell | |`);
    verdicts(result).forEach(({ target, value, unit, isMet }, i) =>
      lines.push(
        `| ${i === 0 ? row.title : ""} | ${i === 0 ? figures : ""} | ${target} | ${rounded(value)}${unit} | ${
          isMet ? "met" : "**not met**"
        } |`,
      )
    );
  }
  return lines.join("\n");
}

function json(results: readonly Result[]): string {
  return JSON.stringify(
    {
      deno: Deno.version.deno,
      cores: navigator.hardwareConcurrency,
      rows: results.map((result) => ({
        name: result.row.name,
        title: result.row.title,
        skipped: result.skipped,
        medians: medians(result.rounds),
        targets: verdicts(result).map(({ target, value, isMet }) => ({ target, value, met: isMet })),
        rounds: result.rounds,
      })),
    },
    null,
    2,
  );
}

async function drawPlots(rows: readonly Row[], workshop: Workshop): Promise<void> {
  await Deno.mkdir(PLOTS, { recursive: true });
  for (const row of rows) {
    if (!row.plot || lackingFor(row).length > 0) continue;
    say(`how cost grows: ${row.name}`);
    await Deno.writeTextFile(new URL(`${row.name}.svg`, PLOTS), svg(await row.plot(workshop)));
  }
}

async function writeTable(results: readonly Result[], about: string): Promise<void> {
  const document = await Deno.readTextFile(DOCUMENT);
  const [head, rest] = document.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (tail === undefined) throw new Error(`Cannot write the table: ${DOCUMENT.pathname} lacks its marks`);
  await Deno.writeTextFile(DOCUMENT, `${head}${BEGIN}\n\n${about}\n\n${table(results)}\n\n${END}${tail}`);
}

async function main(): Promise<void> {
  const { lines, rounds, only, directory = "/var/tmp/strongmonitor-bench", ...flags } = options();
  if (flags.help) return console.log(HELP);
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) fail(`There is no row ${unknown}: see deno task bench --help`, 64);
  const rows = ROWS.filter(({ name }) => only?.includes(name) ?? true);
  const size = { lines: count("lines", lines, 1_000_000), rounds: count("rounds", rounds, 5) };
  const workshop = new Workshop(directory, { lines: size.lines, say });
  await workshop.build();
  const results = await measure(rows, { workshop, rounds: size.rounds });
  const about =
    `${size.lines.toLocaleString("en")} lines, medians of ${size.rounds} round${
      size.rounds === 1 ? "" : "s"
    }, ` +
    `${navigator.hardwareConcurrency} cores, ${
      new Date().toISOString().slice(0, 10)
    }; times in milliseconds unless named otherwise.`;
  console.log(flags.json ? json(results) : `${about}\n\n${table(results)}`);
  if (flags.plots) await drawPlots(rows, workshop);
  if (flags.write) await writeTable(results, about);
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    fail(error instanceof Error ? error.message : String(error), 1);
  }
}
