import { strict as assert } from "node:assert";
import { encodeCopy, NO_CONTENT } from "../../../lib/config/whitelist_content.ts";
import { NetworkSet } from "../../../lib/core/network_set.ts";
import { now, SECOND } from "../../../lib/core/time.ts";
import { MANUAL, type TemporaryState, temporaryState } from "../../support/helpers.ts";
import { program, type Result } from "../../support/program.ts";

const RULES = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };

/** Plays with a state, and a configuration whose whitelist has one of each kind. */
async function stage(
  play: (stage: { temporary: TemporaryState; cli(...words: string[]): Promise<Result> }) => Promise<void>,
): Promise<void> {
  using temporary = temporaryState();
  const { directory } = temporary;
  Deno.writeTextFileSync(
    `${directory}/friends`,
    "192.0.2.1 until 2200-01-31 # auditors\n192.0.2.2 until 2020-01-31\n",
  );
  const whitelist = ["198.51.100.0/24", {
    address: "home.example.org",
    note: "home",
    until: "2200-01-31T12:00:00Z",
  }];
  const keys = { modules: RULES, state: directory, whitelist, whitelist_files: "friends" };
  const config = `${directory}/config.jsonc`;
  Deno.writeTextFileSync(config, JSON.stringify(keys));
  await play({ temporary, cli: (...words) => program([...words, "--config", config]) });
}

Deno.test("`whitelist add` takes an end as a span or as a date, and a second time changes it", () =>
  stage(async ({ temporary: { state }, cli }) => {
    const entry = () =>
      state.whitelist("command", now()).map(({ address, note, until }) => ({ address, note, until }))[0];
    const before = now();
    const first = await cli("whitelist", "add", "192.0.2.7", "--for", "8h", "--note", "on call");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^192\.0\.2\.7 whitelisted until 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d: on call\n$/);
    const { until } = entry()!;
    assert.ok(until! - before >= 8 * 3_600 * SECOND && until! - now() <= 8 * 3_600 * SECOND);
    await cli("whitelist", "add", "192.0.2.7", "--until", "2200-01-31");
    const end = Date.UTC(2200, 0, 31) * 1_000;
    assert.deepEqual(entry(), { address: "192.0.2.7", note: "on call", until: end });
    const third = await cli("whitelist", "add", "192.0.2.7", "--note", "boss");
    assert.equal(third.stdout, "192.0.2.7 was whitelisted already, now until 2200-01-31 00:00:00: boss\n");
    await cli("whitelist", "add", "192.0.2.7", "--for", "forever");
    assert.equal(entry()!.until, null);
  }));

Deno.test("`whitelist add` says whose bans it lifts, those of networks around too", () =>
  stage(async ({ temporary: { state }, cli }) => {
    const ban = { scope: "all", provenance: MANUAL, reason: "x", count: 0, start: 1, until: null } as const;
    for (const address of ["192.0.2.0/24", "192.0.2.7", "203.0.113.1"]) state.bans.add({ ...ban, address });
    const { stdout } = await cli("whitelist", "add", "192.0.2.7", "203.0.113.9");
    assert.equal(
      stdout,
      "192.0.2.7 whitelisted for good\nThis lifts the bans of 192.0.2.0/24, 192.0.2.7.\n" +
        "203.0.113.9 whitelisted for good\n",
    );
    const json = await cli("whitelist", "add", "203.0.113.0/30", "--json");
    assert.deepEqual(JSON.parse(json.stdout).lifts, ["203.0.113.1"]);
  }));

Deno.test("`whitelist add` takes a DNS name, which the monitor resolves", () =>
  stage(async ({ temporary: { state }, cli }) => {
    const { code, stdout } = await cli("whitelist", "add", "Office.Example.org.", "192.0.2.9");
    assert.deepEqual([code, stdout.split("\n")[0]], [0, "office.example.org whitelisted for good"]);
    const resolved = [{ address: "203.0.113.5", note: "office.example.org", until: null }];
    state.replaceWhitelist("name", resolved, now());
    assert.match((await cli("ban", "203.0.113.5")).stderr, /it is whitelisted \(DNS name\)/);
    assert.match((await cli("ban", "192.0.2.9")).stderr, /it is whitelisted \(command\)/);
    assert.equal((await cli("whitelist", "remove", "office.example.org")).code, 0);
    const wrong = await cli("whitelist", "add", "no name");
    assert.deepEqual([wrong.code, wrong.stderr], [
      64,
      'strongmonitor: Cannot whitelist "no name": it must be an address, a network such as 10.0.0.0/8, or a DNS name\n',
    ]);
  }));

Deno.test("`whitelist remove` says where an entry stands that no command has made, and that it stays", () =>
  stage(async ({ temporary: { directory, state }, cli }) => {
    const places = [
      ["198.51.100.0/24", `${directory}/config.jsonc`],
      ["home.example.org", `${directory}/config.jsonc`],
      ["192.0.2.1", `${directory}/friends`],
      ["192.0.2.9", "the database"],
    ] as const;
    state.addToWhitelist("database", { address: "192.0.2.9", note: "", until: null, since: 1 });
    for (const [address, place] of places) {
      const { code, stderr } = await cli("whitelist", "remove", address);
      const why = `it stands in ${place}: remove it there`;
      assert.deepEqual([code, stderr], [1, `strongmonitor: Cannot remove ${address}: ${why}\n`]);
    }
    state.addToWhitelist("database", { address: "198.51.100.7", note: "", until: 1, since: 1 });
    const { stderr } = await cli("whitelist", "remove", "198.51.100.7");
    assert.match(stderr, /Cannot remove 198\.51\.100\.7: neither command nor knock whitelisted it/);
    state.addToWhitelist("command", { address: "192.0.2.1", note: "", until: null, since: 1 });
    const removed = await cli("whitelist", "remove", "192.0.2.1");
    assert.deepEqual([removed.code, removed.stdout.split("\n")[0], removed.stderr.split("\n")[0]], [
      0,
      "192.0.2.1 no longer whitelisted by command or knock",
      `Warning: 192.0.2.1 stays whitelisted: it stands in ${directory}/friends`,
    ]);
  }));

/** Options of `whitelist add` that it refuses, and why. */
const REFUSED: readonly (readonly [options: readonly string[], why: RegExp])[] = [
  [["--for", "soon"], /Cannot read --for "soon"/],
  [["--until", "soon"], /Cannot read --until "soon": expected a date such as 2027-01-31/],
  [["--until", "2020-01-31"], /Cannot whitelist until 2020-01-31 00:00:00: that is past/],
  [["--for", "8h", "--until", "2200-01-31"], /--for and --until at once/],
];

Deno.test("`whitelist add` refuses ends that are none, two or past", () =>
  stage(async ({ temporary: { state }, cli }) => {
    for (const [options, why] of REFUSED) {
      const { code, stderr } = await cli("whitelist", "add", "192.0.2.7", ...options);
      assert.equal(code, 64);
      assert.match(stderr, why);
    }
    assert.deepEqual(state.whitelist("command", now()), []);
  }));

Deno.test("`whitelist list` shows who is whitelisted by whom, until when and why, and nobody whose time is over", () =>
  stage(async ({ temporary: { directory, state }, cli }) => {
    state.addToWhitelist("command", { address: "192.0.2.7", note: "on call", until: null, since: 1 });
    state.addToWhitelist("command", { address: "192.0.2.8", note: "", until: 1, since: 1 });
    state.addToWhitelist("database", { address: "192.0.2.9", note: "", until: null, since: 1 });
    state.addToWhitelist("gateway", { address: "192.0.2.254", note: "", until: null, since: 1 });
    const found = ["203.0.113.5", "2001:db8::5"].map((address) => ({
      address,
      note: "home.example.org",
      until: null,
    }));
    state.replaceWhitelist("name", found, now());
    state.addToWhitelist("command", { address: "office.example.org", note: "", until: null, since: 1 });
    const table = (await cli("whitelist", "list")).stdout.trimEnd().split("\n").map((line) =>
      line.split(/ {2,}/)
    );
    assert.deepEqual(table, [
      ["ADDRESS", "BY", "UNTIL", "NOTE"],
      ["198.51.100.0/24", "configuration", "for good"],
      ["home.example.org", "configuration", "2200-01-31 12:00:00", "home"],
      ["192.0.2.1", `${directory}/friends`, "2200-01-31 00:00:00", "auditors"],
      ["192.0.2.7", "command", "for good", "on call"],
      ["office.example.org", "command", "for good"],
      ["192.0.2.9", "database", "for good"],
      ["192.0.2.254", "gateway", "it is replaced"],
      ["home.example.org is 2001:db8::5, 203.0.113.5 now."],
      ["No address of office.example.org is known: the monitor resolves it, and logs why it cannot."],
      ["Times are of UTC."],
    ]);
    const json = (await cli("whitelist", "list", "--json")).stdout.trimEnd().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.deepEqual(json[2], {
      address: "192.0.2.1",
      note: "auditors",
      until: "2200-01-31T00:00:00.000000Z",
      origin: "file",
      file: `${directory}/friends`,
      addresses: null,
    });
    const names = json.filter(({ addresses }) => addresses !== null).map((
      { address, addresses },
    ) => [address, addresses]);
    assert.deepEqual(names, [
      ["home.example.org", ["2001:db8::5", "203.0.113.5"]],
      ["office.example.org", []],
    ]);
    assert.deepEqual(json.map(({ until }) => until).filter((until) => until === null).length, 5);
  }));

Deno.test("`check` and `run` refuse a whitelist file that cannot be read, and `whitelist` does not", () =>
  stage(async ({ temporary: { directory }, cli }) => {
    assert.match((await cli("check")).stdout, /Warning: .*friends: 192\.0\.2\.2 ended: banned like others\n/);
    Deno.removeSync(`${directory}/friends`);
    for (const command of ["check", "run"]) {
      const { code, stdout, stderr } = await cli(command);
      assert.equal(code, 78, command);
      const said = stdout + stderr;
      assert.ok(said.includes(`Cannot read the whitelist file: ${directory}/friends does not exist`), said);
    }
    const list = await cli("whitelist", "list");
    assert.deepEqual([list.code, list.stdout.includes("home.example.org")], [0, true]);
    assert.match(list.stderr, /^Warning: Cannot read the whitelist file: /);
    assert.equal((await cli("whitelist", "add", "192.0.2.7")).code, 0);
  }));

Deno.test("`whitelist list` and `why` know the entries that an unreadable file had", () =>
  stage(async ({ temporary: { directory, state }, cli }) => {
    const path = `${directory}/friends`;
    const until = Date.UTC(2100, 0, 1) * 1_000;
    const networks = [{ until, count: 2, set: new NetworkSet(["203.0.113.7", "203.0.113.64/26"]) }];
    const content = { ...NO_CONTENT, entries: 2, networks };
    state.storeWhitelistCopy(path, encodeCopy({ stamp: null, content }));
    Deno.removeSync(path);
    const list = await cli("whitelist", "list");
    const warned = `${path} does not exist; its last 2 entries stay whitelisted, and \`why\` finds them\n`;
    assert.ok(list.stderr.endsWith(warned), list.stderr);
    const { whitelist } = JSON.parse((await cli("why", "203.0.113.70", "--json")).stdout);
    assert.deepEqual(whitelist.map(({ file, until }: { file: string; until: string }) => [file, until]), [
      [path, "2100-01-01T00:00:00.000000Z"],
    ]);
    assert.deepEqual(JSON.parse((await cli("why", "203.0.113.8", "--json")).stdout).whitelist, []);
    for (
      const [asked, note] of [["203.0.113.64/27", "of before"], ["203.0.113.0/24", "a part of it, of before"]]
    ) {
      const [entry] = JSON.parse((await cli("why", asked!, "--json")).stdout).whitelist;
      assert.deepEqual([entry.address, entry.note], [asked, `${note} it became unreadable`]);
    }
  }));

Deno.test("`whitelist list` shows a file of 200,000 lines", () =>
  stage(async ({ temporary: { directory }, cli }) => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    Deno.writeTextFileSync(`${directory}/friends`, lines.join("\n"));
    const { code, stdout, stderr } = await cli("whitelist", "list");
    assert.equal(code, 0, stderr);
    assert.equal(stdout.trimEnd().split("\n").length, 200_005);
  }));
