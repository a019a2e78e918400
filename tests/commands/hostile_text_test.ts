/** Text that others wrote, in the state, in files and in arguments: no command lets it steer a terminal. */
import { strict as assert } from "node:assert";
import { now } from "../../lib/core/time.ts";
import type { MonitorReport } from "../../lib/monitor/report.ts";
import { eventOf, lineOf } from "../support/events.ts";
import { type TemporaryState, temporaryState } from "../support/helpers.ts";
import { program } from "../support/program.ts";

/** An escape sequence, a line of its own, a right-to-left override, a zero-width space, a separator of lines, C1, a tag and HTML. */
const HOSTILE = "\x1b[2J\r\nFAKE line\u202egpj\u200b\u2028\x9b31m\u{e0041}\x7f<img src=x>";
/** A name as long as a line can be. */
const LONG = `${HOSTILE}${"x".repeat(8_192)}`;
const STEERING = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

const REPORT: MonitorReport = {
  pid: 1,
  running: true,
  failure: HOSTILE,
  started: 1,
  loaded: 1,
  config: HOSTILE,
  moduleFirewalls: [],
  firewall: HOSTILE,
  holding: { time: 1, held: 1, missing: 0, stray: [HOSTILE], error: null },
  leaks: [{ address: HOSTILE, scope: "all", since: 1, modules: [HOSTILE], lines: 3, lastLine: 1 }],
  trialEnd: null,
  sources: [
    {
      name: HOSTILE,
      modules: [HOSTILE],
      running: true,
      lastBatch: 1,
      stopped: { time: 1, error: HOSTILE },
      delivery: HOSTILE,
      problems: [HOSTILE],
      waiting: false,
    },
  ],
  modules: [{
    name: HOSTILE,
    lastLine: 1,
    lastHit: null,
    lines: 90,
    understood: 1,
    givenUp: 1,
    rules: [{ name: HOSTILE, lastHit: 1, hits: 1 }],
  }],
  counts: {
    entries: 1,
    unknown: 1,
    events: 1,
    recorded: 1,
    hits: 1,
    bans: 1,
    damaged: 1,
    suppressed: 1,
    untrusted: 1,
    uncounted: 1,
    ahead: 1,
    evicted: 1,
  },
  tracked: 1,
  notify: null,
  metricsError: HOSTILE,
  whitelistProblems: [HOSTILE],
  database: { connected: false, error: HOSTILE, lastShipped: null, setAside: 1 },
};

function fill({ state, directory }: TemporaryState): void {
  const ban = (n: number) => ({
    address: `192.0.2.${n}`,
    scope: "all" as const,
    provenance: { kind: "rule" as const, name: HOSTILE },
    reason: HOSTILE,
    count: 6,
    start: now(),
    until: null,
  });
  state.bans.addAll([1, 2, 3, 4].map(ban));
  state.enforcement.trying([1, 2], HOSTILE);
  state.enforcement.applied([4], { firewall: HOSTILE, time: now() });
  for (const id of [1, 2]) state.enforcement.failed(id, { error: HOSTILE, time: now() });
  state.bans.end("192.0.2.2", { reason: HOSTILE, time: now() });
  state.enforcement.failed(2, { error: HOSTILE, time: now() });
  state.addToWhitelist("command", { address: "198.51.100.1", note: HOSTILE, until: null, since: now() });
  state.addToWhitelist("database", { address: "198.51.100.2", note: HOSTILE, until: null, since: now() });
  const batches = state.batches(["SSHD"]);
  const hostile = {
    address: "192.0.2.1",
    time: now(),
    message: `Invalid user ${LONG}`,
    fields: { user: LONG },
  };
  batches.lines.add(lineOf({ ...hostile, module: 0 }));
  batches.rollups.add(eventOf(hostile, ["message", "user"]), true);
  batches.rollups.addHits([{ module: HOSTILE, rule: HOSTILE, time: now(), count: 1 }]);
  batches.write({
    source: `file:/${HOSTILE}`,
    position: "1",
    notes: { groups: [], forgotten: null, rows: [] },
    logins: {
      logins: [{ address: "192.0.2.1", method: HOSTILE, user: HOSTILE, time: now() }],
      opened: [],
      closed: [],
    },
    bans: [],
    knocks: [],
  });
  state.setReport(JSON.stringify(REPORT));
  const line = `May  6 00:00:00 web sshd[77]: Invalid user ${
    HOSTILE.replaceAll(/[\r\n]/g, "")
  } from 203.0.113.5 port 33100\n`;
  const login = line.replace("00:00:00", "00:00:01").replace("Invalid user", "Accepted password for")
    .replace(/$/m, " ssh2");
  Deno.writeTextFileSync(`${directory}/lines`, `${line.repeat(3)}${login}${HOSTILE}\n`);
  Deno.writeTextFileSync(
    `${directory}/list`,
    `${HOSTILE}\n192.0.2.9 # ${HOSTILE}\n{"address":"${HOSTILE}"}\n`,
  );
  Deno.writeTextFileSync(`${directory}/friends`, `${HOSTILE} x\n198.51.100.9 # ${HOSTILE}\n`);
  const rules = [{
    name: "a",
    str: "Invalid user",
    limit: 1,
    tests: { match: HOSTILE, no_match: line.trim() },
  }];
  const keys = { state: directory, modules: { SSHD: { rules } }, ban_command: ["/no/such", HOSTILE, "%s"] };
  const friends = { whitelist_files: "friends", whitelist: [{ address: "198.51.100.3", note: HOSTILE }] };
  Deno.writeTextFileSync(`${directory}/config.jsonc`, JSON.stringify({ ...keys, ...friends }));
  const patient = { SSHD: { rules: [{ ...rules[0], limit: 3 }] } };
  Deno.writeTextFileSync(
    `${directory}/patient.jsonc`,
    JSON.stringify({ state: directory, modules: patient }),
  );
  Deno.writeTextFileSync(
    `${directory}/wrong.jsonc`,
    JSON.stringify({ ...keys, [HOSTILE]: 1, firewall: HOSTILE }),
  );
  Deno.writeTextFileSync(`${directory}/broken.jsonc`, `{ "state": ${HOSTILE}`);
}

/** Commands whose words are arguments; those that read the state alone are tried with and without `--json`. */
function commandsIn(directory: string): readonly (readonly string[])[] {
  const file = (name: string) => `${directory}/${name}`;
  return [
    ...[
      "status",
      "top",
      "report",
      "why 192.0.2.1",
      "why 192.0.2.2",
      "why 198.51.100.0/24",
      "bans",
      "bans --all",
      "bans --export json",
      "whitelist list",
      "check",
    ].flatMap((words) =>
      words.includes("--export") ? [words.split(" ")] : [words.split(" "), [...words.split(" "), "--json"]]
    ),
    ...[[], ["--json"]].flatMap((json) => [
      ["match", "--module", "SSHD", file("lines"), ...json],
      ["replay", file("lines"), ...json],
      ["what-if", "--against", file("patient.jsonc"), file("lines"), ...json],
      ["bans", "--import", file("list"), "--reason", HOSTILE, ...json],
    ]),
    ["report", "--html", "-"],
    ["ban", "192.0.2.1", "--reason", HOSTILE],
    ["ban", "192.0.2.7", "--reason", HOSTILE, "--json"],
    ["ban", "198.51.100.1"],
    ["ban", HOSTILE],
    ["why", HOSTILE],
    ["top", "--since", HOSTILE],
    ["top", "--by", HOSTILE],
    ["ban", "192.0.2.8", "--for", HOSTILE],
    ["unban", "192.0.2.1"],
    ["unban", "192.0.2.2"],
    ["unban", "192.0.2.3", "--json"],
    ["whitelist", "add", "198.51.100.7", "--note", HOSTILE, "--json"],
    ["whitelist", "add", "198.51.100.7", "--until", HOSTILE],
    ["whitelist", "remove", HOSTILE],
    ["knock", "new", HOSTILE],
    ["knock", "remove", HOSTILE],
    ["match", "--module", HOSTILE, file("lines")],
    ["replay", file(HOSTILE)],
    ["replay", "--since", HOSTILE],
    ["what-if", "--against", file(HOSTILE)],
    ["what-if", "--against", file("patient.jsonc"), "--since", HOSTILE],
    ["what-if", "--against", file("patient.jsonc"), file(HOSTILE)],
    ["run", "--trial", HOSTILE],
    [HOSTILE],
    ["status", `--${HOSTILE}`],
    ["check", "--config", file("wrong.jsonc")],
    ["check", "--config", file("broken.jsonc")],
    ["run", "--config", file("wrong.jsonc")],
    ["bans", "--state", file(HOSTILE)],
  ];
}

Deno.test("no command prints a control or format character that others wrote", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const { directory } = temporary;
  const said = new Set<string>();
  for (const words of commandsIn(directory)) {
    const config = words.includes("--config") ? [] : ["--config", `${directory}/config.jsonc`];
    const { stdout, stderr } = await program([...words, ...config]);
    const told = JSON.stringify(words);
    for (const text of [stdout, stderr]) {
      assert.doesNotMatch(text, STEERING, `${told} prints ${JSON.stringify(text)}`);
      assert.doesNotMatch(text, /^(?:strongmonitor: )?FAKE/m, `${told} prints a line of somebody else's`);
    }
    assert.notEqual(stdout + stderr, "", told);
    if (words.includes("--html")) assert.doesNotMatch(stdout, /<img src/);
    if ((stdout + stderr).includes("FAKE")) said.add(words[0]!);
  }
  const talkative = [
    "what-if",
    "status",
    "why",
    "top",
    "report",
    "bans",
    "ban",
    "unban",
    "match",
    "check",
    "whitelist",
  ];
  for (const command of talkative) assert.ok(said.has(command), `${command} met with the hostile text`);
});

Deno.test("no file writes to standard output or standard error that does not make text printable", () => {
  const root = new URL("../../", import.meta.url).pathname;
  const files = (directory: string): string[] =>
    [...Deno.readDirSync(root + directory)].flatMap(({ name, isDirectory }) =>
      isDirectory ? files(`${directory}/${name}`) : name.endsWith(".ts") ? [`${directory}/${name}`] : []
    );
  const writing = [...files("lib"), ...files("modules"), "main.ts"].filter((file) =>
    /console\.|Deno\.std(?:out|err)\.write/.test(Deno.readTextFileSync(root + file))
  );
  // The bar of progress.ts holds numbers alone; terminal.ts sanitizes all its text.
  assert.deepEqual(writing.sort(), [
    "lib/commands/common/output.ts",
    "lib/commands/common/progress.ts",
    "lib/commands/watch/terminal.ts",
    "lib/core/log.ts",
  ]);
});

Deno.test("a reason and a note that are given by hand are kept as one line, and bounded", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const { state, directory } = temporary;
  const text = `a scan\r\n  ${HOSTILE}\0${"x".repeat(1_000)}`;
  const config = ["--config", `${directory}/config.jsonc`];
  await program(["ban", "203.0.113.1", "--reason", text, ...config].map((word) => word.replace("\0", "")));
  await program(["bans", "--import", `${directory}/list`, "--reason", "two\nlines", ...config]);
  await program(["whitelist", "add", "203.0.113.9", "--note", "two\nlines", ...config]);
  const [ban] = state.bans.inForceOf(["203.0.113.1"]);
  assert.match(ban!.reason, /^a scan {3,4}\[2J FAKE line/);
  assert.equal(Array.from(ban!.reason).length, 255);
  const [imported] = state.bans.inForceOf(["192.0.2.9"]);
  for (const reason of [ban!.reason, imported!.reason]) assert.doesNotMatch(reason, /[\p{Cc}\u2028]/u);
  const note = state.whitelist("command", now()).find(({ address }) => address === "203.0.113.9")!.note;
  assert.equal(note, "two lines");
});
