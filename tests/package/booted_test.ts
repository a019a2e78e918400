/**
 * The Debian package under a real systemd, from its installation through bans, mistakes, crashes and a reboot to its
 * purge. BOOTED_SUITES names the Debian suites to boot, separated by commas: in containers of systemd-nspawn, or with
 * BOOTED_BY=qemu in machines with a kernel of their own. BOOTED_ACCELERATORS=tcg emulates such a machine where KVM is
 * there but does not work.
 */
import { strict as assert } from "node:assert";
import { basename } from "node:path";
import type { Bootable, Booted } from "./booted.ts";
import { BOOTED_SUITES, bootsContainers, CONTAINER_TOOLS, Tree } from "./container.ts";
import { DEB, type System, test } from "./debian.ts";
import { Disk, MACHINE_TOOLS } from "./machine.ts";
import { installAndPurge, INSTALLED_AND_PURGED } from "./unbooted.ts";

const IS_EMULATED = Deno.env.get("BOOTED_BY") === "qemu";
const PACKAGES = ["nftables", "iproute2", "openssh-server", "openssh-client", "sudo"];

const SERVER = "198.51.100.1";
/** Where attackers come from, who have never logged in. */
const [ONE, TWO] = ["198.51.100.21", "198.51.100.22"];
const CONFIG = "/etc/strongmonitor/config.jsonc";
/** A script that prints a property of the service (systemctl(1)). */
const show = (property: string) => `systemctl show --value --property=${property} strongmonitor`;
/** A script that succeeds once the service has read its configuration. */
const MONITORS = `journalctl --output=cat _PID=$(${show("MainPID")}) | grep '^monitoring'`;
const banned = (address: string) => `nft get element inet strongmonitor ip_32 '{ ${address} }'`;

const SSH_OPTIONS = `-o BatchMode=yes -o ConnectTimeout=${IS_EMULATED ? 60 : 20} -o StrictHostKeyChecking=no`;
/** ssh from an address as one of many users that do not exist; says "Permission denied" where sshd is heard. */
const knock = (from: string, user: string) =>
  `ip netns exec outside ssh -b ${from} ${SSH_OPTIONS} ${user}@${SERVER}`;

/** Attacks at once by more names than the rules allow, until a script says that it has worked. */
const attack = (from: string, until: string) => `
for i in {1..7}; do ${knock(from, "nobody$i")} > /dev/null 2>&1 & done
for _ in {1..1500}; do (${until}) > /dev/null 2>&1 && break; sleep 0.2; done
kill $(jobs -p) 2> /dev/null
${until}`;

/** An interface to a namespace from which attackers come. It does not outlive the machine. */
const NETWORK = `
set -e
ip netns add outside
ip link add cable type veth peer name cable netns outside
ip address add ${SERVER}/24 dev cable
ip link set cable up
ip -n outside address add ${ONE}/24 dev cable
ip -n outside address add ${TWO}/24 dev cable
ip -n outside link set cable up
`;

/** A ban_command by sudo, as the documentation has it, that only notes whom it is told of. */
const BY_SUDO = `
set -e
install -m 755 /dev/stdin /opt/ban.sh << 'END'
#!/bin/sh
[ "$(id -u)" = 0 ] && echo "$1" >> /run/banned
END
echo 'strongmonitor ALL=(root) NOPASSWD: /opt/ban.sh' > /etc/sudoers.d/banning
cat > ${CONFIG} << 'END'
{ "ban_command": "sudo /opt/ban.sh %s", "unban_command": "sudo /opt/ban.sh %s", "modules": { "SSHD": {} } }
END
`;

/** Returns the commands of a page's first block behind a text, without their comments. */
function commandsBehind(text: string, page: string): string[] {
  const written = Deno.readTextFileSync(new URL(`../../${page}`, import.meta.url));
  const [, block] = /```sh\n([^]*?)\n```/.exec(written.slice(written.indexOf(text)))!;
  return block!.replaceAll(/ +# .*/g, "").split(/(?<!\\)\n/);
}

const [INSTALL, REPLAY, INIT, DOCTOR] = commandsBehind("from a fresh server to real bans", "README.md");
const COPY = commandsBehind("On other systems, copy the program", "README.md").slice(1);
const USE = commandsBehind("## Use it", "README.md");
const [STOP, TRIAL, CONFIRM, START] = commandsBehind("## Trying it first", "docs/installing.md");
const UNINSTALL = commandsBehind("If you copied the program", "docs/installing.md");

/** What an admin types at a terminal of 80 columns, and the answers: fails where the first command fails that does. */
function typed(lines: readonly (string | undefined)[], { at = "/opt", keys = "" } = {}): string {
  return `cat > /opt/typed << 'END'
set -e
stty columns 80 rows 24
cd ${at}
${lines.join("\n")}
END
printf '${keys}' | runuser -u admin -- script --quiet --return --command 'bash /opt/typed' /dev/null`;
}

/** What the machine needs beside Debian: a newer version of the package, a name, and somebody who may use sudo. */
const PREPARATION = `
set -e
cd /opt
dpkg-deb --raw-extract old.deb newer
sed -i 's/^Version: .*/&+1/' newer/DEBIAN/control
dpkg-deb --root-owner-group -Zgzip -z1 --build newer new.deb
mkdir -p clone/dist
mv newer/usr/bin/strongmonitor clone/dist
rm -r newer
echo machine > /etc/hostname
echo '127.0.1.1 machine' >> /etc/hosts
systemctl enable nftables
useradd --create-home --shell /bin/bash admin
echo 'admin ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/admin
`;

async function prepare(system: System, context: Deno.TestContext): Promise<void> {
  if (!IS_EMULATED) {
    assert.ok(await context.step(`is ${INSTALLED_AND_PURGED}`, () => installAndPurge(system)));
  }
  await Deno.copyFile(DEB, `${system.root}/opt/old.deb`);
  await Deno.copyFile(DEB, `${system.root}/opt/${basename(DEB)}`);
  await system.sh(PREPARATION);
  for (const file of ["config.jsonc", "strongmonitor.service", "strongmonitor-sudo.service"]) {
    await Deno.copyFile(new URL(`../../${file}`, import.meta.url), `${system.root}/opt/clone/${file}`);
  }
}

/** A part of the service's life, and its name. Each stands on the one before. */
type Step = readonly [string, (machine: Booted) => Promise<void>];

/** An emulated machine is too slow for these: commands give other programs a few seconds. */
const DOCTORED: Step = ["is found well by its doctor", async (machine) => {
  await machine.until(typed([DOCTOR]));
}];
const USED: Step = ["does what README.md says, on a terminal", async (machine) => {
  await machine.sh(`cp ${CONFIG} /opt/new.jsonc && chmod a+r /opt/new.jsonc && chmod a+w /opt`);
  for (const line of USE) await machine.sh(typed([line], { keys: line.includes(" watch") ? "q" : "" }));
}];

const BEFORE_REBOOT: readonly Step[] = [
  ["is installed and started as its own user with one capability", async (machine) => {
    await machine.sh(NETWORK);
    await machine.sh(typed([INSTALL]));
    assert.equal(await machine.sh("systemctl is-active strongmonitor"), "active");
    assert.equal(await machine.sh(`ps -o user:20= $(${show("MainPID")})`), "strongmonitor");
    assert.match(await machine.sh(`cat /proc/$(${show("MainPID")})/status`), /^CapEff:\t0{12}1000$/m);
    const verified = await machine.sh("systemd-analyze verify --man=no strongmonitor{,-sudo}.service");
    assert.equal(verified, "");
  }],
  ["tells whom it would have banned", async (machine) => {
    assert.match(await machine.sh(typed([REPLAY])), /\d+ bans?/);
  }],
  ["is configured by an admin's init", async (machine) => {
    await machine.sh(typed([INIT], { keys: "y\\ny\\ny\\n" }));
    await machine.until(MONITORS);
    await machine.sh(`cp -a ${CONFIG} /root/good`);
  }],
  ...IS_EMULATED ? [] : [DOCTORED],
  ["bans whoever tries many names, in the kernel", async (machine) => {
    assert.match((await machine.run(knock(ONE, "nobody"))).text, /Permission denied/);
    await machine.sh(attack(ONE, banned(ONE)));
    // An answer would come at once: see TWO's.
    const short = knock(ONE, "nobody").replace(/ConnectTimeout=\d+/, "ConnectTimeout=5");
    assert.match((await machine.run(short)).text, /timed out/);
    assert.match((await machine.run(knock(TWO, "nobody"))).text, /Permission denied/);
  }],
  ...IS_EMULATED ? [] : [USED],
  ["bans in a trial, which is confirmed", async (machine) => {
    await machine.sh(STOP!);
    await machine.sh(`cat > /opt/trial << 'END'\n${TRIAL}\nEND`);
    // It wants a terminal.
    await machine.sh(
      "systemd-run --unit=terminal script --quiet --flush --command 'sh /opt/trial' /opt/trial.log",
    );
    await machine.until("grep 'monitoring SSHD' /opt/trial.log");
    await machine.sh(`strongmonitor ban ${TWO}`);
    await machine.until(banned(TWO));
    await machine.sh(CONFIRM!);
    await machine.sh(`strongmonitor unban ${TWO}`);
    await machine.until(`! ${banned(TWO)}`);
    await machine.sh("pkill --signal INT --exact strongmonitor");
    await machine.until("! systemctl is-active terminal");
    await machine.sh(START!);
    await machine.until(MONITORS);
  }],
  ["puts bans back after nftables is reloaded", async (machine) => {
    // It has run for longer than an nft that refuses its arguments.
    await machine.until(
      `ps --ppid $(${
        show("MainPID")
      }) -o etimes=,args= | awk '/nft monitor/ && $1 > 5 { n++ } END { exit !n }'`,
    );
    await machine.sh("systemctl reload nftables");
    await machine.until(banned(ONE));
  }],
  ["is started again after a SIGKILL", async (machine) => {
    const pid = await machine.sh(show("MainPID"));
    await machine.sh(`kill -KILL ${pid}`);
    await machine.until(`p=$(${show("MainPID")}); [[ $p != 0 && $p != ${pid} ]]`);
    await machine.until(MONITORS);
  }],
  ["goes on when a reload is refused, and unbans with a wrong configuration", async (machine) => {
    const pid = await machine.sh(show("MainPID"));
    await machine.sh(`echo '{ broken' > ${CONFIG}`);
    assert.equal((await machine.run("systemctl reload strongmonitor")).code, 1);
    assert.equal(await machine.sh(show("MainPID")), pid);
    assert.equal(await machine.sh("systemctl is-active strongmonitor"), "active");
    await machine.sh(`strongmonitor unban ${ONE}`);
    await machine.until(`! ${banned(ONE)}`);
  }],
  ["is refused with a wrong configuration at once, and not tried again", async (machine) => {
    const isRefused = async () => {
      await machine.until("systemctl is-failed strongmonitor");
      // While another start is to come, for the five seconds of RestartSec=, it is "auto-restart".
      assert.equal(await machine.sh(`sleep 1; ${show("SubState")}; ${show("NRestarts")}`), "failed\n0");
    };
    assert.equal((await machine.run("systemctl restart strongmonitor")).code, 1);
    await isRefused();
    assert.equal((await machine.run("systemctl start strongmonitor")).code, 1);
    await isRefused();
    await machine.sh(`cp -a /root/good ${CONFIG} && systemctl start strongmonitor`);
    await machine.until(MONITORS);
  }],
  ["is upgraded, with bans kept", async (machine) => {
    await machine.sh(`strongmonitor ban ${ONE}`);
    await machine.until(banned(ONE));
    const pid = await machine.sh(show("MainPID"));
    await machine.sh("apt-get install --yes /opt/new.deb");
    assert.notEqual(await machine.sh(show("MainPID")), pid);
    assert.equal(await machine.sh("systemctl is-active strongmonitor"), "active");
    await machine.sh(banned(ONE));
    await machine.sh(`cmp /root/good ${CONFIG}`);
  }],
];

/** Returns the names that stand for the service in the system. */
async function traces(machine: Booted): Promise<string> {
  const places = "/etc /run /usr /var/lib/strongmonitor /var/lib/systemd";
  return (await machine.run(
    `getent passwd strongmonitor; getent group strongmonitor; find ${places} -name '*strongmonitor*' 2> /dev/null`,
  )).text;
}

const AFTER_REBOOT: readonly Step[] = [
  ["bans again those who were banned before", async (machine) => {
    await machine.until(banned(ONE));
  }],
  ["bans by sudo with its other unit", async (machine) => {
    await machine.sh(NETWORK);
    await machine.sh(BY_SUDO);
    await machine.sh("systemctl disable --now strongmonitor && systemctl enable --now strongmonitor-sudo");
    await machine.sh(attack(TWO, `grep -x ${TWO} /run/banned`));
    await machine.sh("systemctl disable --now strongmonitor-sudo");
    await machine.sh(`cp -a /root/good ${CONFIG} && systemctl enable --now strongmonitor`);
    await machine.until(banned(ONE));
  }],
  ["is removed with bans kept, and purged without a trace", async (machine) => {
    await machine.sh("nft add table inet mine");
    await machine.sh("apt-get remove --yes strongmonitor");
    await machine.sh(banned(ONE));
    assert.equal((await machine.run("systemctl is-active strongmonitor")).text, "inactive");
    await machine.sh("apt-get install --yes /opt/new.deb && systemctl is-active strongmonitor");
    await machine.sh("apt-get purge --yes strongmonitor");
    assert.equal(await machine.sh("nft list tables"), "table inet filter\ntable inet mine");
    assert.equal(await traces(machine), "");
  }],
  ["bans as a copied program, which is uninstalled without a trace", async (machine) => {
    await machine.sh(typed(COPY, { at: "/opt/clone" }));
    await machine.until(MONITORS);
    await machine.sh(typed([INIT], { keys: "y\\ny\\ny\\n" }));
    await machine.until(MONITORS);
    await machine.sh(attack(TWO, banned(TWO)));
    await machine.sh(typed(UNINSTALL));
    assert.equal(await machine.sh("nft list tables"), "table inet filter\ntable inet mine");
    assert.equal(await traces(machine), "");
  }],
];

/** Newest lines of the service, its checks and systemd about it. */
const JOURNAL = "journalctl --no-pager --lines=30 --unit=strongmonitor --unit=strongmonitor-sudo";

/** Boots a system and takes the service through these steps, the first failure being the last one. */
async function live(system: Bootable, steps: readonly Step[], context: Deno.TestContext): Promise<void> {
  await using machine = await system.boot();
  for (const [name, step] of steps) {
    if (await context.step(name, () => step(machine))) continue;
    assert.fail(`${name}\n${(await machine.run(JOURNAL)).text}`);
  }
  await machine.shutDown();
}

if (BOOTED_SUITES.length === 0) {
  Deno.test({ name: "the package bans in a booted Debian: BOOTED_SUITES names none", ignore: true, fn() {} });
} else if (!IS_EMULATED && !await bootsContainers()) {
  Deno.test({
    name: "the package bans in a booted Debian: systemd-nspawn boots nothing",
    ignore: true,
    fn() {},
  });
} else {
  const [form, tools, where] = IS_EMULATED
    ? [Disk, MACHINE_TOOLS, "qemu"] as const
    : [Tree, CONTAINER_TOOLS, "systemd-nspawn"] as const;
  for (const suite of BOOTED_SUITES) {
    test(
      `the package bans in a Debian ${suite} booted by ${where} until it is purged`,
      tools,
      async (context) => {
        await using system = await form.make(suite, PACKAGES, (system) => prepare(system, context));
        await live(system, BEFORE_REBOOT, context);
        await live(system, AFTER_REBOOT, context);
      },
    );
  }
}
