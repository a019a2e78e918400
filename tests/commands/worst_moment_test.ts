import { strict as assert } from "node:assert";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { NEVER } from "../../lib/core/async.ts";
import { markMemory } from "../../lib/core/state_files.ts";
import { now, SECOND } from "../../lib/core/time.ts";
import { NftablesFirewall } from "../../lib/firewall/nftables.ts";
import { prepareStateDirectory } from "../../lib/monitor/control.ts";
import { State } from "../../lib/state/state.ts";
import { canMount, fillDisk, mount, unmount } from "../support/faults.ts";
import { MANUAL, temporaryState } from "../support/helpers.ts";
import { inNamespace, lacking } from "../support/namespace.ts";
import { nftBan } from "../support/nft_bans.ts";
import { program } from "../support/program.ts";

const CONFIG = fileURLToPath(new URL("../../config.jsonc", import.meta.url));

/** Commands that need the state alone, with what they print about one ban and one trial. */
const COMMANDS: readonly (readonly [command: string, says: RegExp])[] = [
  ["bans", /^192\.0\.2\.1 /m],
  ["status", /^bans +1 ban: 1 waiting/m],
  ["why 192.0.2.1", /^192\.0\.2\.1 is banned since /],
  ["ban 203.0.113.2", /^203\.0\.113\.2 banned for good/],
  ["unban 203.0.113.2 192.0.2.1", /^192\.0\.2\.1 unbanned/m],
  ["whitelist add 192.0.2.3", /^192\.0\.2\.3 whitelisted for good/],
  ["whitelist list", /^192\.0\.2\.3 /m],
  ["whitelist remove 192.0.2.3", /^192\.0\.2\.3 no longer whitelisted/],
  ["confirm", /^Confirmed/],
];

/** Configurations that are wrong, each with the state that is found all the same. */
const BROKEN: readonly (readonly [what: string, text: (state: string) => string])[] = [
  ["lacks a brace", (state) => `{ "state": "${state}", "modules": { "SSHD": { "rules": [ }`],
  ["has an unknown key", (state) => `{ "state": "${state}", "modul": {} }`],
];

for (const [what, text] of BROKEN) {
  Deno.test(`commands work on the state while the configuration ${what}, and say so in one line`, async () => {
    using temporary = temporaryState();
    const { directory, state } = temporary;
    const config = `${directory}/config.jsonc`;
    Deno.writeTextFileSync(config, text(directory));
    const ban = { scope: "all", provenance: MANUAL, reason: "x", count: 0, until: null } as const;
    state.bans.add({ ...ban, address: "192.0.2.1", start: now() });
    state.setTrial({ end: now() + 600 * SECOND, lastBan: 0 });
    for (const [command, says] of COMMANDS) {
      const { code, stdout, stderr } = await program([...command.split(" "), "--config", config]);
      assert.equal(code, command === "status" ? 69 : 0, stderr);
      assert.match(stdout, says);
      const [first] = stderr.split("\n");
      assert.match(first!, /^Warning: Cannot load .*config\.jsonc:1:\d+\).*; going by the state \/.* alone$/);
    }
    assert.equal((await program(["check", "--config", config])).code, 78);
    const { stderr } = await program(["whitelist", "list", "--config", config]);
    assert.match(stderr, /\nEntries of the configuration and of its files are missing here/);
  });
}

Deno.test("without a configuration and a state there is one warning and one error", async () => {
  const { code, stderr } = await program(["unban", "--all", "--config", "/nowhere/config.jsonc"]);
  assert.equal(code, 69);
  assert.equal(
    stderr,
    "Warning: Cannot read the configuration: /nowhere/config.jsonc does not exist; give the " +
      "path of one that does; going by the state /var/lib/strongmonitor alone\n" +
      "strongmonitor: Cannot open the state /var/lib/strongmonitor: the monitor has not run yet: " +
      "start it, and name addresses that it must not ban in its configuration\n",
  );
});

/** Runs `unban` on a ban that a firewall has, without a monitor, by the configuration `keys`. */
async function unbanAlone(
  target: string,
  { firewall, keys, again = null }: { firewall: string; keys: object | null; again?: string | null },
) {
  using temporary = temporaryState();
  const { directory, state } = temporary;
  const ban = { scope: "all", provenance: MANUAL, reason: "x", count: 0, until: null } as const;
  state.bans.add({ ...ban, address: "192.0.2.1", start: now() });
  temporary.exec(`UPDATE ban SET applied_by = '${firewall}', applied_at = 1`);
  if (again !== null) temporary.exec(`UPDATE ban SET ended = 2, end_reason = '${again}'`);
  const config = `${directory}/config.jsonc`;
  if (keys !== null) Deno.writeTextFileSync(config, JSON.stringify({ modules: { SSHD: {} }, ...keys }));
  const result = await program(["unban", target, "--config", config, "--state", directory]);
  return { ...result, left: state.bans.lingering().length };
}

Deno.test("`unban` without a monitor says, with exit code 1, that it cannot lift a ban, and names a way", async () => {
  for (const target of ["192.0.2.1", "--all"]) {
    for (
      const [firewall, keys, how, why] of [
        ["command", null, ".", ""],
        [
          "nftables",
          { nft_command: "false" },
          "; until then `nft delete table inet strongmonitor` lifts all bans",
          ": ",
        ],
        [
          "command",
          { ban_command: "true %s", unban_command: "false %s" },
          ": false 192.0.2.1: exit status 1",
          "",
        ],
      ] as const
    ) {
      const { code, stdout, left } = await unbanAlone(target, { firewall, keys });
      assert.ok(stdout.includes(`not running, and will lift it when it starts${how}${why}`), stdout);
      assert.deepEqual([code, left], [1, 1], stdout);
    }
  }
});

Deno.test("`unban` without a monitor lifts bans itself, also those of bans that ended before", async () => {
  const keys = { ban_command: "true %s", unban_command: "true %s" };
  const ends = [null, "unban", "expired"];
  for (const [target, again] of ends.flatMap((end) => [["192.0.2.1", end], ["--all", end]] as const)) {
    const { code, stdout, left } = await unbanAlone(target, { firewall: "command", keys, again });
    assert.deepEqual([code, left], [0, 0], stdout);
    if (target !== "--all") assert.match(stdout, /unbanned\nThe firewall has lifted it\.\n$/);
  }
});

Deno.test({
  name: "`unban` without a monitor lifts bans of nftables, and makes no table (needs nft in a namespace)",
  ignore: lacking("nft"),
  fn: () =>
    inNamespace(async (run, namespace) => {
      const keys = { firewall: "nftables", nft_command: ["ip", "netns", "exec", namespace, "nft"] };
      const list = async () => (await run(["nft", "list", "ruleset"])).stdout;
      const alone = await unbanAlone("192.0.2.1", { firewall: "nftables", keys });
      assert.deepEqual([alone.code, await list()], [0, ""], alone.stdout);
      const command = keys.nft_command;
      const firewall = new NftablesFirewall({ command, timeout: 30 * SECOND, clock: now });
      for (
        const [target, left] of [["192.0.2.1", /elements = \{ 192\.0\.2\.2 \}/], [
          "--all",
          /192\.0\.2\.2 /,
        ]] as const
      ) {
        await firewall.ban(["192.0.2.1", "192.0.2.2"].map((address) => nftBan(address)), NEVER);
        // A configuration that no longer bans leaves the bans of the former one.
        const by = target === "--all" ? { ...keys, firewall: "observe" } : keys;
        const { code, stdout } = await unbanAlone(target, { firewall: "nftables", keys: by });
        assert.equal(code, 0, stdout);
        const rules = await list();
        assert.match(rules, left);
        assert.doesNotMatch(rules, /192\.0\.2\.1/);
      }
    }),
});

Deno.test("an unknown TZ is named UTC, of which its times are", async () => {
  using temporary = temporaryState();
  temporary.state.bans.add({
    ...{ scope: "all", provenance: MANUAL, reason: "x", count: 0, until: null },
    ...{ address: "192.0.2.1", start: now() },
  });
  for (const zone of ["nowhere", ":/nowhere", ""]) {
    const { stdout } = await program(["bans", "--state", temporary.directory], undefined, { TZ: zone });
    assert.match(stdout, /Times are of UTC\.\n$/, zone);
  }
});

Deno.test("`confirm` refuses a trial that has ended while no monitor ran", async () => {
  using temporary = temporaryState();
  temporary.state.setTrial({ end: now() - SECOND, lastBan: 0 });
  const { code, stderr } = await program(["confirm", "--state", temporary.directory]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot confirm: the trial ended at 20.*, and its bans with it; begin another one\n$/);
});

Deno.test({
  name: "commands read a state on a full disk, and say in a sentence that they cannot write",
  ignore: !canMount(),
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "strongmonitor-" });
    const filler = `${directory}/filler`;
    assert.ok(mount("-t", "tmpfs", "-o", "size=600k", "none", directory));
    try {
      prepareStateDirectory(directory);
      const commands = async (...commands: string[]) => {
        const options = ["--config", CONFIG, "--state", directory];
        return await Promise.all(commands.map((command) => program([...command.split(" "), ...options])));
      };
      const state = new State(directory);
      try {
        state.bans.add({
          ...{ address: "192.0.2.9", scope: "all", provenance: MANUAL, reason: "r" },
          ...{ count: 0, start: now(), until: null },
        });
        fillDisk(filler);
        for (const { code, stderr } of await commands("whitelist add 192.0.2.7", "ban 192.0.2.8")) {
          assert.deepEqual([code, stderr], [
            69,
            `strongmonitor: Cannot use the state ${directory}/state.db: database or disk is full; ` +
            "see by df whether its disk is full, and by dmesg whether it fails\n",
          ]);
        }
      } finally {
        state.close();
      }
      // Without a monitor nobody has made `-shm`, for which there is no room.
      Deno.removeSync(filler);
      new State(directory).close();
      fillDisk(filler);
      const [bans] = await commands("bans");
      assert.match(bans!.stdout, /^192\.0\.2\.9 /m, bans!.stderr);
      const [unban] = await commands("unban 192.0.2.9");
      assert.match(unban!.stderr, /Cannot use the state .*: database or disk is full; see by df /);
    } finally {
      unmount(directory);
      await Deno.remove(directory);
    }
  },
});

Deno.test("`unban` tells that a ban may be in the monitor's memory alone while the disk is full", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const unban = () => program(["unban", "192.0.2.9", "--config", CONFIG, "--state", directory]);
  assert.match((await unban()).stderr, /: it is not banned\n$/);
  markMemory(directory, true);
  const { code, stderr } = await unban();
  assert.equal(code, 1);
  assert.match(stderr, /: the monitor has newer bans in its memory alone; make room on the state's disk/);
});

Deno.test("a command that waits in vain for another writer says so in a sentence", async () => {
  using temporary = temporaryState();
  const { directory } = temporary;
  const writer = new DatabaseSync(`${directory}/state.db`);
  writer.exec("BEGIN IMMEDIATE");
  const answers = await Promise.all(
    ["ban 192.0.2.8", "whitelist add 192.0.2.7"].map((command) =>
      program([...command.split(" "), "--config", CONFIG, "--state", directory])
    ),
  );
  for (const { code, stderr } of answers) {
    assert.deepEqual([code, stderr], [
      69,
      `strongmonitor: Cannot use the state ${directory}/state.db: database is locked; something else, ` +
      "such as a backup or a monitor that hangs, has written to it for 5 s: try again\n",
    ]);
  }
  writer.close();
});
