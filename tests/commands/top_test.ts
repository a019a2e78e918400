import { strict as assert } from "node:assert";
import { DAY, HOUR, isoTime, now, SECOND } from "../../lib/core/time.ts";
import { eventOf } from "../support/events.ts";
import { type TemporaryState, temporaryState } from "../support/helpers.ts";
import { program } from "../support/program.ts";

const FIELDS = ["message", "user", "path"];
const HOSTILE = `\x1b[31m\u202e${"x".repeat(8_192)}`;

/** Counts what so many attackers did an hour ago, and one a week ago. */
function fill({ state }: TemporaryState): void {
  const { rollups } = state.batches(["SSHD", "NGINX"]);
  const time = now() - HOUR;
  const add = (
    address: string,
    fields: Record<string, string>,
    over: { module?: number; time?: number } = {},
  ) => rollups.add(eventOf({ address, time, fields, ...over }, FIELDS), true);
  for (let i = 0; i < 30; i++) add(`198.51.100.${i}`, { user: "root" });
  for (let i = 0; i < 60; i++) add("192.0.2.1", { user: i < 40 ? HOSTILE : "admin" });
  for (let i = 0; i < 10; i++) add("2001:db8::1", { path: "/wp-login.php" }, { module: 1 });
  add("203.0.113.1", { user: "old" }, { time: now() - 7 * DAY });
  rollups.addHits([{ module: "SSHD", rule: "guess", time, count: 90 }, {
    module: "NGINX",
    rule: "scan",
    time,
    count: 10,
  }]);
  rollups.write({ isAll: true })();
  const ban = (address: string, name: string) => ({
    ...{ address, scope: "all" as const, reason: "r", count: 3, start: time + 1, until: null },
    provenance: { kind: "rule" as const, name },
  });
  state.bans.addAll([
    ban("192.0.2.1", "SSHD guess"),
    ban("198.51.100.1", "SSHD guess"),
    ban("2001:db8::/64", "NGINX scan"),
  ]);
  state.bans.end("192.0.2.1", { reason: "unban", time: now() });
}

function run({ directory }: TemporaryState, ...args: string[]) {
  return program(["top", "--state", directory, ...args]);
}

interface Row {
  readonly name: string;
  readonly lines: number | null;
  readonly hits: number;
  readonly share: number;
  readonly bans_made: number | null;
  readonly bans_ended: number | null;
}

Deno.test("`top` shows who attacks most, what they try, and the rules with bans made and ended", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const top = JSON.parse((await run(temporary, "--json")).stdout);
  assert.deepEqual([top.lines, top.hits, top.bans_made, top.bans_ended], [100, 100, 3, 1]);
  const rows = Object.fromEntries(top.tables.map(({ by, rows }: { by: string; rows: Row[] }) => [
    by,
    rows.slice(0, 2).map((
      row,
    ) => [row.name.slice(0, 15), row.lines, row.hits, row.share, row.bans_made, row.bans_ended]),
  ]));
  assert.deepEqual(rows, {
    address: [["192.0.2.1", null, 60, 0.6, 1, 1], ["2001:db8::1", null, 10, 0.1, 1, 0]],
    network: [["192.0.2.0/24", null, 60, 0.6, 1, 1], ["198.51.100.0/24", null, 30, 0.3, 1, 0]],
    user: [["\x1b[31m\u202exxxxxxxxx", null, 40, 0.4, null, null], ["root", null, 30, 0.3, null, null]],
    path: [["/wp-login.php", null, 10, 0.1, null, null]],
    rule: [["SSHD guess", null, 90, 0.9, 2, 1], ["NGINX scan", null, 10, 0.1, 1, 0]],
    module: [["SSHD", 90, 90, 0.9, 2, 1], ["NGINX", 10, 10, 0.1, 1, 0]],
  });
});

Deno.test("`top` keeps to 80 columns and to the names that it can print, whatever was tried", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const { stdout, code } = await run(temporary);
  assert.equal(code, 0);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  assert.match(
    stdout,
    /\n\nA table has 5 rows at most here; `--by address` shows that one with up to 20\.\n$/,
  );
  assert.doesNotMatch((await run(temporary, "--by", "address")).stdout, /at most/);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\u202e]/);
  assert.match(stdout, /^NETWORK +HIT LINES +SHARE +BANS +ENDED$/m);
  assert.match(stdout, /^RULE +HITS +SHARE +BANS +ENDED$/m);
  assert.match(stdout, /^\\x1b\[31m\\u\{202e\}x+… +40 +40\.0 %$/m);
  assert.match(
    stdout,
    /^Since .*: 100 lines named an address, 100 of them hit a rule\.\n3 bans began, 1 ended\. Times are of UTC\.$/m,
  );
});

Deno.test("`top --by` shows one table with more rows, of the time that `--since` says", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const addresses = await run(temporary, "--by", "address", "--json");
  assert.equal(JSON.parse(addresses.stdout).tables[0].rows.length, 20);
  const week = await run(temporary, "--by", "user", "--since", "8d");
  assert.match(week.stdout, /^USER[^]*^old +1 +1\.0 %$/m);
  assert.doesNotMatch(week.stdout, /ADDRESS/);
});

Deno.test("`top --until` counts lines and bans up to the hour of a time", async () => {
  using temporary = temporaryState();
  fill(temporary);
  const top = async (...args: string[]) => {
    const { lines, bans_made, tables } = JSON.parse((await run(temporary, ...args, "--json")).stdout);
    return [lines, bans_made, tables[0].rows.length, tables[4].rows.map((row: Row) => row.bans_made)];
  };
  assert.deepEqual(await top("--since", "8d", "--until", "6d"), [1, 0, 1, []]);
  assert.deepEqual(await top("--since", "6d", "--until", "3h"), [0, 0, 0, []]);
  assert.deepEqual(await top("--since", "2h", "--until", "1m"), [100, 3, 5, [2, 1]]);
  // Its hour counts whole, and so do the bans of that hour.
  const hour = Math.floor(temporary.state.bans.inForce()[0]!.start / HOUR) * HOUR;
  const early = ["--since", "3h", "--until", isoTime(hour + SECOND)];
  assert.deepEqual(await top(...early), [100, 3, 5, [2, 1]]);
  const { until, end } = JSON.parse((await run(temporary, ...early, "--json")).stdout);
  assert.deepEqual([until, end], [isoTime(hour + SECOND), isoTime(hour + HOUR)]);
  const { stdout } = await run(temporary, "--since", "8d", "--until", "6d");
  assert.match(stdout, /^Since \S+ \S+ until \S+ \S+: 1 line named an address, /);
  const wrong = await run(temporary, "--since", "1h", "--until", "2h");
  assert.deepEqual([wrong.code, wrong.stdout], [64, ""]);
  assert.match(wrong.stderr, /Cannot count from "1h" until "2h": the end must be later/);
});

Deno.test("`top` says in a sentence that nothing was counted, and what an option must be", async () => {
  using temporary = temporaryState();
  const nothing = await run(temporary);
  assert.match(
    nothing.stdout,
    /^No line named an address since .*\n0 bans began, 0 ended\. Times are of UTC\.\n$/,
  );
  const { rollups } = temporary.state.batches(["SSHD"]);
  rollups.add(eventOf({ address: "192.0.2.1", time: now() - HOUR, fields: { user: "root" } }, FIELDS), true);
  rollups.write({ isAll: true })();
  const pathless = await run(temporary, "--by", "path");
  assert.match(
    pathless.stdout,
    /: 1 line named .*\n0 bans began, 0 ended\. Times are of UTC\.\nNone of the lines that hit a rule names a path\.\n$/,
  );
  const wrong = [await run(temporary, "--since", "soon"), await run(temporary, "--by", "country")];
  assert.deepEqual(wrong.map(({ code, stdout }) => [code, stdout]), [[64, ""], [64, ""]]);
  assert.match(wrong[0]!.stderr, /Cannot read the time "soon": expected today/);
  assert.match(wrong[1]!.stderr, /--by is one of address, network, user, path, rule, module, got 'country'/);
});
