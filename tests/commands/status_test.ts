import { strict as assert } from "node:assert";
import { now, SECOND } from "../../lib/core/time.ts";
import { MANUAL, temporaryState } from "../support/helpers.ts";
import { program } from "../support/program.ts";

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
    assert.match(stdout, /4 decided: 1 in force, 2 waiting, the oldest for 1m[34]\ds/);
  }
});
