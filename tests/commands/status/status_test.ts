import { strict as assert } from "node:assert";
import { tried } from "../../../lib/core/error.ts";
import { markMemory } from "../../../lib/core/state_files.ts";
import { localTime, now, SECOND } from "../../../lib/core/time.ts";
import { MANUAL, temporaryState } from "../../support/helpers.ts";
import type { MonitorReport } from "../../../lib/monitor/report.ts";
import { collectLines } from "../../../lib/commands/common/output.ts";
import { runsSoon, statusCommand } from "../../../lib/commands/status/status.ts";
import { SnapshotReader } from "../../../lib/commands/watch/snapshot.ts";
import { takeLock } from "../../../lib/state/lock.ts";
import { REPORT as FULL_REPORT } from "../../support/monitor_report.ts";
import { program } from "../../support/program.ts";

const STARTED = now();
/** The report of a monitor that works. */
const REPORT: MonitorReport = {
  ...FULL_REPORT,
  started: STARTED,
  loaded: STARTED,
  holding: null,
  leaks: [],
  modules: [{
    name: "SSHD",
    lastLine: 1,
    lastHit: 1,
    lines: 0,
    understood: 0,
    rules: [
      { name: "often", lastHit: 1_000_000, hits: 12 },
      { name: "once", lastHit: 2_000_000, hits: 1 },
      { name: "a", lastHit: null, hits: 0 },
      { name: "b", lastHit: null, hits: 0 },
    ],
  }],
  counts: { ...FULL_REPORT.counts, evicted: 0 },
  database: null,
  notify: null,
};
const [journal] = REPORT.sources;
const [sshd] = REPORT.modules;

/** Has a state's lock until the end of a scope, as a running monitor has it. */
function locked(directory: string): Disposable {
  const lock = takeLock(directory)!;
  return { [Symbol.dispose]: () => lock.release() };
}

/** What a monitor may report that does not work, with the sentence of `status`. */
const PROBLEMS: readonly (readonly [over: Partial<MonitorReport>, sentence: string])[] = [
  [
    { loaded: 1_000_000, refused: { time: 2_000_000, error: "Cannot load /c: no" } },
    `The configuration on disk was refused ${localTime(2_000_000)}, the one of ${
      localTime(1_000_000)
    } is in force: Cannot load /c: no`,
  ],
  [{ sources: [{ ...journal!, running: false }] }, "journal is not being read"],
  [
    { sources: [{ ...journal!, running: false, stopped: { time: 2_000_000, error: "disk gone" } }] },
    `journal is not being read since ${localTime(2_000_000)}, until a reload or restart: disk gone`,
  ],
  [{ sources: [{ ...journal!, problems: ["Cannot read /a: no"] }] }, "Cannot read /a: no"],
  [
    { modules: [{ ...sshd!, givenUp: 2_000_000 }] },
    `Module SSHD failed too often and is given up since ${localTime(2_000_000)}, until a reload or restart`,
  ],
  [
    { modules: [{ ...sshd!, lines: 40, understood: 1 }] },
    "Module SSHD understood only 1 of 40 lines in the last hour: has its log format changed?",
  ],
  [
    { holding: { time: 1, held: null, missing: 0, stray: [], error: "nft is missing" } },
    "Cannot tell whether bans hold: nft is missing",
  ],
  [
    { database: { connected: false, error: "no route", lastShipped: null, setAside: 0 } },
    "The monitor does not use the database: no route",
  ],
  [
    { notify: { program: "/n", told: 0, failed: 1, lastTold: null, error: "exit status 7: no host" } },
    "Cannot send notices by /n: exit status 7: no host",
  ],
  [
    { time: 2_000_000 },
    `the monitor has not reported since ${localTime(2_000_000)}: process 1 hangs, or its disk does`,
  ],
  [{ whitelistProblems: ["/friends does not exist"] }, "/friends does not exist"],
  [{ metricsError: "Cannot write the metrics to /a.prom: no" }, "Cannot write the metrics to /a.prom: no"],
];

Deno.test("`status` ends with 0 where all works, with 1 and a sentence where something fails, and with 69 without a monitor", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const status = (...words: string[]) => program(["status", "--state", directory, ...words]);
  state.setReport(JSON.stringify({ ...REPORT, failure: "Cannot read the journal: there is none" }));
  const stopped = await status();
  assert.equal(stopped.code, 69);
  assert.match(
    stopped.stdout,
    /^not running\nproblem {3}no monitor runs on this state: Cannot read the journal: there is none; `strongmonitor doctor` tells how to start it\n/,
  );
  using _lock = locked(directory);
  state.setReport(JSON.stringify(REPORT));
  const { code, stdout } = await status();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^running, pid 1, since .*: all works\n/);
  assert.match(stdout, /^module .*; hits since the start:$/m);
  assert.match(
    stdout,
    /^ +often {2}12, last 1970-01-01 00:00:01\n +once {4}1, last .*\n +no hit yet: a, b\n/m,
  );
  assert.match(stdout, /^lines .* hits\n {10}since the start$/m);
  assert.match(stdout, /^times +of UTC$/m);
  state.setReport(JSON.stringify({ ...REPORT, counts: { ...REPORT.counts, uncounted: 2 } }));
  assert.match((await status()).stdout, /^ {10}Hits of 2 lines not counted until trusted_proxies says/m);
  // A monitor that has just taken the lock is not the one whose report is there.
  state.setReport(JSON.stringify({ ...REPORT, running: false }));
  assert.match(
    (await status()).stdout,
    /^running: 1 problem\nproblem {3}the monitor has not reported yet\n/,
  );
  assert.equal(JSON.parse((await status("--json")).stdout).pid, null);
  const database = { connected: false, error: null, lastShipped: null, setAside: 0 };
  state.setReport(JSON.stringify({ ...REPORT, database }));
  assert.match((await status()).stdout, /: all works\n[^]*^database {2}connecting; 0 rows waiting/m);
  // Bans made since that look are in force, but not in its number.
  const holding = { time: 2_000_000, held: 0, missing: 1, stray: [], error: null };
  state.setReport(JSON.stringify({ ...REPORT, firewall: "nftables", holding }));
  assert.match(
    (await status()).stdout,
    /^firewall {2}nftables: 0 bans held at the last look, 1970-01-01 00:00:02; 1 was gone and being put back$/m,
  );
  state.setReport(JSON.stringify({ ...REPORT, started: 60 * SECOND, loaded: 3_600 * SECOND }));
  assert.match(
    (await status()).stdout,
    /^running, pid 1, since 1970-01-01 00:01:00[^]*^config {4}read anew 1970-01-01 01:00:00$[^]*^ {10}since the start$/m,
  );
  const file = { ...journal!, name: "file:/var/log/nginx/access.log", lastBatch: null, waiting: true };
  const nginx = { ...sshd!, name: "NGINX", lastLine: null, rules: [] };
  const sources = [{ ...journal!, modules: ["SSHD"] }, { ...file, modules: ["NGINX"] }];
  state.setReport(JSON.stringify({ ...REPORT, sources, modules: [sshd!, nginx] }));
  const awaiting = await status();
  assert.equal(awaiting.code, 0, awaiting.stdout);
  assert.match(
    awaiting.stdout,
    /^running, .*: all works, 1 log file awaited\nawaited {3}\/var\/log\/nginx\/access\.log: there is no such file yet\n/,
  );
  assert.match(awaiting.stdout, /^module {4}NGINX: no line yet; no file that it reads exists yet$/m);
  assert.match(awaiting.stdout, /^module {4}SSHD: last line 1970-01-01 00:00:00; hits since the start:$/m);
  for (const [over, sentence] of PROBLEMS) {
    state.setReport(JSON.stringify({ ...REPORT, ...over }));
    const result = await status("--json");
    assert.deepEqual([result.code, JSON.parse(result.stdout).problems], [1, [sentence]]);
  }
  markMemory(directory, true);
  const inMemory = await status();
  assert.equal(inMemory.code, 1);
  assert.match(
    inMemory.stdout,
    /^problem {3}The state cannot be written, so the monitor keeps it in memory/m,
  );
  markMemory(directory, false);
  const people = await status();
  assert.match(
    people.stdout,
    /^running, .*: 1 problem\nproblem {3}Cannot write the metrics to \/a\.prom: no\n/,
  );
});

Deno.test("`status` and `bans` tell apart which bans are decided, in force and waiting, and for how long", async () => {
  using temporary = temporaryState();
  const { bans, enforcement } = temporary.state;
  const start = now() - 90 * SECOND;
  const ban = (n: number, over = {}) => ({
    address: `192.0.2.${n}`,
    scope: "all" as const,
    provenance: MANUAL,
    reason: "a scan",
    count: 0,
    start,
    until: null,
    ...over,
  });
  bans.addAll([ban(1), ban(2), ban(3, { start: start + 30 * SECOND }), ban(4), ban(5)]);
  enforcement.applied([1], { firewall: "command", time: start });
  enforcement.applied([4], { firewall: "observe", time: start });
  enforcement.failed(2, { error: "no such set", time: start });
  bans.end("192.0.2.5", { reason: "unban", time: start });
  const told = async (command: string) =>
    (await program([command, "--state", temporary.directory, "--json"])).stdout;
  const { waiting_since, ...counts } = JSON.parse(await told("status")).bans;
  assert.deepEqual(counts, { all: 5, decided: 4, in_force: 1, waiting: 2, failing: 1 });
  assert.equal(Date.parse(waiting_since), Math.floor(start / 1_000));
  const listed = (await told("bans")).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(listed.map(({ in_force, waiting }) => [in_force, waiting]), [
    [true, false],
    [false, true],
    [false, false],
    [false, true],
  ]);
  for (const command of ["status", "bans"]) {
    const { stdout } = await program([command, "--state", temporary.directory]);
    assert.match(
      stdout,
      /4 bans: 1 in force, 2 waiting for the firewall for \d+m\S*, 1 would be banned \(observe\)/,
    );
  }
  // A boot has lost what the firewall had: nobody has waited for longer than the monitor runs.
  temporary.state.setReport(JSON.stringify({ ...REPORT, started: now() - 5 * SECOND }));
  for (const command of ["status", "bans"]) {
    const { stdout } = await program([command, "--state", temporary.directory]);
    assert.match(stdout, /2 waiting for the firewall for [1-5]?\ds,/);
  }
});

Deno.test("`runsSoon()` waits until a monitor has the lock and has reported, and no longer than it may", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  state.setReport(JSON.stringify({ ...REPORT, running: false }));
  assert.equal(await runsSoon(state, 0), false);
  const waiting = runsSoon(state, 600_000);
  const lock = takeLock(directory)!;
  try {
    assert.equal(await runsSoon(state, 0), false);
    state.setReport(JSON.stringify(REPORT));
    assert.equal(await waiting, true);
  } finally {
    lock.release();
  }
});

Deno.test("`status` reads the configuration once", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const config = `${directory}/config.jsonc`;
  Deno.writeTextFileSync(config, `{ "state": "${directory}", "modules": { "SSHD": {} } }`);
  state.setReport(JSON.stringify({ ...REPORT, config }));
  const read = Deno.readFileSync;
  const paths: string[] = [];
  try {
    Deno.readFileSync = (path) => {
      paths.push(String(path));
      return read(path);
    };
    await collectLines(() => statusCommand({ config }), 80);
  } finally {
    Deno.readFileSync = read;
  }
  assert.deepEqual(paths.filter((path) => path === config), [config]);
});

Deno.test("`watch` shows why the monitor could not start again, and does not look each second", () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  using _lock = locked(directory);
  state.setReport(JSON.stringify(REPORT));
  const reader = new SnapshotReader();
  let looks = 0;
  const unusable = () => `mistake ${++looks}`;
  const at = (seconds: number) =>
    reader.read(state, { period: "1h", order: "newest", unusable }, seconds * SECOND).problems.join();
  assert.match(at(100), /^The next start of the monitor would fail, .*: mistake 1$/);
  assert.match(at(101), /: mistake 1$/);
  assert.match(at(105), /: mistake 2$/);
});

Deno.test("`status` ends with 1 while the monitor could not start again by its configuration on disk", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  using _lock = locked(directory);
  const config = `${directory}/config.jsonc`;
  const modules = '"modules": { "SSHD": {} }';
  const good = `{ "state": "${directory}", ${modules} }`;
  const status = async (text: string | null, options: readonly string[] = []) => {
    if (text === null) tried(() => Deno.removeSync(config));
    else Deno.writeTextFileSync(config, text);
    const { code, stdout } = await program(["status", "--json", "--config", config, ...options]);
    return { code, problems: JSON.parse(stdout).problems };
  };
  state.setReport(JSON.stringify({ ...REPORT, config }));
  assert.deepEqual(await status(good), { code: 0, problems: [] });
  const cases: readonly (readonly [text: string | null, why: RegExp])[] = [
    [`{ "state": "${directory}", "modul": {} `, /Cannot load /],
    [`{ "state": "${directory}", "windw": 1, "modul": {}, ${modules} }`, /windw.* and 1 more mistake$/],
    // Found by reading the password, as a start reads it.
    [
      `{ "state": "${directory}", "DB": { "host": "db", "user": "u", "database": "d" }, ${modules} }`,
      /db_password\.secret does not exist; type the password/,
    ],
    [
      `{ "state": "${directory}", "whitelist_files": ["absent.txt"], ${modules} }`,
      /absent\.txt does not exist/,
    ],
    [null, /config\.jsonc does not exist/],
  ];
  for (const [text, why] of cases) {
    // A state is found without its configuration only by its name.
    const { code, problems } = await status(text, ["--state", directory]);
    assert.deepEqual([code, problems.length], [1, 1], String(text));
    const [problem] = problems;
    const start = `The next start of the monitor would fail, and the configuration of ${localTime(STARTED)} `;
    assert.ok(problem.startsWith(`${start}is in force until then: `), problem);
    assert.match(problem, why);
  }
  const report = await program(["report", "--json", "--config", config, "--state", directory]);
  const { problems } = await status(null, ["--state", directory]);
  assert.deepEqual(JSON.parse(report.stdout).problems, problems);
  // A refused reload has said so already, and another monitor's configuration is not this one's.
  const refused = { time: STARTED, error: "no" };
  state.setReport(JSON.stringify({ ...REPORT, config, refused }));
  assert.equal((await status("{", ["--state", directory])).problems.length, 1);
  state.setReport(JSON.stringify({ ...REPORT, config: "/elsewhere.jsonc" }));
  assert.deepEqual(await status("{", ["--state", directory]), { code: 0, problems: [] });
});
