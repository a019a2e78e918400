import { strict as assert } from "node:assert";
import { parse } from "jsonc-parser";
import { SHIPPED, UNEDITED } from "../../../lib/config/shipped.ts";
import { load } from "../../support/configs.ts";
import { hasJournald, Journald } from "../../support/journald.ts";
import { exists, works } from "../../support/probes.ts";
import { AS_OTHER, findingsIn, Machine, of } from "../../support/machine.ts";
import { inNamespace, lacking } from "../../support/namespace.ts";
import { hasNginx, RealNginx } from "../../support/nginx.ts";
import type { Result } from "../../support/program.ts";

/** Runs a command, with these variables and this standard input. */
async function run(words: readonly string[], env: Record<string, string> = {}, input = ""): Promise<Result> {
  const [program, ...args] = words;
  const child = new Deno.Command(program!, { args, env, stdin: "piped", stdout: "piped", stderr: "piped" })
    .spawn();
  await new Blob([input]).stream().pipeTo(child.stdin).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** A machine without a journal, nginx and users of ours, on which nobody may become root. */
function bareMachine(): Machine {
  const machine = new Machine();
  machine.program("journalctl", 'echo "No journal files were found." >&2; exit 1');
  machine.program("getent", "exit 2");
  machine.program("nft", "case $1 in --version|-nt) ;; *) exit 1 ;; esac");
  machine.program("sudo", `echo "$*" >> ${machine.directory}/sudo`);
  return machine;
}

/** What stands before root's commands where somebody else asks. */
const SUDO = Deno.uid() === 0 ? "" : "sudo ";

/** Words that run `init` on a machine, its configuration going into the machine's directory. */
function init(machine: Machine, ...args: readonly string[]): string[] {
  const target = `${machine.directory}/etc/config.jsonc`;
  return machine.words(
    "init",
    "--config",
    target,
    "--nginx-conf",
    `${machine.directory}/nginx.conf`,
    ...args,
  );
}

Deno.test("`init --yes` prints a configuration that loads, with the shipped settings, and runs nothing as root", async () => {
  using machine = bareMachine();
  const { code, stdout, stderr } = await run(init(machine, "--yes"));
  assert.equal(code, 0, stderr);
  assert.equal(load(stdout).ban.firewall, "nftables");
  const { $schema, firewall, nft_command, whitelist, modules, ...settings } = parse(stdout);
  assert.deepEqual([firewall, nft_command, whitelist], ["nftables", "nft", []]);
  assert.match($schema, /^file:.*\.json$/);
  assert.equal(modules.SSHD.no_log, "Connection from ");
  const { $schema: _, modules: __, ...shipped } = parse(SHIPPED);
  assert.deepEqual(settings, shipped);
  assert.ok(stdout.split("\n").length < 60);
  const etc = `${machine.directory}/etc`;
  assert.match(
    stderr,
    new RegExp(`What root has to do:
  ${SUDO}useradd --system --user-group --shell /usr/sbin/nologin strongmonitor
  ${SUDO}install -d -o root -g strongmonitor -m 750 ${etc}
  strongmonitor init --yes --nginx-conf ${machine.directory}/nginx.conf \\| ${SUDO}install -o root -g strongmonitor -m 640 /dev/stdin ${etc}/config.jsonc
  ${SUDO}systemctl enable strongmonitor
  ${SUDO}systemctl restart strongmonitor\n`),
  );
  assert.throws(() => Deno.statSync(`${machine.directory}/sudo`), Deno.errors.NotFound);
});

Deno.test({
  name: "`init` puts sudo before root's commands for whoever is not root",
  ignore: AS_OTHER === null,
  async fn() {
    using machine = bareMachine();
    const { code, stdout, stderr } = await run([...AS_OTHER!, ...init(machine, "--json")]);
    assert.equal(code, 0, stderr);
    assert.equal(JSON.parse(stdout).commands.at(-1), "sudo systemctl restart strongmonitor");
  },
});

Deno.test("`init` and `doctor` name the unit that is installed, and say where none is", async () => {
  using machine = bareMachine();
  machine.configure({ firewall: "nftables" });
  for (const unit of ["strongmonitor", "strongmonitor-sudo"]) {
    machine.install(unit);
    const { commands, config, problems } = JSON.parse((await run(init(machine, "--json"))).stdout);
    assert.deepEqual(
      commands.slice(-2),
      ["enable", "restart"].map((verb) => `${SUDO}systemctl ${verb} ${unit}`),
    );
    assert.equal(parse(config).nft_command, unit === "strongmonitor" ? "nft" : "sudo -n nft");
    assert.ok(problems.every((problem: string) => !problem.includes("unit")));
    // The bare machine has no journal.
    assert.match(problems.at(-1), /^There is no journal: docs\/installing\.md tells .* without systemd$/);
    const { stdout } = await run(machine.words("doctor", "--json", "--config", machine.config));
    const remedies = findingsIn(stdout).filter(({ subject }) => ["unit", "monitor"].includes(subject));
    assert.deepEqual(remedies.map(({ remedy }) => remedy), [`${SUDO}systemctl enable --now ${unit}`]);
  }
  machine.install();
  const { commands, problems } = JSON.parse((await run(init(machine, "--json"))).stdout);
  assert.match(commands.at(-1), /config\.jsonc$/);
  assert.match(problems.at(-1), /^No unit starts the monitor; install strongmonitor\.service: /);
  const { stdout } = await run(machine.words("doctor", "--json", "--config", machine.config));
  const remedies = findingsIn(stdout).filter(({ subject }) => ["unit", "monitor"].includes(subject));
  assert.deepEqual(remedies.map(({ remedy }) => remedy), Array(2).fill(problems.at(-1).split("; ")[1]));
});

Deno.test("`init` writes what `check` finds good without a journal", async () => {
  using machine = bareMachine();
  Deno.writeTextFileSync(`${machine.directory}/nginx.conf`, "events {}");
  const { stdout } = await run(init(machine, "--yes"));
  Deno.writeTextFileSync(machine.config, stdout);
  const { code, stdout: said } = await run(machine.words("check", "--config", machine.config));
  assert.equal(code, 0, said);
});

Deno.test("`init` says beforehand what `check` will complain of, and leaves a journal to the monitor that its caller may not read", async () => {
  using machine = bareMachine();
  const denied = 'echo "No journal files were opened due to insufficient permissions." >&2; exit 1';
  machine.program("journalctl", denied);
  const { stderr, stdout } = await run(init(machine, "--yes"));
  assert.equal(parse(stdout).modules.SSHD.match, undefined);
  assert.match(stderr, /^journal +Cannot read the journal: user \S+ may not read its files; /m);
  if (Deno.uid() === 0) {
    assert.match(
      stderr,
      /^Still missing: Cannot read the journal: user root .*; give it CAP_DAC_READ_SEARCH, /m,
    );
  }
  if (AS_OTHER === null) return;
  const other = await run([...AS_OTHER, ...init(machine, "--yes")]);
  assert.match(other.stderr, /^journal .* may not read its files; `sudo strongmonitor init` finds more$/m);
  assert.doesNotMatch(other.stderr, /usermod|tmpfiles|Still missing: Cannot read the journal/);
  const { problems } = JSON.parse((await run([...AS_OTHER, ...init(machine, "--json")])).stdout);
  assert.doesNotMatch(problems.join(), /journal/);
});

Deno.test("`init` starts the unit that ran last, and lets nft run as that unit may", async () => {
  using machine = bareMachine();
  for (
    const [unit, capabilities, started, command] of [
      ["strongmonitor-sudo.service", "0", "strongmonitor-sudo", "sudo -n nft"],
      ["strongmonitor.service", "1000", "strongmonitor", "nft"],
      ["--now.service", "1000", "strongmonitor", "nft"],
    ]
  ) {
    const entry = JSON.stringify({ _SYSTEMD_UNIT: unit, _CAP_EFFECTIVE: capabilities, _UID: "990" });
    machine.program(
      "journalctl",
      `case "$*" in *SYSLOG_IDENTIFIER=strongmonitor*) echo '${entry}';; *) echo "No journal files were found." >&2;; esac`,
    );
    const { config, commands } = JSON.parse((await run(init(machine, "--json"))).stdout);
    assert.equal(commands.at(-1), `${SUDO}systemctl restart ${started}`);
    assert.equal(parse(config).nft_command, command);
  }
});

Deno.test("`init` puts the configuration at an absolute path, and not into standard input", async () => {
  using machine = bareMachine();
  const words = (config: string) => machine.words("init", "--json", "--config", config);
  const { stdout } = await run(words("some.jsonc"));
  assert.ok(JSON.parse(stdout).commands.join().includes(` /dev/stdin ${Deno.cwd()}/some.jsonc`), stdout);
  const { code, stderr } = await run(words("-"));
  assert.equal(code, 64);
  assert.match(stderr, /^strongmonitor: Cannot write standard input: name a file by --config\n/);
});

Deno.test("`init` says why it did not read the nginx.conf that was named, on a machine without logs of nginx", async () => {
  using machine = bareMachine();
  Deno.mkdirSync(`${machine.directory}/nginx.conf`);
  const hidden = works("unshare", ["--mount", "true"])
    ? ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/log/nginx; exec "$@"', "sh"]
    : [];
  const { nginx } = JSON.parse((await run([...hidden, ...init(machine, "--json")])).stdout);
  assert.match(nginx.error, /irectory/);
});

Deno.test("`init` does not call nft missing where the program may not run it, and says how to build one that may run all", async () => {
  using machine = bareMachine();
  const words = init(machine, "--yes").map((word) => word === "--allow-all" ? "--allow-run=getent" : word);
  const rights = ["--allow-read", "--allow-env", "--allow-sys"];
  const at = words.indexOf("--allow-run=getent");
  const { stderr } = await run([...words.slice(0, at), ...rights, ...words.slice(at)]);
  assert.match(stderr, /^firewall +this program may not run nft$/m);
  assert.match(stderr, /^Still missing: Cannot .*; or build one that may, .*: deno task build/m);
  assert.doesNotMatch(stderr, /^Still missing: Or/m);
});

Deno.test("`init` names the package of nft where the program may run nft, which is not installed", async () => {
  using machine = bareMachine();
  Deno.removeSync(`${machine.directory}/bin/nft`);
  const rights = ["--allow-read", "--allow-env", "--allow-sys", "--allow-run=getent,journalctl,nft"];
  const words = init(machine, "--yes").flatMap((word) =>
    word === "--allow-all" ? rights : word.startsWith("PATH=") ? `PATH=${machine.directory}/bin` : word
  );
  const { stdout, stderr } = await run(words);
  assert.match(stderr, /^firewall +nft is not installed, the package nftables has it$/m);
  assert.equal(parse(stdout).firewall, "observe");
});

Deno.test("`init` leaves out only those formats of nginx that name no client", async () => {
  using machine = bareMachine();
  const text = `log_format good '$remote_addr $status'; log_format bad '$status';
    access_log /var/log/nginx/a.log good; access_log /var/log/nginx/b.log bad;`;
  Deno.writeTextFileSync(`${machine.directory}/nginx.conf`, text);
  const { stdout, stderr } = await run(init(machine, "--yes"));
  assert.equal(load(stdout).modules.length, 2, stderr);
  assert.deepEqual(parse(stdout).modules.NGINX.log_format, ["$remote_addr $status"]);
  assert.match(stdout.replaceAll(/\n +\/\/ /g, " "), /not read in full: .* must hold \$remote_addr/);
});

Deno.test("`init` says that clients could write lines of their own with escape=none", async () => {
  using machine = bareMachine();
  const format = `log_format raw escape=none '$remote_addr - $remote_user [$time_local] "$request" $status';`;
  Deno.writeTextFileSync(`${machine.directory}/nginx.conf`, `${format} access_log /var/log/nginx/a.log raw;`);
  const { stdout } = await run(init(machine, "--yes"));
  assert.match(
    stdout.replaceAll(/\n +\/\/ /g, " "),
    /not read in full: .* holds \$remote_user with escape=none/,
  );
});

Deno.test("`init` leaves out a proxy that nginx.conf names by its host name, and says so", async () => {
  using machine = bareMachine();
  const text = "http { set_real_ip_from cdn.example; set_real_ip_from 192.0.2.0/24; }";
  Deno.writeTextFileSync(`${machine.directory}/nginx.conf`, text);
  const { stdout, stderr } = await run(init(machine, "--yes"));
  assert.deepEqual(parse(stdout).modules.NGINX.trusted_proxies, ["192.0.2.0/24"]);
  assert.match(stderr, /not read in full: set_real_ip_from cdn\.example is no address, add its addresses\n/);
});

Deno.test("`init` only observes where a container keeps nft from banning, and says who can change that", async () => {
  using machine = bareMachine();
  machine.program("nft", 'test "$1" = --version || { echo Operation not permitted >&2; exit 1; }');
  const entry = JSON.stringify({ _SYSTEMD_UNIT: "strongmonitor.service", _CAP_EFFECTIVE: "0", _UID: "990" });
  machine.program("journalctl", `case "$*" in *=strongmonitor*) echo '${entry}' ;; esac`);
  const causes = [
    [[], /root may not use nft \(exit status 1: Operation not permitted\): a container's host/],
    [AS_OTHER, /strongmonitor\.service ran without the right to ban: a container's host/],
  ] as const;
  for (const [as, cause] of Deno.uid() === 0 ? causes : causes.slice(1)) {
    if (as === null) continue;
    const { stdout, stderr } = await run([...as, ...init(machine, "--yes")]);
    assert.match(stderr, new RegExp(`^firewall  ${cause.source} has to grant CAP_NET_ADMIN$`, "m"));
    assert.match(stdout.replaceAll(/\n +\/\/ /g, " "), new RegExp(`Only observes: ${cause.source}`));
    const { firewall, nft_command } = parse(stdout);
    assert.deepEqual([firewall, nft_command], ["observe", undefined]);
  }
});

Deno.test("`init --install` runs root's commands in order, and replaces no configuration unless forced or unchanged", async () => {
  using machine = bareMachine();
  machine.program(
    "sudo",
    `shift; echo "$*" >> ${machine.directory}/sudo; case "$*" in *stdin*) cat > ${machine.config};; esac`,
  );
  const target = `${machine.directory}/etc/config.jsonc`;
  const asked = () =>
    Deno.readTextFileSync(`${machine.directory}/sudo`).trim().split("\n").map((line) => line.split(" ")[0]);
  const first = await run(init(machine, "--yes", "--install"));
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(asked(), ["useradd", "install", "install", "systemctl", "systemctl"]);
  assert.equal(Deno.readTextFileSync(machine.config), first.stdout);

  Deno.mkdirSync(`${machine.directory}/etc`);
  Deno.writeTextFileSync(target, "{}");
  const refused = await run(init(machine, "--yes", "--install"));
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /config\.jsonc: it is there already; --force replaces it\n$/);
  assert.equal(asked().length, 5);
  assert.equal((await run(init(machine, "--yes", "--install", "--force"))).code, 0);
  for (const [i, text] of UNEDITED.entries()) {
    Deno.writeTextFileSync(target, text);
    assert.equal((await run(init(machine, "--yes", "--install"))).code, 0);
    assert.equal(asked().length, 13 + 4 * i);
  }

  machine.program("sudo", "exit 3");
  const failed = await run(init(machine, "--yes", "--install", "--force"));
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /Cannot go on: this failed: sudo useradd /);
});

Deno.test({
  name: "`init --install` runs root's commands from a directory that its user may not enter",
  ignore: Deno.uid() !== 0 || AS_OTHER === null,
  async fn() {
    using machine = bareMachine();
    machine.program("sudo", "exit 0");
    Deno.mkdirSync(`${machine.directory}/closed`, { mode: 0o700 });
    Deno.chownSync(`${machine.directory}/closed`, 1, 1);
    const within = ["env", "-C", `${machine.directory}/closed`];
    const { code, stderr } = await run([...within, ...AS_OTHER!, ...init(machine, "--yes", "--install")]);
    assert.equal(code, 0, stderr);
  },
});

Deno.test("`init` prints no command that replaces an edited configuration unless forced, and then one that keeps it", async () => {
  using machine = bareMachine();
  Deno.mkdirSync(`${machine.directory}/etc`);
  Deno.writeTextFileSync(`${machine.directory}/etc/config.jsonc`, "{}");
  const kept = await run(init(machine, "--yes"));
  assert.equal(kept.code, 0, kept.stderr);
  load(kept.stdout);
  assert.match(kept.stderr, /^config {4}\/.*config\.jsonc is there already, and stays$/m);
  assert.match(
    kept.stderr,
    /^Root has nothing to do: \/.*config\.jsonc stays\. With --force, root replaces it /m,
  );
  assert.doesNotMatch(kept.stderr, /Cannot write|What root has to do/);
  assert.deepEqual(JSON.parse((await run(init(machine, "--json"))).stdout).commands, []);
  const { stderr } = await run(init(machine, "--yes", "--force"));
  assert.match(stderr, new RegExp(` \\| ${SUDO}install --backup=numbered -o root `));
});

Deno.test("`init` asks root whether a configuration was edited that its caller may not see", async () => {
  using machine = bareMachine();
  machine.configure({});
  // What stands below a file nobody sees.
  const hidden = ["init", "--yes", "--config", `${machine.config}/config.jsonc`];
  const { stderr } = await run(machine.words(...hidden));
  assert.match(stderr, new RegExp(` \\| ${SUDO}install --backup=numbered -o root `));
  for (const [verdict, code] of [["cmp --silent", 0], ["cmp --verbose", 1]] as const) {
    machine.program(
      "sudo",
      `cat > /dev/null; case "$*" in *"test ! -e"*) exit 1;; *cmp*) expr "$*" : ".*${verdict}";; esac`,
    );
    const done = await run(machine.words(...hidden, "--install"));
    assert.equal(done.code, code, done.stderr);
  }
});

Deno.test("`init` asks on a terminal alone", async () => {
  using machine = bareMachine();
  const refused = await run(init(machine));
  assert.deepEqual([refused.code, refused.stdout], [64, ""]);
  assert.match(refused.stderr, /^strongmonitor: Cannot ask: standard input is no terminal; --yes /);
});

Deno.test({
  name: "`init` asks on standard error, asks again what it does not understand, and goes by the answers",
  ignore: !exists("/usr/bin/script"),
  async fn() {
    using machine = bareMachine();
    Deno.writeTextFileSync(`${machine.directory}/nginx.conf`, "events {}");
    const output = `${machine.directory}/out`;
    const words = init(machine).map((word) => `'${word}'`).join(" ");
    // Bans? What? No. Direct? Yes. Now? No.
    const { code, stdout } = await run(
      ["script", "--quiet", "--return", "--command", `${words} > ${output}`, "/dev/null"],
      { TERM: "dumb" },
      "perhaps\nn\ny\n\n",
    );
    assert.equal(code, 0, stdout);
    assert.match(stdout, /Please answer y or n\./);
    assert.match(stdout, /Do this now, by sudo\? \[y\/N\]/);
    const { firewall, modules } = parse(Deno.readTextFileSync(output));
    assert.deepEqual([firewall, modules.NGINX.trusted_proxies], ["observe", []]);
    assert.throws(() => Deno.statSync(`${machine.directory}/sudo`), Deno.errors.NotFound);
  },
});

Deno.test({
  name: "`init` prints commands on a terminal that a shell takes as they stand, with what was answered",
  ignore: AS_OTHER === null || !exists("/usr/bin/script"),
  async fn() {
    using machine = bareMachine();
    // To anybody but root the commands come with sudo, which is not the real one here.
    const words = [...AS_OTHER!, ...init(machine)].map((word) => `'${word}'`).join(" ");
    // Bans? No. Now? No.
    const { code, stdout } = await run(
      ["script", "--quiet", "--return", "--command", words, "/dev/null"],
      { TERM: "dumb" },
      "n\n\n",
    );
    assert.equal(code, 0, stdout);
    const commands = /What root has to do:\n([^]*)\nDo this now/.exec(stdout.replaceAll("\r", ""))![1]!;
    assert.equal(commands.match(/^(?: *|.* \| )sudo /gm)!.length, 5);
    machine.program("sudo", `case "$*" in *stdin*) cat > ${machine.config};; esac`);
    const path = `${machine.directory}/bin:${Deno.env.get("PATH")}`;
    const done = await run([...AS_OTHER!, "sh", "-ec", commands], { PATH: path });
    assert.deepEqual([done.code, done.stderr], [0, ""]);
    assert.equal(load(Deno.readTextFileSync(machine.config)).ban.firewall, "observe");
    assert.equal(stdout.split('"$schema"').length, 2);
  },
});

Deno.test({
  name: "`init` finds sshd's port and who is logged in, in what sshd writes to journald",
  ignore: !hasJournald,
  async fn() {
    using machine = bareMachine();
    await using journald = await new Journald().ready();
    machine.program("journalctl", `exec /usr/bin/journalctl --directory=${journald.directory} "$@"`);
    await journald.log(["Server listening on 0.0.0.0 port 22.", "Received signal 15; terminating."]);
    await journald.log([
      "Server listening on 0.0.0.0 port 2222.",
      "Server listening on :: port 2222.",
      "Server listening on 0.0.0.0 port 443.",
      "Accepted publickey for eve from 203.0.113.66 port 1111 ssh2: ED25519 SHA256:abc",
      "Disconnected from user eve 203.0.113.66 port 1111",
      "Accepted publickey for bob from 198.51.100.7 port 2222 ssh2: ED25519 SHA256:abc",
    ]);
    const found = JSON.parse((await run(init(machine, "--json"))).stdout);
    assert.deepEqual([found.journal_error, found.ssh_ports], [null, [443, 2222]]);
    assert.deepEqual([found.origins, found.origin], [["198.51.100.7"], "198.51.100.7"]);
    assert.deepEqual(load(found.config).whitelist.members.map(({ address }) => address), ["198.51.100.7"]);
    assert.match(found.config, /\/\/ sshd listens on 443 and 2222\. /);

    // Which of two it is nobody can tell, unless sshd has told the shell.
    await journald.log(["Accepted password for al from 2001:db8::9 port 3333 ssh2"]);
    const two = JSON.parse((await run(init(machine, "--json"))).stdout);
    assert.deepEqual([two.origins.length, two.origin, parse(two.config).whitelist], [2, null, []]);
    const env = { SSH_CONNECTION: "2001:db8::9 3333 192.0.2.1 2222" };
    const told = JSON.parse((await run(init(machine, "--json"), env)).stdout);
    assert.deepEqual([told.origins, told.origin], [["2001:db8::9", "198.51.100.7"], "2001:db8::9"]);
  },
});

/** Requests that bear a name and an agent of their own. */
const REQUEST = "GET /x HTTP/1.1\r\nHost: a.example\r\nUser-Agent: me\r\nConnection: close\r\n\r\n";

Deno.test({
  name: "`init` finds the logs and the formats of a real nginx, and what it writes understands them",
  ignore: !hasNginx,
  async fn() {
    using machine = bareMachine();
    await using nginx = new RealNginx(
      ({ at, port, other }) => `
        # a comment; with { signs
        log_format own '$status|$request_time|' "$remote_addr|\\"$request\\"";
        log_format unused "$remote_addr";
        include ${at("sites")}/*.conf;
        server { listen 127.0.0.1:${port}; access_log ${at("own.log")} own; }
        server { listen 127.0.0.1:${other}; access_log off; }`,
      { "sites-unused": "" },
    );
    Deno.mkdirSync(`${nginx.directory}/sites`);
    Deno.writeTextFileSync(
      `${nginx.directory}/sites/a.conf`,
      `server { listen 127.0.0.1:1; access_log ${nginx.directory}/plain.log; set_real_ip_from 192.0.2.0/24; }`,
    );
    await nginx.ready();
    for (let i = 0; i < 30; i++) await nginx.send(REQUEST);
    const args = ["init", "--json", "--nginx-conf", `${nginx.directory}/nginx.conf`];
    const { nginx: found, config } = JSON.parse((await run(machine.words(...args))).stdout);
    const at = (name: string) => `${nginx.directory}/${name}.log`;
    assert.deepEqual(found.logs.toSorted(), [at("error"), at("own"), at("plain")]);
    assert.deepEqual(found.formats.toSorted(), [
      '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
      '$status|$request_time|$remote_addr|"$request"',
    ]);
    assert.deepEqual(parse(config).modules.NGINX.trusted_proxies, ["192.0.2.0/24"]);

    Deno.writeTextFileSync(machine.config, config.replace("/var/log/nginx/*.log", at("none")));
    const checked = await run(machine.words("check", "--config", machine.config));
    // The bare machine has no journal to read, which `check` tells by exit code 1.
    assert.notEqual(checked.code, 78, checked.stderr);
    const { stdout } = await run(machine.words("doctor", "--json", "--config", machine.config));
    assert.match(
      of(findingsIn(stdout), "service")[1]!,
      /^ok: NGINX understands (\d+) of its newest \1 lines$/,
    );
  },
});

Deno.test({
  name: "`init` sees who else manages the kernel's rules",
  ignore: lacking("ip", "nft"),
  async fn() {
    using machine = bareMachine();
    machine.program("nft", 'exec /usr/sbin/nft "$@"');
    await inNamespace(async (inside) => {
      await inside(
        ["nft", "-f", "-"],
        "add table inet firewalld\nadd table ip filter\nadd chain ip filter ufw-before-input\n",
      );
      const disabled = JSON.parse((await inside(init(machine, "--json"))).stdout);
      assert.deepEqual(disabled.managers, ["firewalld"], "what `ufw disable` leaves");
      await inside(["nft", "-f", "-"], "add chain ip filter ufw-user-input\n");
      const { managers, nft, config } = JSON.parse((await inside(init(machine, "--json"))).stdout);
      assert.deepEqual([nft, managers], [true, ["firewalld", "ufw"]]);
      assert.match(config, /Bans go into nftables, in a table of their own beside firewalld and ufw\./);
    });
  },
});

Deno.test("`init` only observes where nft is not installed", async () => {
  using machine = bareMachine();
  machine.program("nft", "exit 127");
  const { code, stdout } = await run(init(machine, "--yes"));
  assert.equal(code, 0);
  assert.equal(load(stdout).ban.firewall, "observe");
});
