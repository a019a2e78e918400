/**
 * `deno task test:faults`: troubles the running program at random instants, and compares its lines
 * and bans with an independent count.
 */
import { UserError } from "../../lib/core/error.ts";
import { readOptions, runProgram } from "../../tools/task.ts";
import { readCount } from "../support/count_option.ts";
import { canMount } from "../support/faults.ts";
import { hasJournald, Journald } from "../support/journald.ts";
import { postgresMissing, startPostgres, type TestPostgres } from "../support/postgres_server.ts";
import { Random } from "../support/random.ts";
import { Ledger, type Outcome } from "./ledger.ts";
import { Scene } from "./scene.ts";
import { pause, type Trouble, TROUBLES, type World } from "./troubles.ts";

const HELP = `Usage: deno task test:faults [options]

Writes lines for the running program in rounds, has one kind of trouble come and go in each, and compares lines and bans
with an independent count.

Options:
  --rounds <n>   rounds; each kind once, then any (default: each kind once)
  --lines <n>    lines of a round (default: 2000)
  --seed <n>     makes a run again, which prints its seed
  --only <text>  kinds of trouble whose names hold this text
  --help         print this

Exit codes: 0 all counts but bans told twice are 0; 1 one is not; 64 wrong usage;
69 this machine lacks what these kinds need
`;

const text = { type: "string" } as const;
const OPTIONS = { rounds: text, lines: text, seed: text, only: text, help: { type: "boolean" } } as const;

/** Most seconds in which the program must catch up after a round. */
const SETTLING = 60;
/** Milliseconds without a new line after which all read lines are stored. */
const QUIET = 3_000;
/** Start of the lines for journald. */
const OF_JOURNALD = "Invalid user u";
/**
 * Fields by which the program selects sshd's entries and journald's reports of dropped ones. In a
 * damaged file journalctl may find an entry by one field and not by all of these.
 */
const FIELDS = [
  ...["sshd", "sshd-session", "sshd-auth"].map((name) => `SYSLOG_IDENTIFIER=${name}`),
  "+",
  "_TRANSPORT=driver",
  "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e",
];
/** Number of lines written together, and milliseconds between two writes. */
const [GO, BETWEEN] = [50, 10];

/** Runs the rounds. Returns the outcomes by kind of trouble. */
async function run({ rounds, seed, lines, only }: Options): Promise<Map<string, Outcome>> {
  const random = new Random(seed);
  await using stack = new AsyncDisposableStack();
  const journald = hasJournald ? stack.use(await new Journald().ready()) : null;
  const missing = await postgresMissing();
  const postgres = missing === null ? stack.use(await startPostgres()) : null;
  const scene = stack.use(new Scene({ journal: journald?.directory, postgres }));
  const world: World = { scene, random, postgres, journald, caughtUp: () => settle(world) };
  for (
    const [name, isThere] of [["journald", journald], ["PostgreSQL", postgres], [
      "a disk to fill",
      canMount(),
    ]]
  ) {
    if (!isThere) console.log(`without ${name}: this machine has none`);
  }
  scene.start();
  await scene.ready();
  const results = new Map<string, Outcome>();
  const possible = TROUBLES.filter((trouble) =>
    trouble.name.includes(only) && (trouble.isPossible(world) || trouble.name.startsWith("journalctl"))
  );
  if (possible.length === 0) throw new UserError(`This machine lacks what "${only}" needs`, 69);
  let before = scene.ledger.compare([], []);
  for (let round = 0; round < rounds; round++) {
    // Each kind comes once, then random ones.
    const trouble = round < possible.length ? possible[round]! : random.pick(possible);
    if (!trouble.isPossible(world)) continue;
    console.error(`- round ${round + 1} of ${rounds}: ${trouble.name}`);
    await play(trouble, { ...world, lines });
    if (trouble.isOfJournald === true) await takeBackLost(world);
    await settle(world);
    const after = await compare(world);
    results.set(trouble.name, add(results.get(trouble.name), difference(after, before)));
    if (
      after.lost + after.doubled + after.missed + after.undue >
        before.lost + before.doubled + before.missed + before.undue
    ) {
      console.log(
        `round ${round + 1}, ${trouble.name}: ${JSON.stringify(difference(after, before))}\n${
          scene.said.slice(-2_000)
        }`,
      );
      await tellOfLost(world);
    }
    before = after;
  }
  return results;
}

interface Options {
  readonly rounds: number;
  readonly seed: number;
  /** Number of lines of a round. */
  readonly lines: number;
  /** Text in the names of the chosen troubles; empty: all. */
  readonly only: string;
}

/** Writes the lines of a round, with the trouble at a random place between them. */
async function play(
  trouble: Trouble,
  { lines, ...world }: World & { lines: number },
): Promise<void> {
  const { scene, random, journald } = world;
  const begin = random.below(lines >> 1), length = 100 + random.below(lines >> 1);
  let end: (() => void | Promise<void>) | void = undefined;
  let isUnderWay = false;
  for (let written = 0; written < lines; written += GO) {
    if (!isUnderWay && written >= begin) {
      isUnderWay = true;
      end = await trouble.strike(world) ?? undefined;
    }
    if (end && written >= begin + length) {
      await end();
      end = undefined;
    }
    const addresses = attackers(random);
    if (journald !== null && random.below(10) === 0) {
      await journald.log(
        addresses.map((address) =>
          scene.ledger.write(address, (n) => `${OF_JOURNALD}${n} from ${address} port 22`).trimEnd()
        ),
      );
    } else scene.refuse(...addresses);
    await pause(BETWEEN);
  }
  await end?.();
}

/** Prints the first lines that the state lacks, and whether journalctl finds those of journald. */
async function tellOfLost({ scene, journald }: World): Promise<void> {
  const found = new Set(await journald?.messages(...FIELDS));
  for (const line of scene.ledger.missing(scene.stored()).slice(0, 10)) {
    const isFound = found.has(line) ? "journalctl finds it" : "journalctl does not find it";
    console.log(`lost: ${line}${line.startsWith(OF_JOURNALD) ? ` (${isFound})` : ""}`);
  }
}

let used = 0;

/** Returns new addresses, shuffled: some with one refusal too many, most with fewer. */
function attackers(random: Random): string[] {
  const lines: string[] = [];
  while (lines.length < GO) {
    const address = `10.${used >> 16 & 255}.${used >> 8 & 255}.${used & 255}`;
    used++;
    const times = random.below(8) === 0 ? Ledger.LIMIT + 1 + random.below(3) : 1 + random.below(Ledger.LIMIT);
    for (let i = 0; i < times; i++) lines.splice(random.below(lines.length + 1), 0, address);
  }
  return lines;
}

/**
 * Removes the lines that journald lost from the ledger: journalctl does not find them by the
 * program's fields. A line that the program read before the loss counts once it is stored, which may
 * take a moment.
 */
async function takeBackLost({ scene, journald }: World): Promise<void> {
  const deadline = performance.now() + SETTLING * 1_000;
  for (let before = -1; before !== scene.stored().length && performance.now() < deadline;) {
    before = scene.stored().length;
    await pause(QUIET);
  }
  const there = new Set([...await journald!.messages(...FIELDS), ...scene.stored()]);
  let lost = 0;
  scene.ledger.takeBack((line) => {
    const isLost = line.startsWith(OF_JOURNALD) && !there.has(line);
    if (isLost) lost++;
    return isLost;
  });
  console.log(`journald lost ${lost} lines itself`);
}

/** Waits until all lines and bans are as expected, or the time is up. */
async function settle(world: World): Promise<void> {
  const deadline = performance.now() + SETTLING * 1_000;
  for (;;) {
    await pause(250);
    const { lost, missed } = await compare(world);
    if (lost + missed === 0 || performance.now() > deadline) return;
  }
}

/** Compares the lines of the state and of PostgreSQL, if any. Lost and doubled lines are faults. */
async function compare({ scene, postgres }: World): Promise<Outcome> {
  const own = scene.ledger.compare(scene.stored(), scene.told());
  if (postgres === null) return own;
  const messages = await shipped(postgres).catch(() => null);
  if (messages === null) return { ...own, lost: Math.max(1, own.lost) };
  const theirs = scene.ledger.compare(messages, scene.told());
  return { ...own, lost: Math.max(own.lost, theirs.lost), doubled: own.doubled + theirs.doubled };
}

async function shipped(postgres: TestPostgres): Promise<string[]> {
  const tables = await postgres.query<{ name: string }>(
    "SELECT name FROM unnest(ARRAY['log', 'kept']) AS name WHERE to_regclass(name) IS NOT NULL",
  );
  const all = tables.map(({ name }) => `SELECT message FROM ${name}`).join(" UNION ALL ");
  return all === "" ? [] : (await postgres.query<{ message: string }>(all)).map(({ message }) => message);
}

function difference(after: Outcome, before: Outcome): Outcome {
  return combine(after, before, (a, b) => a - b);
}

function add(one: Outcome | undefined, other: Outcome): Outcome {
  return one === undefined ? other : combine(one, other, (a, b) => a + b);
}

function combine(one: Outcome, other: Outcome, by: (a: number, b: number) => number): Outcome {
  const keys = Object.keys(one) as (keyof Outcome)[];
  return Object.fromEntries(keys.map((key) => [key, by(one[key], other[key])])) as unknown as Outcome;
}

const COLUMNS = ["lines", "lost", "doubled", "bans", "missed", "undue", "toldTwice"] as const;

function row(name: string, cells: readonly (string | number)[]): string {
  return name.padEnd(42) + cells.map((cell) => String(cell).padStart(12)).join("");
}

/** Runs the rounds of `args` and prints their counts by kind. Exits with 1 if one has a fault. */
async function main(args: readonly string[]): Promise<void> {
  const { help, only = "", ...given } = readOptions(args, { task: "test:faults", options: OPTIONS });
  if (help) return console.log(HELP);
  const rounds = readCount("rounds", given.rounds, TROUBLES.length);
  const lines = readCount("lines", given.lines, 2_000);
  if (!TROUBLES.some(({ name }) => name.includes(only))) {
    throw new UserError(
      `No kind of trouble holds "${only}": there are ${TROUBLES.map(({ name }) => name).join(", ")}`,
      64,
    );
  }
  const seed = readCount("seed", given.seed, 1 + Math.floor(Math.random() * 2 ** 31));
  console.log(`${rounds} rounds of ${lines} lines, --seed ${seed}`);
  const results = await run({ rounds, lines, seed, only });
  const total = [...results.values()].reduce(add);
  console.log(row("trouble", ["lines", "lost", "doubled", "bans", "missed", "undue", "told twice"]));
  for (const [name, outcome] of [...results, ["all", total] as const]) {
    console.log(row(name, COLUMNS.map((column) => outcome[column])));
  }
  Deno.exit(total.lost + total.doubled + total.missed + total.undue === 0 ? 0 : 1);
}

if (import.meta.main) await runProgram(main);
