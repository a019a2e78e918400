/** The story that `why` tells, and the tables of `top`, out of a state that a pipeline has filled. */
import { strict as assert } from "node:assert";
import { wordsOf } from "../../../lib/core/address.ts";
import { HIT, NoteWriter } from "../../../lib/rules/note_record.ts";
import { DAY, HOUR, MINUTE, now, SECOND } from "../../../lib/core/time.ts";
import { collectLines } from "../../../lib/commands/common/output.ts";
import { textLines } from "../../../lib/commands/watch/text.ts";
import { whyCommand } from "../../../lib/commands/why/why.ts";
import { lineOf } from "../../support/events.ts";
import { MANUAL, NO_LOGINS, type TemporaryState, temporaryState } from "../../support/helpers.ts";
import { MAIN, program } from "../../support/program.ts";

const RULE = { name: "guess", str: "Failed password", limit: 2, window: "10m", ban_time: "1h" };
const KEYS = {
  modules: { SSHD: { rules: [RULE] } },
  whitelist: [{ address: "198.51.100.0/24", note: "office" }],
  trust_logins: { for: "7d", methods: ["publickey"], factor: 3 },
};
const NOTES = { groups: [], forgotten: null, rows: [] };

/** Writes a configuration, and returns what runs a command by it. */
function configured({ directory }: TemporaryState, keys: Record<string, unknown> = {}) {
  const config = `${directory}/config.jsonc`;
  Deno.writeTextFileSync(config, JSON.stringify({ state: directory, ...KEYS, ...keys }));
  return async (...args: string[]) => {
    const result = await program([...args, "--config", config]);
    for (const line of result.stdout.split("\n").filter((line) => !line.startsWith("{"))) {
      assert.ok(line.length <= 80, `${line.length} characters: ${line}`);
    }
    return result;
  };
}

/** Records failed logins of an address so long ago. */
function fail({ state }: TemporaryState, address: string, ages: readonly number[], user = "root"): void {
  const batches = state.batches(["SSHD"]);
  for (const age of ages) {
    const message = `Failed password for invalid user ${user} from ${address} port 4000 ssh2`;
    batches.lines.add(lineOf({ module: 0, address, time: now() - age, message }));
  }
  batches.write({
    source: "file:/var/log/auth.log",
    position: "1",
    notes: NOTES,
    logins: NO_LOGINS,
    bans: [],
    knocks: [],
  });
}

function ban(address: string, over: Record<string, unknown> = {}) {
  const rule = {
    provenance: { kind: "rule" as const, name: "SSHD guess" },
    reason: "[SSHD] guess",
    count: 3,
  };
  return { address, scope: "all" as const, ...rule, start: now() - MINUTE, until: now() + HOUR, ...over };
}

Deno.test("`why` tells of a banned address its ban, what holds it, and the hits that led there", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  fail(temporary, "203.0.113.1", [3 * MINUTE, 2 * MINUTE, MINUTE]);
  temporary.state.bans.add(ban("203.0.113.1"));
  temporary.state.enforcement.applied([1], { firewall: "nftables", time: now() });
  const { code, stdout } = await why("why", "203.0.113.1");
  assert.equal(code, 0);
  assert.match(stdout, /^203\.0\.113\.1 is banned since .* until/);
  assert.match(
    stdout.replaceAll(/\s+/g, " "),
    /\[SSHD\] guess, 3 hits\. The firewall \(nftables\) last confirmed it [^.]*\./,
  );
  assert.match(
    stdout,
    /hit guess 3 of 2 within 10m: past the limit\n[^]*hit guess 2 of 2 within 10m\n[^]*hit guess 1 of 2/,
  );
  assert.match(stdout, /^times {5}of UTC$/m);
  assert.match(stdout, /203\.0\.113\.1 {2}SSHD \(\/var\/log\/auth\.log\)/);
  const story = JSON.parse((await why("why", "203.0.113.1", "--json")).stdout);
  assert.deepEqual([story.banned, story.in_force, story.why_not, story.complete], [true, true, [], true]);
  assert.deepEqual(
    story.lines.map((line: { hits: { count: number; limit: number }[] }) => line.hits[0]),
    [3, 2, 1].map((count) => ({
      ...{ address: "203.0.113.1", module: "SSHD", rule: "guess", count, limit: 2, window: 600 },
    })),
  );
});

Deno.test("`why` tells of somebody who is not banned why not", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  const { state } = temporary;
  const login = { user: "alice", method: "publickey", time: now() - 2 * DAY };
  state.logins.apply({ logins: [{ ...login, address: "203.0.113.2" }], opened: [], closed: [] });
  fail(temporary, "203.0.113.2", [30 * SECOND]);
  fail(temporary, "203.0.113.3", [30 * DAY]);
  state.bans.add(ban("203.0.113.4"));
  state.bans.end("203.0.113.4", { reason: "unban", time: now() - HOUR });
  const tell = async (address: string) => (await why("why", address)).stdout.replaceAll(/\s+/g, " ");
  const expected: [string, RegExp][] = [
    [
      "203.0.113.2",
      /is not banned\. Trusted by a publickey login of alice 2d ago\. No hit counts now; when it hit last, [\dms]+ ago, it was 1 of 6 hits of SSHD guess within 10m\./,
    ],
    [
      "203.0.113.3",
      /No hit counts now; when it hit last, 30d\S* ago, it was 1 of 2 hits of SSHD guess within 10m\./,
    ],
    ["203.0.113.4", /Its last ban ended 1h\S* ago \(lifted by hand\)\. No recorded line names it\./],
    [
      "198.51.100.7",
      /Whitelisted: 198\.51\.100\.0\/24 by configuration \(office\)\. No recorded line names it\./,
    ],
    ["127.0.0.1", /Whitelisted: 127\.0\.0\.0\/8 by loopback\./],
    ["127.0.0.0/7", /Whitelisted: 127\.0\.0\.0\/8 by loopback\./],
    ["2002:c633:6407::1", /Whitelisted: 198\.51\.100\.0\/24 by configuration \(office\)\./],
    [
      "203.0.113.9",
      /203\.0\.113\.9 is not banned\. No recorded line names it\. The monitor is not running\./,
    ],
  ];
  for (const [address, sentence] of expected) assert.match(await tell(address), sentence);
});

Deno.test("`why` counts what the state has noted, as a monitor would after a start", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  const log = `${temporary.directory}/auth.log`;
  const line = (address: string) =>
    `${
      new Date().toISOString()
    } web sshd[77]: Failed password for invalid user a from ${address} port 4000 ssh2\n`;
  Deno.writeTextFileSync(log, line("203.0.113.1").repeat(2) + line("203.0.113.9"));
  const file = configured(temporary, {
    modules: { SSHD: { match: { file: log }, rules: [RULE] } },
    firewall: "observe",
  });
  const monitor = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--quiet",
      "-A",
      new URL("../../../main.ts", import.meta.url).pathname,
      "run",
      "--config",
      `${temporary.directory}/config.jsonc`,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  try {
    for (let left = 200; left > 0 && temporary.state.log.count() < 3; left--) {
      await new Promise((done) => setTimeout(done, 50));
    }
    const running = JSON.parse((await file("why", "203.0.113.1", "--json")).stdout);
    assert.deepEqual([running.running, running.firewall], [true, "observe"]);
  } finally {
    monitor.kill("SIGTERM");
    await monitor.status;
  }
  assert.match(
    (await why("why", "203.0.113.1")).stdout,
    /is not banned\. 2 of 2 hits of SSHD guess within 10m\./,
  );
  const network = JSON.parse((await why("why", "203.0.113.0/24", "--json")).stdout);
  assert.deepEqual(
    network.counts.map(({ address, count }: { address: string; count: number }) => [address, count]),
    [
      ["203.0.113.1", 2],
      ["203.0.113.9", 1],
    ],
  );
  assert.deepEqual(JSON.parse((await why("why", "::/0", "--json")).stdout).counts, [], "no IPv4 in IPv6");
  const top = JSON.parse((await why("top", "--by", "user", "--json")).stdout);
  assert.deepEqual(
    [top.lines, top.hits, top.tables[0].rows[0].name],
    [3, 3, "a"],
    "a monitor that ends leaves its counts",
  );
});

Deno.test("`why` counts all of the newest 43,000 hits of a network, and says if there are more", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  const { notes } = temporary.state;
  const groups = [{ number: 0, rules: JSON.stringify([["SSHD", "guess", null, false]]) }];
  const write = (addresses: readonly string[]) => {
    const writer = new NoteWriter();
    for (const address of addresses) {
      writer.put({ kind: HIT, ...wordsOf(address), rules: 1, time: now(), value: 0 });
    }
    notes.add({ groups, forgotten: null, rows: [{ until: now() + HOUR, content: writer.take() }] });
  };
  const countsOf = async () => {
    const { stdout } = await why("why", "198.18.0.0/15", "--json");
    const { counts: [first], counts_complete } = JSON.parse(stdout);
    return [first.address, first.count, counts_complete];
  };
  write(["198.18.0.1", "198.18.0.1"]);
  for (let row = 0; row < 3; row++) {
    write(Array.from({ length: 10_000 }, (_, n) => `198.19.${row * 20 + (n >> 9)}.${n & 255}`));
  }
  assert.deepEqual(await countsOf(), ["198.18.0.1", 2, true], "the address that was silent longest");
  for (let row = 0; row < 3; row++) {
    write(Array.from({ length: 10_000 }, (_, n) => `198.18.${100 + row * 40 + (n >> 8)}.${n & 255}`));
  }
  const { stdout } = await why("why", "198.18.0.0/15");
  assert.match(stdout, /^ {10}Only the newest hits were counted, as there are very many\.$/m);
  assert.equal((await countsOf())[2], false);
});

Deno.test("`why --user` tells where a user came from, by the name that a module reads, and which addresses are banned", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  fail(temporary, "203.0.113.1", [2 * MINUTE, MINUTE], "carol");
  fail(temporary, "203.0.113.2", [MINUTE], "carola");
  fail(temporary, "203.0.113.3", [MINUTE], "from carol");
  fail(temporary, "2001:db8::5", [30 * SECOND], "carol");
  temporary.state.bans.add(ban("2001:db8::/64"));
  const login = { address: "203.0.113.9", method: "publickey", user: "carol", time: now() - HOUR };
  temporary.state.logins.apply({ ...NO_LOGINS, logins: [login] });
  const { addresses, lines, ...story } = JSON.parse((await why("why", "--user", "carol", "--json")).stdout);
  assert.deepEqual(
    addresses.map((one: Record<string, unknown> & { ban: { address: string } | null }) => [
      one.address,
      one.lines,
      one.last_login === null,
      one.ban?.address ?? null,
    ]),
    [
      ["2001:db8::5", 1, true, "2001:db8::/64"],
      ["203.0.113.1", 2, true, null],
      ["203.0.113.9", 0, false, null],
    ],
  );
  assert.equal(lines.length, 3);
  assert.deepEqual(story, { user: "carol", complete: true, searched_since: null });
  const { stdout } = await why("why", "--user", "carol");
  assert.match(stdout, /^carol: 3 lines since \S+ \S+, the oldest recorded, from 3 addresses\.$/m);
  assert.match(stdout, /^203\.0\.113\.1 +2 .* not banned$/m);
  for (const line of ["203.0.113.6", "203.0.113.7", "203.0.113.8"]) fail(temporary, line, [HOUR], "carol");
  assert.match((await why("why", "--user", "carol")).stdout, /^and 1 older line, which --json prints$/m);
  const hostile = `\u202e\x1b[2J${"x".repeat(8_192)}`;
  fail(temporary, "203.0.113.4", [MINUTE], hostile);
  const long = await why("why", "--user", hostile);
  assert.match(long.stdout, /^\\u\{202e\}\\x1b\[2Jx+…: 1 line since [^]+ from 1\s+address\.$/m);
  const wrong = [await why("why"), await why("why", "203.0.113.1", "--user", "carol")];
  assert.deepEqual(wrong.map(({ code }) => code), [64, 64]);
});

Deno.test("`why` tells that a ban that is only observed cuts nobody off", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  temporary.state.bans.add(ban("203.0.113.1"));
  temporary.state.enforcement.applied([1], { firewall: "observe", time: now() });
  assert.match((await why("why", "203.0.113.1")).stdout, /^203\.0\.113\.1 would be banned \(observe\) since/);
});

Deno.test("`why` tells once that an address is this machine's, which the state keeps as well", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  const entry = { address: "127.0.0.1", note: "", until: null };
  temporary.state.replaceWhitelist("machine", [entry], now());
  const { whitelist } = JSON.parse((await why("why", entry.address, "--json")).stdout);
  const own = whitelist.filter(({ origin }: { origin: string }) => origin === "this machine");
  assert.equal(own.length, 1);
});

Deno.test("`why` of a network tells the bans inside of it, and of an address the networks above it", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  temporary.state.bans.addAll([
    ban("203.0.113.0/24", {
      provenance: { kind: "network", name: "/24" },
      reason: "[NETWORK] 3 bans within 1d",
      until: null,
    }),
    ...Array.from({ length: 30 }, (_, i) => ban(`203.0.113.${i}`, { provenance: MANUAL, count: 0 })),
  ]);
  const { stdout } = await why("why", "203.0.113.0/24");
  assert.match(
    stdout,
    /^203\.0\.113\.0\/24 is banned since .* for good: \[NETWORK\] 3\s+bans\s+within\s+1d\.\s+No/,
  );
  assert.match(stdout, /^inside {4}30 bans, 30 not ended$/m);
  assert.match(stdout, /and 23 more/);
  assert.match(
    (await why("why", "203.0.113.200")).stdout,
    /^203\.0\.113\.200 is banned by the ban of 203\.0\.113\.0\/24/,
  );
});

Deno.test("`why` tells what the state has where no configuration can be read, and says what is missing", async () => {
  using temporary = temporaryState();
  fail(temporary, "203.0.113.1", [MINUTE]);
  const { directory } = temporary;
  const { code, stdout } = await program([
    "why",
    "203.0.113.1",
    "--state",
    directory,
    "--config",
    "/nonexistent",
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /^config {4}limits, trust and its whitelist are not known: Cannot read/m);
  assert.match(stdout, /Failed password for invalid user root/);
  const wrong = await program(["why", "203.0.113.256", "--state", directory]);
  assert.deepEqual([wrong.code, wrong.stdout], [64, ""]);
  assert.match(
    wrong.stderr,
    /^strongmonitor: Cannot read "203\.0\.113\.256": expected an address or a network/,
  );
});

Deno.test("`why` asks the database of a configuration on standard input", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const DB = { host: directory, database: "d", user: "u" };
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", MAIN, "why", "203.0.113.1", "--config", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const text = JSON.stringify({ ...KEYS, state: directory, DB });
  const [{ stdout }] = await Promise.all([child.output(), new Blob([text]).stream().pipeTo(child.stdin)]);
  // No database is there.
  assert.match(new TextDecoder().decode(stdout), /does not tell what others have seen: PostgreSQL at/);
});

Deno.test("`why` and `top` cut names of 8 KB and escape what steers a terminal", async () => {
  using temporary = temporaryState();
  const why = configured(temporary);
  fail(temporary, "203.0.113.1", [MINUTE], `\x1b[2J\u202e${"y".repeat(8_192)}`);
  temporary.state.bans.add(
    ban("203.0.113.1", { provenance: MANUAL, reason: `\x1b]0;x\x07${"z ".repeat(4_000)}` }),
  );
  for (const { stdout } of [await why("why", "203.0.113.1"), await why("why", "203.0.113.1", "--json")]) {
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(stdout, /[\x00-\x09\x0b-\x1f\u202e]/);
  }
});

Deno.test("`why` breaks its lines once, for the place where they are shown", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  configured(temporary);
  fail(temporary, "203.0.113.1", [3 * MINUTE, 2 * MINUTE, MINUTE]);
  temporary.state.bans.add(ban("203.0.113.1", { reason: "[SSHD] guess ".repeat(4).trimEnd() }));
  const options = { config: `${directory}/config.jsonc` };
  const told = async (width: number) =>
    (await collectLines(() => whyCommand("203.0.113.1", options), width)).lines;
  for (const width of [58, 66, 78]) {
    const lines = await told(width);
    assert.deepEqual(lines.filter((line) => line.length > width), []);
    // A verdict's second line begins at its margin, as the first one does.
    assert.match(lines[1]!, /^\S/);
    const shown = textLines({ title: "why", lines, top: 0 }, { columns: width + 2, rows: 200 });
    assert.deepEqual(
      shown.slice(2, 2 + lines.length).map((line) => line.map(({ text }) => text).join("").trimEnd()),
      lines.map((line) => ` ${line}`),
    );
  }
});

Deno.test("`why` shows a reason that somebody gave as long as it is stored", async () => {
  using temporary = temporaryState();
  configured(temporary);
  const reason = "seen in the abuse report of a neighbour ".repeat(5).trimEnd();
  temporary.state.bans.add(ban("203.0.113.1", { provenance: MANUAL, reason }));
  const options = { config: `${temporary.directory}/config.jsonc` };
  const { lines } = await collectLines(() => whyCommand("203.0.113.1", options), 400);
  assert.equal(lines.join(" ").replaceAll(/ +/g, " ").split(reason).length - 1, 2);
});
