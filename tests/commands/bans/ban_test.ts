import { strict as assert } from "node:assert";
import { DecidingBans } from "../../support/deciding_bans.ts";
import { watchControl } from "../../../lib/monitor/control.ts";
import { outcome } from "../../../lib/commands/common/change.ts";
import { lockOf } from "../../../lib/core/state_files.ts";
import { MINUTE, now } from "../../../lib/core/time.ts";
import { Whitelist } from "../../../lib/deciding/whitelist.ts";
import { UserError } from "../../../lib/core/error.ts";
import { isLocked, takeLock } from "../../../lib/state/lock.ts";
import { NotingFirewall } from "../../support/bans_scene.ts";
import { BOOT, memoryLog, strangers, type TemporaryState, temporaryState } from "../../support/helpers.ts";
import { REPORT } from "../../support/monitor_report.ts";
import { program, type Result } from "../../support/program.ts";
import { ruleBan } from "../../support/rule_bans.ts";

const ONE = "203.0.113.7";
const NETWORK = "203.0.113.0/24";
const RULES = { SSHD: { rules: [{ name: "a", str: "x", limit: 1 }] } };

/** What a monitor does about bans, on a state of its own. */
interface Stage {
  readonly temporary: TemporaryState;
  readonly firewall: NotingFirewall;
  readonly whitelist: Whitelist;
  /** Runs a command on the state. */
  cli(...words: string[]): Promise<Result>;
}

/** Plays with the part of a monitor that commands meet, or without any. */
async function stage(
  { running = true, firewall: name = "command", keys = {} },
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const config = `${directory}/config.jsonc`;
  Deno.writeTextFileSync(config, JSON.stringify({ modules: RULES, state: directory, ...keys }));
  const firewall = new NotingFirewall(name);
  const whitelist = new Whitelist();
  const cli = (...words: string[]) => program([...words, "--config", config]);
  const stop = new AbortController();
  const lock = running ? takeLock(directory) : null;
  const parts = { state, firewall, whitelist, log: memoryLog(), clock: now, boot: () => BOOT };
  const bans = new DecidingBans({ ...parts, ...strangers() });
  const watching = running
    ? watchControl(directory, { changed: () => void bans.refresh(), signal: stop.signal })
    : Promise.resolve();
  try {
    await play({ temporary, firewall, whitelist, cli });
  } finally {
    stop.abort();
    await watching;
    await bans.stop(AbortSignal.abort());
    lock?.release();
  }
}

/** Asserts that a command ends with a code and these lines, in which times are given as `TIME`. */
function assertSays({ code, stdout, stderr }: Result, lines: readonly string[], expected = 0): void {
  assert.equal(code, expected, stderr);
  assert.deepEqual(
    stdout.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME").trimEnd().split("\n"),
    lines,
  );
}

Deno.test("`ban` says that a ban is in force when the firewall has it, and why and until when", () =>
  stage({}, async ({ cli }) => {
    assertSays(await cli("ban", ONE, "--for", "2h", "--reason", "scan"), [
      `${ONE} banned until TIME: scan`,
      "It is in force.",
    ]);
  }));

Deno.test("`ban` says when the trial lifts a ban that would last longer", () =>
  stage({}, async ({ cli, temporary: { state } }) => {
    state.bans.add(ruleBan({ address: "203.0.113.8" }));
    state.setTrial({
      end: now() + 10 * MINUTE,
      lastBan: state.bans.find({ address: "203.0.113.8", scope: "all" })!.id,
    });
    const lifted = "The trial lifts it at TIME, unless you say `sudo strongmonitor confirm`.";
    assertSays(await cli("ban", ONE), [`${ONE} banned for good: [MANUAL] ban`, "It is in force.", lifted]);
    assertSays(await cli("ban", "203.0.113.9", "--for", "1m"), [
      "203.0.113.9 banned until TIME: [MANUAL] ban",
      "It is in force.",
    ]);
    const { stdout } = await cli("ban", "203.0.113.8");
    assert.doesNotMatch(stdout, /trial/, "a ban from before the trial outlasts it");
  }));

Deno.test("`ban` takes an empty reason for none", () =>
  stage({}, async ({ cli }) => {
    assertSays(await cli("ban", ONE, "--reason", ""), [
      `${ONE} banned for good: [MANUAL] ban`,
      "It is in force.",
    ]);
  }));

Deno.test("`ban` tells of the ban that stands and stays, not of the one that was asked for", () =>
  stage({}, async ({ cli, temporary }) => {
    const bans = temporary.state.bans;
    await cli("ban", ONE, "--for", "forever");
    assertSays(await cli("ban", ONE, "--for", "2h", "--reason", "scan"), [
      `${ONE} was banned already for good: [MANUAL] ban`,
      "It is in force.",
      "A ban keeps its later end: to make it shorter, unban it first.",
      'The reason "scan" is not kept: a ban keeps the one that it began with.',
    ]);
    bans.add({
      address: "192.0.2.8",
      reason: "[SSHD] x",
      scope: "all",
      provenance: { kind: "rule", name: "SSHD x" },
      count: 6,
      start: now(),
      until: now() + 60_000_000,
    });
    const { stdout } = await cli("ban", "192.0.2.8", "--for", "1h", "--json");
    const { done, reason, until, in_force, running } = JSON.parse(stdout);
    assert.deepEqual({ done, reason, in_force, running }, {
      done: "extended",
      reason: "[SSHD] x",
      in_force: true,
      running: true,
    });
    assert.ok(Date.parse(until) > Date.now() + 1_800_000);
  }));

Deno.test("`ban` says when the firewall refuses, only notes, or nobody is there to tell it", async () => {
  await stage({}, async ({ cli, firewall }) => {
    firewall.broken = true;
    assertSays(await cli("ban", ONE), [
      `${ONE} banned for good: [MANUAL] ban`,
      "It is not in force yet, the monitor keeps trying: refused",
    ], 1);
  });
  await stage({ firewall: "observe" }, async ({ cli }) => {
    assertSays(await cli("ban", ONE), [
      `${ONE} banned for good: [MANUAL] ban`,
      "It is noted only: without a firewall nobody is really banned.",
    ]);
    const { stdout } = await cli("ban", ONE, "--json");
    assert.equal(JSON.parse(stdout).in_force, false);
  });
  await stage({ running: false, keys: { firewall: "nftables" } }, async ({ cli }) => {
    assertSays(await cli("ban", ONE), [
      `${ONE} banned for good: [MANUAL] ban`,
      "It is not in force: the monitor is not running, and will see to it when it starts.",
    ]);
  });
  await stage({ running: false, keys: { firewall: "observe" } }, async ({ cli }) => {
    assertSays(await cli("ban", ONE), [
      `${ONE} banned for good: [MANUAL] ban`,
      "It is noted only: by this configuration nobody is really banned.",
    ]);
  });
});

Deno.test("`ban` and `unban` take several addresses, and do what can be done of them", () =>
  stage(
    { keys: { whitelist: "198.51.100.9", unban_command: "unban %s", ban_command: "ban %s" } },
    async ({ cli }) => {
      const banned = await cli(
        "ban",
        "203.0.113.1",
        "198.51.100.9",
        "203.0.113.2",
        "203.0.113.1",
        "--for",
        "1h",
      );
      assertSays(banned, [
        "203.0.113.1 banned until TIME: [MANUAL] ban",
        "It is in force.",
        "203.0.113.2 banned until TIME: [MANUAL] ban",
        "It is in force.",
      ], 1);
      assert.equal(
        banned.stderr,
        "strongmonitor: Cannot ban 198.51.100.9: it is whitelisted (configuration)\n",
      );
      assert.equal((await cli("ban", "203.0.113.3", "192.0.2.x")).code, 64);
      const { code, stdout } = await cli("unban", "203.0.113.1", "203.0.113.3", "203.0.113.2", "--json");
      assert.equal(code, 1);
      assert.deepEqual(
        stdout.trim().split("\n").map((line) => JSON.parse(line)).map(({ address, lifted, error }) => [
          address,
          lifted,
          error,
        ]),
        [[undefined, undefined, "Cannot unban 203.0.113.3: it is not banned"], ["203.0.113.1", true, null], [
          "203.0.113.2",
          true,
          null,
        ]],
      );
    },
  ));

Deno.test("`unban --all` lifts everything, and says what the firewall still has", () =>
  stage(
    { keys: { unban_command: "unban %s", ban_command: "ban %s" } },
    async ({ cli, firewall, temporary }) => {
      assertSays(await cli("unban", "--all"), ["Nobody is banned."]);
      await cli("ban", "198.51.100.1", NETWORK, "2001:db8::7");
      assertSays(await cli("unban", "--all"), ["3 bans ended"]);
      assert.deepEqual(temporary.state.bans.lingering(), []);
      await cli("ban", ONE);
      firewall.broken = true;
      assertSays(await cli("unban", "--all"), [
        "1 ban ended",
        "1 ban is still in the firewall. The monitor keeps trying to lift it: refused",
      ], 1);
      for (const words of [["unban"], ["unban", "--all", ONE]]) assert.equal((await cli(...words)).code, 64);
    },
  ));

Deno.test("a change by a command waits for the monitor's log with who made it", () =>
  stage({ running: false }, async ({ cli, temporary: { state } }) => {
    const before = now();
    await cli("ban", ONE, NETWORK, "--reason", "scan");
    await cli("whitelist", "add", "192.0.2.7", "--for", "1h");
    await cli("whitelist", "add", "192.0.2.8", "192.0.2.7");
    await cli("unban", "--all");
    const manualChanges = state.manualChanges.take();
    assert.deepEqual(
      manualChanges.map(({ what }) => what.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "TIME")),
      [
        `ban ${ONE} ${NETWORK} for good: scan`,
        "whitelist add 192.0.2.7 until TIME",
        "whitelist add 192.0.2.8 for good, 192.0.2.7 until TIME",
        "unban --all: 2 bans",
      ],
    );
    for (const { who, time } of manualChanges) {
      assert.match(who, new RegExp(`^\\w+ \\(uid ${Deno.uid()}\\)`));
      assert.ok(time >= before && time <= now());
    }
    assert.deepEqual(state.manualChanges.take(), []);
  }));

Deno.test("a change of many addresses names each of them in the monitor's log", () =>
  stage({ running: false }, async ({ cli, temporary: { state } }) => {
    const addresses = Array.from({ length: 200 }, (_, i) => `198.51.100.${i}`);
    await cli("ban", ...addresses);
    const lines = state.manualChanges.take().map(({ what }) => what);
    assert.match(lines[0]!, /^ban 198.* …$/);
    assert.match(lines.at(-1)!, /^… 198.*: \[MANUAL\] ban$/);
    assert.deepEqual(lines.join(" ").match(/198[\d.]+/g), addresses);
    for (const line of lines) assert.ok(line.length < 1_010);
  }));

Deno.test("of changes that nobody reads the newest thousand are kept, in order", () => {
  using temporary = temporaryState();
  const { manualChanges } = temporary.state;
  for (let i = 1; i <= 1_010; i++) manualChanges.add([{ time: i, who: "root", what: `ban ${i}` }]);
  const taken = manualChanges.take();
  assert.deepEqual([taken.length, taken[0]!.time, taken.at(-1)!.time], [1_000, 11, 1_010]);
});

Deno.test("`ban` fails when the address is whitelisted, by what it knows or by what the monitor knows", () =>
  stage({ keys: { whitelist: "198.51.100.0/24" } }, async ({ cli, whitelist }) => {
    whitelist.set("this machine", [ONE]);
    for (
      const [address, why] of [
        ["198.51.100.9", "it is whitelisted (configuration): 198.51.100.0/24"],
        [ONE, "the monitor never bans it: it is whitelisted there"],
      ]
    ) {
      const { code, stderr } = await cli("ban", address!);
      assert.equal(code, 1, stderr);
      assert.equal(stderr, `strongmonitor: Cannot ban ${address}: ${why}\n`);
    }
  }));

Deno.test("`ban` refuses what a whitelisted name last had, and not what one had that is configured no longer", () =>
  stage({ running: false, keys: { whitelist: ["home.example"] } }, async ({ cli, temporary: { state } }) => {
    const entries = [["198.51.100.1", "home.example, work.example"], [
      "198.51.100.2",
      "work.example",
    ]] as const;
    state.replaceWhitelist("name", entries.map(([address, note]) => ({ address, note, until: null })), now());
    assert.match((await cli("ban", "198.51.100.1")).stderr, /whitelisted \(DNS name\)/);
    assert.equal((await cli("ban", "198.51.100.2")).code, 0);
  }));

Deno.test("`ban` refuses an address of this machine where no monitor runs, and the networks around it", () =>
  stage({ running: false }, async ({ cli, temporary: { state } }) => {
    state.replaceWhitelist("machine", [{ address: ONE, note: "", until: null }], now());
    for (const target of ["127.0.0.1", ONE, NETWORK]) {
      const { code, stderr } = await cli("ban", target);
      const isLoopback = target === "127.0.0.1";
      const who = target === NETWORK ? "an address in it" : "it";
      const named = target === NETWORK ? `: ${ONE}` : isLoopback ? ": 127.0.0.0/8" : "";
      const origin = isLoopback ? "loopback" : "this machine";
      assert.deepEqual([code, stderr], [
        1,
        `strongmonitor: Cannot ban ${target}: ${who} is whitelisted (${origin})${named}\n`,
      ]);
    }
    for (const { address } of Deno.networkInterfaces()) {
      if (!address.includes("%")) assert.equal((await cli("ban", address)).code, 1, address);
    }
  }));

Deno.test("`ban` warns of a network of many sites, and how to end its ban", () =>
  stage({ running: false }, async ({ cli }) => {
    const warned = async (target: string) => (await cli("ban", target)).stderr;
    assert.equal(
      await warned("11.0.0.0/8"),
      "Warning: 11.0.0.0/8 has 16,777,216 addresses: `strongmonitor unban 11.0.0.0/8` ends the ban\n",
    );
    assert.match(await warned("2600::/12"), /^Warning: 2600::\/12 has 2\^116 addresses: /);
    for (const target of ["11.1.0.0/16", "2600:1::/32"]) assert.equal(await warned(target), "");
    assert.match(await warned("::/0"), /^strongmonitor: Cannot ban ::\/0: an address in it is whitelisted/);
  }));

Deno.test("`ban` refuses a span that it cannot read", () =>
  stage({ running: false }, async ({ cli }) => {
    const { code, stderr } = await cli("ban", ONE, "--for", "soon");
    assert.equal(code, 64);
    assert.match(stderr, /Cannot read --for "soon": .* or forever\n$/);
  }));

Deno.test("`unban` says what the firewall made of it, and which network the address is banned with", () =>
  stage({ keys: { unban_command: "unban %s" } }, async ({ cli, firewall }) => {
    await cli("ban", NETWORK);
    const inside = await cli("unban", ONE);
    assert.equal(inside.code, 1);
    assert.match(
      inside.stderr,
      /Cannot unban 203\.0\.113\.7: it is banned with the network 203\.0\.113\.0\/24/,
    );
    await cli("ban", ONE);
    assertSays(await cli("unban", ONE), [
      `${ONE} unbanned`,
      "The firewall has lifted it.",
      `It is still banned with the network ${NETWORK}.`,
    ]);
    firewall.broken = true;
    assertSays(await cli("unban", NETWORK), [
      `${NETWORK} unbanned`,
      "It is still in the firewall, the monitor keeps trying to lift it: refused",
    ], 1);
    const again = await cli("unban", NETWORK);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /its ban has ended, and the monitor is to lift it .*: refused/);
    assert.match((await cli("bans")).stdout, /^203\.0\.113\.0\/24 .*\(unban\) +lift failed \d times? /m);
    assert.match((await cli("unban", "203.0.113.1")).stderr, /it is not banned\n$/);
  }));

Deno.test("`outcome()` of a settled ban does not ask for the monitor, which takes 20 ms for each of thousands", async () => {
  using temporary = temporaryState();
  const { state, directory } = temporary;
  state.bans.add(ruleBan());
  const { id } = state.bans.inForce()[0]!;
  Deno.mkdirSync(lockOf(directory));
  assert.throws(() => isLocked(directory), UserError);
  const ban = await outcome(state, { id, settled: () => true, deadline: Infinity });
  assert.equal(ban.id, id);
});

Deno.test("`unban`, `why` and `status` tell of a ban that only the firewall knows", () =>
  stage({}, async ({ cli, temporary: { state } }) => {
    state.setReport(JSON.stringify({ ...REPORT, holding: { ...REPORT.holding!, stray: [ONE] } }));
    const known = /the firewall bans it, unknown to the state: docs\/firewalls\.md tells how to lift it/;
    assert.match((await cli("unban", ONE)).stderr, known);
    assert.match((await cli("why", ONE)).stdout.replaceAll("\n", " "), known);
    assert.match((await cli("status")).stdout, new RegExp(`also bans, unknown to the state: ${ONE} `));
    assert.match((await cli("unban", "203.0.113.70")).stderr, /it is not banned\n$/);
  }));

Deno.test("`unban` says that nothing can lift a ban where there is no unban_command", () =>
  stage({ keys: { ban_command: "ban %s" } }, async ({ cli }) => {
    await cli("ban", ONE);
    assertSays(await cli("unban", ONE), [
      `${ONE} unbanned`,
      "It stays in the firewall: without an unban_command nothing can lift it.",
    ], 1);
    await cli("ban", NETWORK);
    assertSays(await cli("unban", "--all"), [
      "1 ban ended",
      "1 ban stays in the firewall: without an unban_command nothing can lift it.",
    ], 1);
  }));

Deno.test("`unban` of bans that were only noted looks for none in a firewall, also without a monitor", () =>
  stage({ running: false, keys: { firewall: "observe" } }, async ({ cli, temporary }) => {
    const others = ["203.0.113.8", "203.0.113.9"];
    for (const address of [ONE, ...others]) await cli("ban", address);
    // The monitor took them up before it was stopped.
    temporary.exec("UPDATE ban SET applied_by = 'observe', applied_at = 1");
    assertSays(await cli("unban", ONE), [`${ONE} unbanned`, "It was noted only: nobody was really banned."]);
    assert.match((await cli("unban", ONE)).stderr, /it is not banned\n$/);
    assertSays(await cli("unban", "--all"), ["2 bans ended"]);
    assert.match((await cli("bans")).stdout, /^No ban/);
  }));

Deno.test("`bans --all` ends with a sentence where no ban is in force", () =>
  stage({}, async ({ cli }) => {
    await cli("ban", ONE);
    await cli("unban", ONE);
    assert.match(
      (await cli("bans", "--all")).stdout,
      /^No ban in force; 1 in all, ended ones included\. Times are of UTC\.$/m,
    );
  }));

Deno.test("`whitelist add` warns of a network so vast that nobody is ever banned", () =>
  stage({ running: false }, async ({ cli }) => {
    const vast = await cli("whitelist", "add", "0.0.0.0/0");
    assert.equal(vast.code, 0);
    assert.match(vast.stderr, /^Warning: whitelist 0\.0\.0\.0\/0 is so large/m);
    assert.doesNotMatch((await cli("whitelist", "add", "203.0.113.0/24")).stderr, /Warning/);
  }));

Deno.test("a state that the program was not built for is refused in one sentence with the way to build it", () =>
  stage({ running: false }, async ({ temporary }) => {
    const config = `${temporary.directory}/config.jsonc`;
    for (const command of [["ban", ONE], ["bans"], ["status"], ["whitelist", "list"]]) {
      const { code, stderr } = await program(
        [...command, "--config", config, "--state", "/nowhere/state"],
        [`--allow-read=${config}`],
      );
      assert.equal(code, 69);
      assert.equal(
        stderr,
        "strongmonitor: Cannot open the state /nowhere/state: this program may not use it; build one that " +
          `may, where its source is, with: deno task build --config ${config} --state /nowhere/state ` +
          `(or, without Deno: npx -y deno@2 task build --config ${config} --state /nowhere/state)\n`,
      );
    }
  }));
