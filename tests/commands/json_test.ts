import { strict as assert } from "node:assert";
import { now, SECOND } from "../../lib/core/time.ts";
import { eventOf, lineOf } from "../support/events.ts";
import { MANUAL, type TemporaryState, temporaryState } from "../support/helpers.ts";
import { REPORT } from "../support/monitor_report.ts";
import { assertDescribed, objectsOf } from "../support/json_page.ts";
import { program } from "../support/program.ts";

/** A ban by hand that the firewall has not been told of. */
const BAN = {
  address: "192.0.2.7",
  scope: "all",
  provenance: MANUAL,
  reason: "test",
  count: 0,
  start: now(),
  until: null,
} as const;

/** A line that the rule of `configure()` hits, as often as its limit takes, and a login. */
const LINES = "May  6 00:00:00 web sshd[77]: Invalid user admin from 203.0.113.5 port 33100\n".repeat(2) +
  "May  6 00:00:01 web sshd[78]: Accepted password for bob from 203.0.113.5 port 33101 ssh2\n";

function configure({ directory }: TemporaryState): string {
  const rules = [{ name: "a", str: "Invalid user", limit: 1 }];
  const config = `${directory}/config.jsonc`;
  const keys = {
    state: directory,
    modules: { SSHD: { rules } },
    trust_logins: {},
    network_bans: [{ ipv4: 24, limit: 3 }],
    whitelist: "198.51.100.1",
    whitelist_files: "friends",
    DB: { host: "h", user: "u", database: "d" },
    fleet: { share_bans: true },
  };
  Deno.writeTextFileSync(config, JSON.stringify(keys));
  Deno.writeTextFileSync(`${directory}/friends`, "192.0.2.1\n");
  Deno.writeTextFileSync(`${directory}/db_password.secret`, "s", { mode: 0o600 });
  const patient = { SSHD: { rules: [{ ...rules[0], limit: 3 }] } };
  Deno.writeTextFileSync(
    `${directory}/patient.jsonc`,
    JSON.stringify({ state: directory, modules: patient }),
  );
  Deno.writeTextFileSync(`${directory}/lines`, LINES);
  Deno.writeTextFileSync(`${directory}/list`, "192.0.2.9\n");
  return config;
}

/** Records and counts a line that hits, of somebody who has logged in, is logged in and has knocked. */
function record({ state }: TemporaryState): void {
  const [address, time] = ["192.0.2.7", now()];
  const message = `Invalid user admin from ${address} port 33100`;
  const batches = state.batches(["SSHD"]);
  batches.lines.add(lineOf({ module: 0, address, time, message }));
  batches.rollups.add(
    eventOf({ address, time, message, fields: { user: "admin" } }, ["message", "user"]),
    true,
  );
  batches.write({
    source: "journal",
    position: "1",
    notes: { groups: [], forgotten: null, rows: [] },
    logins: {
      logins: [{ address, method: "password", user: "admin", time }],
      opened: [{ address, port: 22, pid: null, time }],
      closed: [],
    },
    bans: [],
    knocks: [],
  });
}

/** A command, the sections whose first tables describe its objects, and others for those inside of them. */
type Described = readonly [command: string, own: readonly [string, ...string[]], others?: readonly string[]];

/** Commands in order, with the sections of docs/json.md that describe what they print. */
function commandsOf(directory: string): readonly Described[] {
  return [
    ["bans", ["A ban"]],
    ["why 192.0.2.0/24", ["`why`"], ["A ban", "`status`", "`whitelist`"]],
    ["why --user root", ["`why --user`"], ["`why`", "A ban"]],
    ["top", ["`top`"]],
    ["report", ["`report`"], ["A ban", "`status`"]],
    ["status", ["`status`"], ["A ban"]],
    ["check", ["`check`"]],
    ["init", ["`init`"]],
    ["doctor", ["`doctor`"]],
    [`match --module SSHD ${directory}/lines`, ["`match`"]],
    [`replay ${directory}/lines`, ["`replay`"]],
    [`what-if --against ${directory}/patient.jsonc ${directory}/lines`, ["`what-if`"]],
    ["ban 192.0.2.8", ["`ban`", "A ban"]],
    ["unban 192.0.2.8", ["`unban`", "A ban"]],
    [`bans --import ${directory}/list`, ["`bans`"]],
    ["whitelist list", ["`whitelist`"]],
  ];
}

/** Commands that print what text of their section describes, not a table. */
const DESCRIBED_IN_TEXT = [
  ["whitelist add 192.0.2.3", ["address", "note", "until", "done", "lifts"]],
  ["whitelist remove 192.0.2.3", ["address", "done"]],
  ["knock new phone", ["name", "uri"]],
  ["knock new script --plain", ["name", "secret"]],
  ["knock list", ["name", "kind", "since", "used_at", "used_by"]],
  ["knock remove phone", ["name", "done"]],
  ["confirm", ["done"]],
] as const;

Deno.test("docs/json.md describes every key that `--json` prints, and no others", async () => {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const config = configure(temporary);
  state.bans.add(BAN);
  record(temporary);
  state.setReport(JSON.stringify(REPORT));
  state.setTrial({ end: now() + 3_600 * SECOND, lastBan: 0 });
  const run = async (command: string) =>
    (await program([...command.split(" "), "--json", "--config", config])).stdout;
  for (const [command, own, others] of commandsOf(directory)) {
    assertDescribed(objectsOf(await run(command)), own, others);
  }
  for (const [command, keys] of DESCRIBED_IN_TEXT) {
    assert.deepEqual(Object.keys(objectsOf(await run(command))[0]!), keys, command);
  }
});

Deno.test("`status --json` has all its keys where no monitor has ever reported", async () => {
  using temporary = temporaryState();
  const config = configure(temporary);
  const { code, stdout } = await program(["status", "--json", "--config", config]);
  assert.equal(code, 69);
  const status = JSON.parse(stdout);
  const nested = ["holding", "counts", "database"];
  assert.deepEqual(nested.map((key) => status[key]), [null, null, null]);
  assert.deepEqual([status.sources, status.modules, status.given_up, status.evicted], [[], [], [], 0]);
});
