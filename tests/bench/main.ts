/** `deno task bench`: measures the compiled program, others on the same files, and the machine's limits. */
import { UserError } from "../../lib/core/error.ts";
import { readOptions, runProgram } from "../../tools/task.ts";
import { readCount } from "../support/count_option.ts";
import { type Figures, judge, medians, rounded, type Verdict } from "./figures.ts";
import { svg } from "./plot.ts";
import { type PeerFailure, Peers } from "./peers.ts";
import type { Row } from "./row.ts";
import { BAN_ROWS } from "./rows_bans.ts";
import { COST_ROWS } from "./rows_cost.ts";
import { LIVE_ROWS } from "./rows_live.ts";
import { REPLAY_ROWS } from "./rows_replay.ts";
import { STATE_ROWS } from "./rows_state.ts";
import { isInstalled, Workshop } from "./workshop.ts";

const ROWS: readonly Row[] = [...REPLAY_ROWS, ...COST_ROWS, ...LIVE_ROWS, ...BAN_ROWS, ...STATE_ROWS];
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

Another program that fails or hangs costs its own figure: it is named, and left out from then on.

Exit codes: 0 measured, whatever the results; 1 our side fails or does not find what it should; 64 wrong usage
`;

/** A row and its result. */
interface Result {
  readonly row: Row;
  /** Why the row was not measured; null: it was. */
  readonly skipped: string | null;
  readonly peers: Peers;
  readonly rounds: Figures[];
  /** Failure of our side, which ends the row; null: none. */
  failure: string | null;
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

/** Prints progress to standard error, so that standard output has the table alone. */
function say(words: string): void {
  console.error(`- ${words}`);
}

/** Returns the needs of a row that this machine lacks. */
function lackingFor({ needs }: Row): string[] {
  return needs.filter((need) => need === "root" ? Deno.uid() !== 0 : !isInstalled(need));
}

async function measure(
  rows: readonly Row[],
  { workshop, rounds }: { workshop: Workshop; rounds: number },
): Promise<Result[]> {
  const results = rows.map((row): Result => {
    const lacking = lackingFor(row);
    const skipped = lacking.length > 0 ? `without ${lacking.join(", ")}` : null;
    return {
      row,
      skipped,
      peers: new Peers((words) => say(`${row.name}: ${words}`)),
      rounds: [],
      failure: null,
    };
  });
  const ready = results.filter(({ skipped }) => skipped === null);
  for (const result of ready) {
    say(`checking that all sides find what they should: ${result.row.name}`);
    await onOurSide(result, () => result.row.prepare(workshop, result.peers));
  }
  for (let round = 1; round <= rounds; round++) {
    for (const result of ready) {
      if (result.failure !== null) continue;
      say(`round ${round} of ${rounds}: ${result.row.name}`);
      await onOurSide(result, async () => {
        result.rounds.push(await result.row.round(workshop, result.peers));
      });
    }
  }
  return results;
}

/** Does a part of a row. A failure of our side is reported and ends this row alone. */
async function onOurSide(result: Result, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    result.failure = error instanceof Error ? error.message : String(error);
    say(`${result.row.name} failed: ${result.failure}`);
  }
}

function verdicts({ row, rounds }: Result): Verdict[] {
  return row.targets.flatMap((target) => judge(target, rounds) ?? []);
}

function table(results: readonly Result[]): string {
  return [
    "| what | measured | target | here | |",
    "| --- | --- | --- | ---: | --- |",
    ...results.flatMap(tableRows),
  ]
    .join("\n");
}

/** Returns the table's rows for one result, one for each target. */
function tableRows(result: Result): string[] {
  const { row, skipped, failure } = result;
  if (skipped !== null) return [`| ${row.title} | skipped ${skipped} | | | |`];
  if (failure !== null) return [`| ${row.title} | **failed**: ${cell(failure)} | | | |`];
  const all = verdicts(result);
  if (all.length === 0) return [`| ${row.title} | ${measured(result)} | | too little to tell | |`];
  return all.map(({ target, value, unit, isMet }, i) => {
    const [title, figures] = i === 0 ? [row.title, measured(result)] : ["", ""];
    const verdict = isMet ? "met" : "**not met**";
    return `| ${title} | ${figures} | ${target} | ${rounded(value)}${unit} | ${verdict} |`;
  });
}

/** Returns the medians of a result, and the failed peers. */
function measured({ rounds, peers }: Result): string {
  const figures = Object.entries(medians(rounds)).map(([name, value]) => `${name} ${rounded(value)}`);
  const failures = peers.failures.map(({ peer, cause }: PeerFailure) => `${peer} failed: ${cell(cause)}`);
  return [...figures, ...failures].join("<br>");
}

/** Escapes a text for a cell of a table. */
function cell(words: string): string {
  return words.replace(/\s+/g, " ").replaceAll("|", "\\|");
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
        failure: result.failure,
        failed_peers: result.peers.failures,
        medians: medians(result.rounds),
        targets: verdicts(result).map(({ target, value, isMet }) => ({ target, value, met: isMet })),
        rounds: result.rounds,
      })),
    },
    null,
    2,
  );
}

async function drawPlots(results: readonly Result[], workshop: Workshop): Promise<void> {
  await Deno.mkdir(PLOTS, { recursive: true });
  for (const result of results) {
    const { row, skipped, failure, peers } = result;
    if (!row.plot || skipped !== null || failure !== null) continue;
    say(`how cost grows: ${row.name}`);
    await onOurSide(result, async () => {
      const plot = await row.plot!(workshop, peers);
      await Deno.writeTextFile(new URL(`${row.name}.svg`, PLOTS), svg(plot));
    });
  }
}

async function writeTable(results: readonly Result[], about: string): Promise<void> {
  const document = await Deno.readTextFile(DOCUMENT);
  const [head, rest] = document.split(BEGIN);
  const tail = rest?.split(END)[1];
  if (tail === undefined) throw new Error(`Cannot write the table: ${DOCUMENT.pathname} lacks its marks`);
  await Deno.writeTextFile(DOCUMENT, `${head}${BEGIN}\n\n${about}\n\n${table(results)}\n\n${END}${tail}`);
}

async function bench(args: readonly string[]): Promise<void> {
  const { lines, rounds, only, directory = "/var/tmp/strongmonitor-bench", ...flags } = readOptions(args, {
    task: "bench",
    options: OPTIONS,
  });
  if (flags.help) return console.log(HELP);
  const unknown = only?.find((name) => !ROWS.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new UserError(`There is no row ${unknown}: see deno task bench --help`, 64);
  }
  const rows = ROWS.filter(({ name }) => only?.includes(name) ?? true);
  const size = { lines: readCount("lines", lines, 1_000_000), rounds: readCount("rounds", rounds, 5) };
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
  if (flags.plots) await drawPlots(results, workshop);
  const failed = results.filter(({ failure }) => failure !== null).map(({ row }) => row.name);
  if (failed.length > 0) throw new UserError(`Our side failed in ${failed.join(", ")}`, 1);
  if (flags.write) await writeTable(results, about);
}

if (import.meta.main) await runProgram(bench);
