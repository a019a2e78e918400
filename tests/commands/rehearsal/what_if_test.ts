import { strict as assert } from "node:assert";
import { openInput, readInput } from "../../../lib/commands/common/input.ts";
import { QUIET } from "../../../lib/commands/common/dry_run.ts";
import { NO_DECISION } from "../../../lib/deciding/decider.ts";
import { now } from "../../../lib/core/time.ts";
import { loadConfig } from "../../../lib/config/load.ts";
import { Pipeline } from "../../../lib/monitor/pipeline.ts";
import { modules } from "../../../modules/mod.ts";
import { type TemporaryState, temporaryState } from "../../support/helpers.ts";
import { BEGINNING, canMakeJournals, JournalDirectory, sshdEntry } from "../../support/journal_files.ts";
import { MAIN, program } from "../../support/program.ts";

const rule = (name: string, str: string, keys: object) => ({
  name,
  str,
  window: "10m",
  ban_time: "1h",
  ...keys,
});
const OLD = [
  rule("guess", "Invalid user", { limit: 3 }),
  rule("banner", "banner exchange", { limit: 1 }),
  rule("root", "Failed password for root", { limit: 3 }),
];
/** Bans sooner by `guess`, for longer by `root`, and not at all by `banner`. */
const NEW = [
  rule("guess", "Invalid user", { limit: 1 }),
  rule("root", "Failed password for root", { limit: 3, ban_time: "2h" }),
];

/** Messages with the seconds of a day that is long gone. */
const MESSAGES: readonly (readonly [second: number, message: string])[] = [
  // Two guesses, then a login: more.
  [0, "Invalid user admin from 203.0.113.1 port 1"],
  [1, "Invalid user admin from 203.0.113.1 port 2"],
  // Four guesses: earlier.
  ...[10, 11, 12, 13].map((s) => [s, `Invalid user a"\\b from 203.0.113.2 port ${s}`] as const),
  // Less.
  ...[20, 21].map((s) =>
    [s, `banner exchange: Connection from 203.0.113.3 port ${s}: invalid format`] as const
  ),
  // Longer.
  ...[30, 31, 32, 33].map((s) => [s, `Failed password for root from 203.0.113.4 port ${s} ssh2`] as const),
  [40, "Accepted password for alice from 203.0.113.1 port 4 ssh2"],
  // Whitelisted by command: known to the state alone.
  ...[50, 51, 52].map((s) => [s, `Invalid user x from 198.51.100.1 port ${s}`] as const),
];
const DAY = Date.UTC(2025, 4, 6);
const lineOf = ([second, message]: readonly [number, string]) =>
  `${new Date(DAY + second * 1_000).toISOString()} web sshd[77]: ${message}\n`;

/** Writes both configurations and the log, and records the log in the state. */
async function prepare({ directory, state }: TemporaryState, lines = MESSAGES.map(lineOf).join("")) {
  const write = (name: string, content: unknown) =>
    Deno.writeTextFileSync(`${directory}/${name}`, JSON.stringify(content));
  const configuration = (rules: unknown) => ({ state: directory, modules: { SSHD: { rules } } });
  write("old.jsonc", configuration(OLD));
  write("new.jsonc", configuration(NEW));
  write("more.jsonc", { modules: { ...configuration(NEW).modules, NGINX: {} } });
  Deno.writeTextFileSync(`${directory}/auth.log`, lines);
  state.addToWhitelist("command", { address: "198.51.100.1", note: "", until: null, since: now() });
  const config = loadConfig(`${directory}/old.jsonc`, { known: modules });
  const judge = {
    note(): void {},
    decide: () => NO_DECISION,
    takeLogins: () => ({ logins: [], opened: [], closed: [] }),
    reset(): void {},
  };
  const pipeline = new Pipeline(config.modules, { state: state.batches(["SSHD"]), judge, log: QUIET });
  const feed = { name: "auth.log", reader: pipeline.readers.of(config.modules) };
  for await (const batch of readInput(openInput(`${directory}/auth.log`, "test"))) {
    pipeline.process(batch, feed, now());
  }
}

const whatIf = (directory: string, ...args: readonly string[]) =>
  program(["what-if", "--against", `${directory}/old.jsonc`, "--config", `${directory}/new.jsonc`, ...args]);

// deno-lint-ignore no-explicit-any
function rowsOf(stdout: string): any[] {
  return stdout.trim().split("\n").map((line) => JSON.parse(line));
}

const time = (second: number) => new Date(DAY + second * 1_000).toISOString().replace("Z", "000Z");
const ban = (reason: string, second: number, { count = 4, hours = 1 } = {}) => ({
  start: time(second),
  reason: `[SSHD] ${reason}`,
  count,
  until: time(second + hours * 3_600),
  bans: 1,
  total: hours * 3_600,
});
const DIFFERENCES = [
  {
    address: "203.0.113.1",
    change: "more",
    before: null,
    after: ban("guess", 1, { count: 2 }),
    login: { user: "alice", time: time(40) },
  },
  {
    address: "203.0.113.3",
    change: "less",
    before: ban("banner", 21, { count: 2 }),
    after: null,
    login: null,
  },
  {
    address: "203.0.113.2",
    change: "earlier",
    before: ban("guess", 13),
    after: ban("guess", 11, { count: 2 }),
    login: null,
  },
  {
    address: "203.0.113.4",
    change: "longer",
    before: ban("root", 33),
    after: ban("root", 33, { hours: 2 }),
    login: null,
  },
];

Deno.test("`what-if` tells from the state's lines who would be banned more, less, earlier and longer", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  const { code, stdout, stderr } = await whatIf(directory, "--json");
  assert.equal(code, 0, stderr);
  const rows = rowsOf(stdout);
  const { summary } = rows.pop();
  assert.deepEqual(rows, DIFFERENCES);
  assert.deepEqual({ ...summary, seconds: 0 }, {
    lines: 16,
    before: { config: `${directory}/old.jsonc`, hits: 15, bans: 3, addresses: 3 },
    after: { config: `${directory}/new.jsonc`, hits: 13, bans: 3, addresses: 3 },
    changes: {
      more: { addresses: 1, logged_in: 1 },
      less: { addresses: 1, logged_in: 0 },
      earlier: { addresses: 1, logged_in: 0 },
      later: { addresses: 0, logged_in: 0 },
      longer: { addresses: 1, logged_in: 0 },
      shorter: { addresses: 0, logged_in: 0 },
    },
    unchanged: 0,
    seconds: 0,
  });
});

Deno.test("`what-if` tells the same from log files, where the state's whitelist is not known", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  const rows = rowsOf((await whatIf(directory, `${directory}/auth.log`, "--json")).stdout);
  const of = (change: string) => rows.filter((row) => row.change === change);
  assert.deepEqual(of("more").map(({ address }) => address), ["203.0.113.1", "198.51.100.1"]);
  for (const change of ["less", "earlier", "longer"]) {
    assert.deepEqual(of(change), DIFFERENCES.filter((difference) => difference.change === change));
  }
});

Deno.test("`what-if --since` counts the bans from a time on", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  for (const source of [[], [`${directory}/auth.log`]]) {
    const { stdout } = await whatIf(directory, ...source, "--since", time(25), "--json");
    const rows = rowsOf(stdout).filter(({ address }) => address?.startsWith("203."));
    assert.deepEqual(rows.map(({ address }) => address), ["203.0.113.4"]);
  }
});

Deno.test("`what-if` says the same to people", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  const { stdout } = await whatIf(directory);
  assert.match(stdout, /^1 address banned by the new configuration alone, 1 of which logged in later:$/m);
  assert.match(
    stdout,
    /^ {2}203\.0\.113\.1\n {4}after {4}2025-05-06 00:00:01 for 1h, \[SSHD\] guess with 2 hits\n {4}login {4}2025-05-06 00:00:40 as alice$/m,
  );
  assert.match(stdout, /^1 address no longer banned:$/m);
  assert.match(stdout, /^before: 3 bans of 3 addresses by \S+old\.jsonc$/m);
  assert.match(stdout, /^16 lines, 0 addresses banned alike, [\d.]+ s\nTimes are of \S+\.\n$/m);
});

Deno.test("`what-if` shortens and escapes a login's name that fits no line", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const name = `\u202e${"a".repeat(8_000)}`;
  const messages = [0, 1].map((s) => [s, `Invalid user x from 203.0.113.1 port ${s}`] as const);
  const login = [9, `Accepted password for ${name} from 203.0.113.1 port 9 ssh2`] as const;
  await prepare(temporary, [...messages, login].map(lineOf).join(""));
  const { stdout } = await whatIf(directory);
  assert.match(stdout, /^ {4}login {4}2025-05-06 00:00:09 as \\u\{202e\}a{31}…$/m);
});

Deno.test("`what-if` lists 20 differences of a kind, and all by --all", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const guesses = Array.from(
    { length: 50 },
    (_, i) => lineOf([i, `Invalid user a from 203.0.113.${100 + i % 25} port 1`]),
  );
  await prepare(temporary, guesses.join(""));
  const { stdout } = await whatIf(directory);
  assert.equal(stdout.match(/^ {2}203\./gm)?.length, 20);
  assert.match(stdout, /^ {2}… and 5 more, which --all lists$/m);
  const { stdout: all } = await whatIf(directory, "--all");
  assert.equal(all.match(/^ {2}203\./gm)?.length, 25);
  assert.doesNotMatch(all, /--all/);
});

Deno.test("`what-if` warns of a module that the state has no lines of", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  const { code, stderr } = await whatIf(directory, "--config", `${directory}/more.jsonc`);
  assert.equal(code, 0);
  assert.match(stderr, /The state has no lines of the module NGINX, which is new/);
});

Deno.test({
  name: "`what-if --journal` reads the journal's entries of both configurations",
  ignore: !canMakeJournals,
  async fn() {
    using temporary = temporaryState();
    using journal = new JournalDirectory();
    const { directory } = temporary;
    await prepare(temporary);
    await journal.write("a", MESSAGES.map(([second, message]) => sshdEntry(second * 1_000, message)));
    const journalctl = `#!/bin/sh\nexec /usr/bin/journalctl --directory=${journal.path} "$@"\n`;
    Deno.writeTextFileSync(`${directory}/journalctl`, journalctl, { mode: 0o755 });
    const since = new Date(BEGINNING / 1_000).toISOString();
    const names = ["--against", `${directory}/old.jsonc`, "--config", `${directory}/new.jsonc`];
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", MAIN, "what-if", ...names, "--journal", "--since", since, "--json"],
      env: { PATH: `${directory}:${Deno.env.get("PATH")}` },
      stdin: "null",
    }).output();
    const rows = rowsOf(new TextDecoder().decode(stdout));
    assert.deepEqual(
      rows.slice(0, -1).map(({ change, address }) => `${change} ${address}`),
      [
        "more 203.0.113.1",
        "more 198.51.100.1",
        "less 203.0.113.3",
        "earlier 203.0.113.2",
        "longer 203.0.113.4",
      ],
    );
    assert.equal(rows.at(-1).summary.lines, MESSAGES.length);
  },
});

const REFUSALS: readonly (readonly [args: string[], code: number, stderr: RegExp])[] = [
  [
    ["--config", "old.jsonc"],
    64,
    /Cannot compare \S+old\.jsonc with itself: name the new configuration by --config/,
  ],
  [["--config", "none.jsonc"], 66, /none\.jsonc/],
  [["--journal", "auth.log"], 64, /Cannot read files and the journal at once/],
  [
    ["--config", "-", "-"],
    64,
    /Cannot read the configuration and a log both from standard input: name a file/,
  ],
  [["--since", "the day before"], 64, /Cannot read the time "the day before"/],
  [["--since", "1s"], 69, /Cannot compare: the history has no lines/],
  [["--state", "none"], 69, /Cannot open the state \S+none: the monitor has not run yet/],
  [["none.log"], 69, /Cannot read \S+none\.log: there is no such file/],
];

Deno.test("`what-if` refuses what it cannot do in one sentence", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  await prepare(temporary);
  for (const [args, code, stderr] of REFUSALS) {
    const paths = args.map((arg) => /jsonc$|log$|^none$/.test(arg) ? `${directory}/${arg}` : arg);
    const result = await whatIf(directory, ...paths);
    assert.equal(result.code, code, `${args}: ${result.stderr}`);
    assert.match(result.stderr, stderr);
    assert.equal(result.stderr.trim().split("\n").length, 1, result.stderr);
    assert.equal(result.stdout, "");
  }
});
