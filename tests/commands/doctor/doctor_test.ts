import { strict as assert } from "node:assert";
import { now, SECOND } from "../../../lib/core/time.ts";
import { type Lock, takeLock } from "../../../lib/state/lock.ts";
import { AS_OTHER, type Finding, findingsIn, Machine, of } from "../../support/machine.ts";
import { temporaryState } from "../../support/helpers.ts";
import { REPORT } from "../../support/monitor_report.ts";
import { canMakeJournals, type Fields, JournalDirectory } from "../../support/journal_files.ts";
import { inNamespace, lacking } from "../../support/namespace.ts";
import { program } from "../../support/program.ts";

/** Runs `doctor` where this machine's own network is, behind the words `as`. */
async function doctor(
  machine: Machine,
  as: readonly string[] = [],
): Promise<{ code: number; findings: Finding[] }> {
  const [command, ...args] = [...as, ...machine.words("doctor", "--json", "--config", machine.config)];
  const { code, stdout, stderr } = await new Deno.Command(command!, { args, stdin: "null" }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  return { code, findings: findingsIn(new TextDecoder().decode(stdout)) };
}

/** An entry of the present with these fields. */
function entry(seconds: number, fields: Fields): Fields {
  return [
    ["__REALTIME_TIMESTAMP", String(now() - seconds * SECOND)],
    ["__MONOTONIC_TIMESTAMP", String(1_000_000_000 - seconds)],
    ["_BOOT_ID", "0123456789abcdef0123456789abcdef"],
    ...fields,
  ];
}

function sshd(seconds: number, message: string): Fields {
  const fields: Fields = [["_UID", "0"], ["_SYSTEMD_UNIT", "ssh.service"], ["SYSLOG_IDENTIFIER", "sshd"], [
    "_PID",
    "7",
  ]];
  return entry(seconds, [...fields, ["MESSAGE", message]]);
}

/** What a monitor in a unit with these capabilities writes. */
function own(capabilities: string, unit: string): Fields {
  const fields: Fields = [["_UID", "990"], ["_SYSTEMD_UNIT", unit], ["SYSLOG_IDENTIFIER", "strongmonitor"]];
  return entry(1, [...fields, ["_CAP_EFFECTIVE", capabilities], ["MESSAGE", "running"]]);
}

/** Has `journalctl` read real journal files that hold these entries. */
async function withJournal(
  entries: readonly Fields[],
  use: (machine: Machine) => Promise<void>,
): Promise<void> {
  using machine = new Machine();
  using journal = new JournalDirectory();
  await journal.write("system", entries);
  machine.program("journalctl", `exec /usr/bin/journalctl --directory=${journal.path} "$@"`);
  machine.program("getent", 'test "$1" = passwd && echo strongmonitor:x:990:990::/:/bin/false');
  await use(machine);
}

Deno.test({
  name: "`doctor` says how much of a service's newest lines is understood",
  ignore: !canMakeJournals,
  async fn() {
    const known = Array.from(
      { length: 30 },
      (_, i) => sshd(90 - i, `Invalid user bob from 192.0.2.7 port ${i + 1}`),
    );
    // The monitor often writes the newest entry of all.
    await withJournal([...known, own("0", "strongmonitor.service")], async (machine) => {
      machine.configure({});
      const { findings } = await doctor(machine);
      assert.deepEqual(of(findings, "journal"), ["ok: can be read"]);
      assert.deepEqual(of(findings, "service"), ["ok: SSHD understands 30 of its newest 30 lines"]);
    });
    const strange = Array.from({ length: 30 }, (_, i) => sshd(90 - i, `unheard of: ${i}`));
    await withJournal([...strange, ...known.slice(0, 5)], async (machine) => {
      machine.configure({});
      const { code, findings } = await doctor(machine);
      assert.equal(code, 1);
      assert.deepEqual(of(findings, "service"), [
        "failure: SSHD understands 5 of its newest 35 lines: their format is another",
      ]);
    });
  },
});

Deno.test({
  name: "`doctor` does not send who runs strongmonitor.service in a container to strongmonitor.service",
  ignore: !canMakeJournals,
  async fn() {
    await withJournal([own("0", "strongmonitor.service")], async (machine) => {
      machine.program("nft", "exit 0");
      machine.configure({ firewall: "nftables", nft_command: "nft" });
      const { findings } = await doctor(machine);
      const [unit] = findings.filter(({ subject }) => subject === "unit");
      assert.match(unit!.text, /^strongmonitor\.service does not give the monitor CAP_NET_ADMIN/);
      assert.match(unit!.remedy!, /is a container, whose host has to grant it$/);
    });
  },
});

Deno.test("`doctor` finds a configuration that the monitor's user may not read", async () => {
  using machine = new Machine();
  machine.program("getent", "test $1 = passwd && echo strongmonitor:x:990:990::/:/bin/false");
  machine.configure({});
  Deno.chmodSync(machine.config, 0o600);
  const { findings } = await doctor(machine);
  const [found] = findings.filter(({ text }) => text.includes("does not let the user"));
  assert.equal(found!.text, `the mode of ${machine.config} does not let the user strongmonitor read it`);
  assert.match(
    found!.remedy!,
    /chown root:strongmonitor \S+config\.jsonc && (?:sudo )?chmod 640 \S+config\.jsonc$/,
  );
});

Deno.test("`doctor` says how the unit that is installed may ban, where the configuration observes", async () => {
  using machine = new Machine();
  machine.program("getent", "exit 2");
  machine.configure({});
  const remedy = async () =>
    (await doctor(machine)).findings.find(({ subject }) => subject === "firewall")!.remedy;
  const keys = 'set "firewall": "nftables"';
  assert.equal(
    await remedy(),
    `${keys} and "nft_command": "nft", or a ban_command: docs/firewalls.md`,
  );
  machine.install("strongmonitor-sudo");
  assert.equal(await remedy(), `${keys}, or a ban_command: docs/firewalls.md`);
});

Deno.test("`doctor` claims nothing of units and clocks out of a journal that it cannot see", async () => {
  using machine = new Machine();
  machine.program("journalctl", "exit 1");
  machine.program("nft", "exit 0");
  machine.configure({ firewall: "nftables", nft_command: "nft" });
  const { findings } = await doctor(machine);
  assert.deepEqual(of(findings, "unit"), []);
  assert.match(of(findings, "clock").join(), /^warning: says [^;]*; only the journal tells what keeps it$/);
});

Deno.test("`doctor` starts the unit with sudo for commands that need it, and tries sudo before any unit has run", async () => {
  using machine = new Machine();
  machine.program("journalctl", `case "$*" in *" _UID=0") echo '{"_PID":"1"}' ;; esac`);
  machine.program("getent", "test $1 = passwd && echo strongmonitor:x:990:990::/:/bin/false");
  machine.program("sudo", "exit 1");
  for (const [command, unit] of [["sudo -n x %s", "strongmonitor-sudo"], ["x %s", "strongmonitor"]]) {
    machine.configure({ ban_command: command });
    const { findings } = await doctor(machine);
    const start = findings.filter(({ remedy }) => remedy?.includes("systemctl enable"));
    const expected = `${Deno.uid() === 0 ? "" : "sudo "}systemctl enable --now ${unit}`;
    assert.deepEqual(start.map(({ remedy }) => remedy), [expected, expected]);
    const refused = findings.filter(({ text }) => /^sudo does not let strongmonitor run x/.test(text));
    assert.equal(refused.length, Deno.uid() === 0 && unit === "strongmonitor-sudo" ? 1 : 0);
  }
});

Deno.test("`doctor` names the capability that root itself lacks in a container, and sends others to root", async () => {
  using machine = new Machine();
  machine.program("nft", "echo Operation not permitted >&2; exit 1");
  machine.configure({ firewall: "nftables", nft_command: "nft" });
  const { findings } = await doctor(machine);
  const remedies = findings.filter(({ subject }) => subject === "firewall").map(({ remedy }) => remedy);
  const expected = Deno.uid() === 0
    ? "a container's host has to grant CAP_NET_ADMIN"
    : "ask as root: sudo strongmonitor doctor";
  assert.deepEqual([...new Set(remedies)], [expected]);
});

Deno.test({
  name: "`doctor` sends a user to root who may not read what the monitor's user may",
  ignore: AS_OTHER === null,
  async fn() {
    using machine = new Machine();
    machine.program("getent", "test $1 = passwd && echo strongmonitor:x:990:990::/:/bin/false");
    machine.program("journalctl", "echo 'Hint: You are currently not seeing messages from other users.' >&2");
    machine.configure({});
    const { findings } = await doctor(machine, AS_OTHER!);
    const [journal] = findings.filter(({ subject }) => subject === "journal");
    assert.match(journal!.text, /^Cannot read the journal: user \S+ may not see what others write$/);
    assert.equal(journal!.remedy, "ask as root: sudo strongmonitor doctor");
  },
});

Deno.test("`doctor` does not call a module silent whose journal cannot be read", async () => {
  using machine = new Machine();
  machine.program(
    "journalctl",
    "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
  );
  machine.configure({});
  const { code, findings } = await doctor(machine);
  assert.equal(code, 1);
  assert.match(of(findings, "journal").join(), /^failure: Cannot read the journal/);
  assert.deepEqual(of(findings, "service"), []);
});

Deno.test({
  name: "`doctor` tells which unit and which command do not fit together",
  ignore: !canMakeJournals,
  async fn() {
    const root = Deno.uid() === 0 ? "" : "sudo ";
    const use = (unit: string) => `${root}systemctl disable --now a && ${root}systemctl enable --now ${unit}`;
    const cases = [
      ["1000", "nft", "ok: a.service and nft_command fit together", null],
      ["0", "sudo -n nft", "ok: a.service and nft_command fit together", null],
      [
        "0",
        "nft",
        "failure: a.service does not give the monitor CAP_NET_ADMIN, which nft needs",
        `use the unit without sudo: ${use("strongmonitor")}, or set "nft_command": "sudo -n nft"`,
      ],
      [
        "1000",
        "sudo -n nft",
        "failure: a.service gives the monitor CAP_NET_ADMIN and lets nobody gain more rights, so that the sudo of nft_command cannot work",
        'set "nft_command": "nft" and restart the monitor, or use the unit with sudo: ' +
        use("strongmonitor-sudo"),
      ],
    ] as const;
    for (const [capabilities, command, expected, remedy] of cases) {
      // Any user may call himself strongmonitor.
      const forged = entry(0, [
        ["_UID", "1000"],
        ["_SYSTEMD_UNIT", "user@1000.service"],
        [
          "SYSLOG_IDENTIFIER",
          "strongmonitor",
        ],
        ["_CAP_EFFECTIVE", "3fff"],
        ["MESSAGE", "running"],
      ]);
      await withJournal([own(capabilities, "a.service"), forged], async (machine) => {
        machine.program("nft", "exit 0");
        machine.program("sudo", "exit 0");
        machine.configure({ firewall: "nftables", nft_command: command });
        const { findings } = await doctor(machine);
        assert.deepEqual(of(findings, "unit"), [expected]);
        assert.equal(findings.find(({ subject }) => subject === "unit")?.remedy, remedy);
      });
    }
  },
});

Deno.test({
  name:
    "`doctor` knows that no sudo works in the unit without sudo, whatever the machine grants, for no command",
  ignore: !canMakeJournals,
  async fn() {
    for (
      const [keys, key] of [
        [{ ban_command: "ban %s", unban_command: "sudo -n unban %s" }, "unban_command"],
        [{ firewall: "nftables", nft_command: "sudo -n nft" }, "nft_command"],
      ] as const
    ) {
      await withJournal([own("0", "strongmonitor.service")], async (machine) => {
        for (const name of ["nft", "sudo", "ban", "unban"]) machine.program(name, "exit 0");
        machine.configure(keys);
        assert.equal(
          of((await doctor(machine)).findings, "unit")[0],
          `failure: strongmonitor.service lets nobody gain more rights, so that the sudo of ${key} cannot work`,
        );
      });
    }
  },
});

Deno.test({
  name: "`doctor` warns of a journal in which nobody has written for an hour",
  ignore: !canMakeJournals,
  fn: () =>
    withJournal([sshd(7_300, "Invalid user bob from 192.0.2.7 port 1")], async (machine) => {
      machine.configure({});
      const { findings } = await doctor(machine);
      assert.match(
        of(findings, "journal").join(),
        /^warning: can be read, but no program has written to it since /,
      );
    }),
});

Deno.test({
  name: "`doctor` warns of a unit that multi-user.target does not start, and allows for other targets",
  ignore: !canMakeJournals,
  async fn() {
    await withJournal([own("1000", "strongmonitor.service")], async (machine) => {
      machine.program("nft", "exit 0");
      machine.configure({ firewall: "nftables", nft_command: "nft" });
      const fitting = "ok: strongmonitor.service and nft_command fit together";
      assert.deepEqual(of((await doctor(machine)).findings, "unit"), [fitting]);
      machine.disable("strongmonitor");
      const { findings } = await doctor(machine);
      assert.deepEqual(of(findings, "unit"), [
        fitting,
        "warning: multi-user.target does not start the monitor at the next boot: strongmonitor is not " +
        "enabled for it",
      ]);
      const remedy = findings.filter(({ subject }) => subject === "unit").at(-1)?.remedy;
      // The program may look at no other target's links.
      assert.match(remedy!, /^unless another target starts it: (?:sudo )?systemctl enable strongmonitor$/);
    });
  },
});

Deno.test({
  name: "`doctor` tells that sudo lets the monitor's user run no ban command, and asks as that user",
  ignore: !canMakeJournals || Deno.uid() !== 0,
  async fn() {
    await withJournal([own("0", "a.service")], async (machine) => {
      const ban = machine.program("ban", "exit 0");
      machine.program("sudo", `case "$*" in *"-l"*) echo "$*" >> ${machine.directory}/asked; exit 1;; esac`);
      machine.configure({ ban_command: `sudo -n ${ban} %s`, unban_command: `sudo -n ${ban} -d %s` });
      const { code, findings } = await doctor(machine);
      assert.equal(code, 1);
      const refused = `failure: sudo does not let strongmonitor run ${ban} without a password`;
      assert.deepEqual(of(findings, "unit").slice(1), [refused]);
      assert.equal(
        findings.filter(({ subject }) => subject === "unit").at(-1)?.remedy,
        `as docs/firewalls.md tells: echo 'strongmonitor ALL=(root) NOPASSWD: ${ban}' | ` +
          "tee -a /etc/sudoers.d/strongmonitor",
      );
      assert.match(
        Deno.readTextFileSync(`${machine.directory}/asked`),
        new RegExp(`^-n -u strongmonitor sudo -n -l ${ban} 192\\.0\\.2\\.254\n`),
      );
      machine.program("sudo", 'case "$*" in *"-l"*) sleep 60;; esac');
      assert.match(
        of((await doctor(machine)).findings, "unit")[1]!,
        /^failure: sudo does not answer: still running after/,
      );
    });
  },
});

Deno.test({
  name: "`doctor` bans addresses of documentation in nftables, sees them in the kernel, and leaves nothing",
  ignore: lacking("ip", "nft"),
  async fn() {
    using machine = new Machine();
    machine.configure({ firewall: "nftables", nft_command: "nft" });
    const words = machine.words("doctor", "--json", "--config", machine.config);
    await inNamespace(async (run) => {
      const { stdout } = await run(words);
      assert.deepEqual(of(findingsIn(stdout), "firewall"), [
        "ok: nftables bans 192.0.2.254, and lifts the ban",
        "ok: nftables bans 2001:db8:ffff:ffff::/64, and lifts the ban",
      ]);
      assert.equal((await run(["nft", "list", "ruleset"])).stdout, "");
    });
  },
});

Deno.test({
  name: "`doctor` tells a ban command that works from one that fails and one that only seems to work",
  ignore: lacking("ip", "nft"),
  async fn() {
    using machine = new Machine();
    const table = "nft add table inet t && nft add set inet t $set '{ type $type; flags interval; }'";
    const ban = machine.program(
      "ban",
      `case $2 in *:*) set=six type=ipv6_addr;; *) set=four type=ipv4_addr;; esac
       ${table} && nft $1 element inet t $set "{ $2 }"`.replaceAll("'{ type $type", '"{ type $type')
        .replaceAll(
          "}'",
          '}"',
        ),
    );
    const words = machine.words("doctor", "--json", "--config", machine.config);
    await inNamespace(async (run) => {
      machine.configure({ ban_command: `${ban} add %s`, unban_command: `${ban} delete %s` });
      assert.deepEqual(of(findingsIn((await run(words)).stdout), "firewall"), [
        "ok: command bans 192.0.2.254, and lifts the ban, outside of the monitor's unit",
        "ok: command bans 2001:db8:ffff:ffff::/64, and lifts the ban, outside of the monitor's unit",
      ]);
      assert.doesNotMatch((await run(["nft", "list", "ruleset"])).stdout, /192\.0\.2/);

      machine.configure({ ban_command: `${ban} add %s`, unban_command: "true %s" });
      assert.match(
        of(findingsIn((await run(words)).stdout), "firewall").join("\n"),
        /^failure: 192\.0\.2\.254 is still banned after its ban was lifted$/m,
      );
      machine.configure({ ban_command: "true %s", unban_command: "true %s" });
      await run(["nft", "delete", "table", "inet", "t"]);
      const unseen = findingsIn((await run(words)).stdout);
      assert.match(
        of(unseen, "firewall")[0]!,
        /^warning: ban_command bans 192\.0\.2\.254, but neither nft nor ip shows the address$/,
      );
      // `ban` would not run the command of a module.
      assert.match(
        unseen.find(({ subject }) => subject === "firewall")!.remedy!,
        /^run `true 192\.0\.2\.254`, see whether your firewall has the address/,
      );
      machine.configure({ ban_command: "false %s", unban_command: "true %s" });
      const { code, stdout } = await run(words);
      assert.equal(code, 1);
      assert.deepEqual(of(findingsIn(stdout), "firewall"), ["failure: false %s: exit status 1"]);
      const broken = machine.program("broken", 'no-such-firewall "$1"');
      machine.configure({ ban_command: `${broken} %s`, unban_command: "true %s" });
      assert.match(
        of(findingsIn((await run(words)).stdout), "firewall").join(),
        /^failure: \S*broken %s: exit status 127: .*no-such-firewall: (?:command )?not found$/,
      );
    });
  },
});

Deno.test({
  name: "`doctor` goes on where the configuration is wrong, and fails",
  ignore: !canMakeJournals,
  async fn() {
    await withJournal([sshd(90, "Invalid user bob from 192.0.2.7 port 1")], async (machine) => {
      Deno.writeTextFileSync(machine.config, '{ "modules": { "SSHD": { "rules": [] } } }');
      const { code, findings } = await doctor(machine);
      assert.equal(code, 1);
      assert.match(
        of(findings, "config")[0]!,
        /^failure: Cannot load modules\.SSHD\.rules: must hold at least one rule/,
      );
      assert.equal(of(findings, "config")[1], "warning: what follows goes by the shipped configuration");
      assert.deepEqual(of(findings, "firewall"), []);
      for (const subject of ["user", "files", "journal", "service", "clock"]) {
        assert.notDeepEqual(of(findings, subject), [], `${subject}: ${JSON.stringify(findings)}`);
      }
    });
  },
});

Deno.test("`doctor` examines the modules of a configuration whose password is missing, and asks no database", async () => {
  using machine = new Machine();
  const DB = { host: "localhost", user: "u", database: "d" };
  const log = `${machine.directory}/auth.log`;
  machine.configure({ DB, whitelist_files: "friends" }, { SSHD: { match: { file: log } } });
  const { code, findings } = await doctor(machine);
  assert.equal(code, 1);
  const failures = of(findings, "config").filter((text) => text.startsWith("failure: "));
  assert.deepEqual(failures.map((text) => text.replaceAll(machine.directory, "")), [
    "failure: Cannot read the database password: /db_password.secret does not exist",
    "failure: Cannot read the whitelist file: /friends does not exist",
  ]);
  assert.deepEqual(of(findings, "logs"), [`warning: there is no ${log} yet`]);
  assert.notDeepEqual(of(findings, "firewall"), []);
  assert.deepEqual(of(findings, "database"), []);
});

Deno.test("`doctor` notices a clock that is behind what the monitor has seen, and a monitor that does not run", async () => {
  using machine = new Machine();
  using temporary = temporaryState();
  const { directory, state } = temporary;
  machine.configure({ state: directory });
  const [journal] = REPORT.sources;
  const report = { ...REPORT, sources: [{ ...journal!, lastBatch: now() + 3_600 * SECOND }] };
  state.setReport(JSON.stringify(report));
  const { code, findings } = await doctor(machine);
  assert.equal(code, 1);
  assert.match(of(findings, "clock")[0]!, /^failure: the clock says .*, but the monitor has worked at /);
  assert.deepEqual(of(findings, "monitor"), ["failure: does not run"]);
});

Deno.test("`doctor` tells why the last monitor ended, with that reason's remedy", async () => {
  using machine = new Machine();
  using temporary = temporaryState();
  machine.configure({ state: temporary.directory });
  const reason = "Cannot read the journal: user x may not see what others write; let it with: adduser";
  temporary.state.setReport(JSON.stringify({ ...REPORT, running: false, failure: reason }));
  const { findings } = await doctor(machine);
  const [{ text, remedy }] = findings.filter(({ subject }) => subject === "monitor") as [Finding];
  assert.equal(text, "does not run: Cannot read the journal: user x may not see what others write");
  assert.equal(remedy, "let it with: adduser");
});

Deno.test({
  name: "`doctor` names files that the monitor's user cannot use, and those that others may change",
  ignore: Deno.uid() !== 0,
  async fn() {
    using machine = new Machine();
    machine.program("getent", 'test "$1" = passwd && echo strongmonitor:x:990:990::/:/bin/false');
    const log = `${machine.directory}/ssh.log`;
    Deno.writeTextFileSync(log, "", { mode: 0o600 });
    const closed = `${machine.directory}/closed`;
    // One may enter it, but not list it.
    Deno.mkdirSync(closed, { mode: 0o711 });
    for (const name of ["a", "b"]) Deno.writeTextFileSync(`${closed}/${name}.log`, "", { mode: 0o644 });
    machine.configure({}, { SSHD: { match: { file: [log, `${closed}/*.log`] } } });
    Deno.chmodSync(machine.config, 0o646);
    const { code, findings } = await doctor(machine);
    assert.equal(code, 1);
    assert.deepEqual(of(findings, "logs"), [
      `failure: the mode of ${log} does not let the user strongmonitor read it`,
      `failure: the mode of ${closed} does not let the user strongmonitor read it`,
    ]);
    assert.deepEqual(
      findings.filter(({ subject }) => subject === "logs").map(({ remedy }) => remedy),
      [[log, "r"], [closed, "rx"]].map(([path, right]) =>
        `unless an access control list does, let it with: chgrp adm ${path} && chmod g+${right} ${path}`
      ),
    );
    assert.deepEqual(of(findings, "files"), [`failure: others than root may change ${machine.config}`]);
    const state = `${machine.directory}/state`;
    Deno.mkdirSync(state, { mode: 0o755 });
    Deno.chownSync(state, 990, 990);
    Deno.writeTextFileSync(`${state}/state.db-wal`, "");
    // A page that root had written there.
    Deno.writeTextFileSync(`${state}/a.html`, "");
    assert.deepEqual(of((await doctor(machine)).findings, "files").slice(1), [
      `failure: others may use ${state}`,
      `failure: ${state}/state.db-wal is not strongmonitor's, so that the monitor cannot write it`,
    ]);
    Deno.removeSync(state, { recursive: true });
    Deno.chmodSync(log, 0o644);
    Deno.removeSync(closed, { recursive: true });
    Deno.chmodSync(machine.config, 0o644);
    const mended = await doctor(machine);
    assert.equal(of(mended.findings, "logs")[0], `ok: 1 file of ${log} can be read`);
    assert.deepEqual(of(mended.findings, "files").map((text) => text.slice(0, 3)), ["ok:"]);
  },
});

Deno.test("`doctor` fits a terminal of 80 columns, breaks no word, and ends in a verdict", async () => {
  using machine = new Machine();
  machine.configure({ ban_command: "false %s", unban_command: "false %s" });
  const [command, ...args] = machine.words("doctor", "--config", machine.config);
  const { stdout } = await new Deno.Command(command!, { args, stdin: "null" }).output();
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  const short = lines.filter((line) => !line.includes(machine.directory));
  assert.deepEqual(short.filter((line) => line.length > 80), []);
  assert.match(lines.at(-1)!, /^\d+ failures?, \d+ warnings?\.$/);
});

Deno.test("`doctor` says what this program was not built for, and goes without", async () => {
  using machine = new Machine();
  machine.configure({ firewall: "nftables" }, { SSHD: { match: { file: `${machine.directory}/*.log` } } });
  Deno.writeTextFileSync(`${machine.directory}/ssh.log`, "x\n");
  const rights = [`--allow-read=${machine.directory}`, "--allow-run=getent", "--allow-sys"];
  const { code, stdout, stderr } = await program(["doctor", "--json", "--config", machine.config], rights);
  assert.deepEqual([code, stderr], [1, ""]);
  const sandbox = findingsIn(stdout).filter(({ subject }) => subject === "sandbox");
  assert.match(sandbox[0]!.text, /config\.jsonc: this program may not run ip$/);
  assert.match(sandbox[0]!.remedy ?? "", /^build .*deno task build --config /);
  assert.ok(sandbox.every(({ result }) => result === "failure"));
});

Deno.test("`doctor` tells the problems that a running monitor has reported", async () => {
  using machine = new Machine();
  using temporary = temporaryState();
  const { directory, state } = temporary;
  using lock = disposable(takeLock(directory)!);
  machine.configure({ state: directory });
  state.setReport(JSON.stringify(REPORT));
  const { code, findings } = await doctor(machine);
  assert.equal(code, 1);
  assert.match(
    of(findings, "monitor").join("\n"),
    /^failure: Banned and still getting through: 192\.0\.2\.9: /m,
  );
  state.setReport(JSON.stringify({ ...REPORT, leaks: [], modules: [] }));
  assert.match(of((await doctor(machine)).findings, "monitor")[0]!, /^ok: runs since /);
  const metricsError = "Cannot write the metrics to /a.prom: no";
  state.setReport(JSON.stringify({ ...REPORT, leaks: [], modules: [], metricsError }));
  assert.deepEqual(of((await doctor(machine)).findings, "monitor"), [`failure: ${metricsError}`]);
  state.setReport(JSON.stringify({ ...REPORT, leaks: [], modules: [], time: 2_000_000 }));
  const hanging = await doctor(machine);
  assert.equal(hanging.code, 1);
  assert.match(of(hanging.findings, "monitor").join("\n"), /^failure: the monitor has not reported since /);
  assert.ok(lock);
});

/** Releases a lock at the end of the scope. */
function disposable(lock: Lock): Lock & Disposable {
  return { ...lock, [Symbol.dispose]: () => lock.release() };
}
