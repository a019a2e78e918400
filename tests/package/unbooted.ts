/** What becomes of the package in a Debian system of which nothing is booted. */
import { strict as assert } from "node:assert";
import { WATCHING } from "../../lib/firewall/nft_watch.ts";
import { DEB, exists, type System } from "./debian.ts";

/** Packages that a system needs for `installAndPurge()`. */
export const UNBOOTED_PACKAGES = ["systemd", "nftables", "iproute2"];

/** What it proves, as a test's name goes on. */
export const INSTALLED_AND_PURGED = "installed where nothing runs, upgraded, and purged without a trace";

/** Installs, upgrades, removes and purges the package, and looks for what it leaves. */
export async function installAndPurge(system: System): Promise<void> {
  await Deno.copyFile(DEB, `${system.root}/tmp/it.deb`);
  const before = await system.sh(
    "find / -xdev -path /proc -prune -o -path '/var/*' -prune -o -print | sort",
  );
  await system.sh("dpkg --install /tmp/it.deb");
  assert.match(await system.sh("strongmonitor --version"), /^\d+\.\d+\.\d+\n$/);
  assert.match(
    await system.sh("id strongmonitor"),
    /\(adm\).*\(systemd-journal\)|\(systemd-journal\).*\(adm\)/,
  );
  assert.match(
    await system.sh("stat --format='%A %U:%G' /etc/strongmonitor /etc/strongmonitor/config.jsonc"),
    /^drwxr-x--- root:strongmonitor\n-rw-r----- root:strongmonitor\n$/,
  );
  // It listens until it is ended: its nft knows the arguments.
  assert.equal(await system.sh(`timeout 2 nft ${WATCHING.join(" ")}; echo $?`), "124\n");
  await system.sh("systemctl is-enabled strongmonitor.service");
  await system.sh(
    "grep -qx AmbientCapabilities=CAP_NET_ADMIN /usr/lib/systemd/system/strongmonitor.service && " +
      "grep -qx AmbientCapabilities= /usr/lib/systemd/system/strongmonitor-sudo.service",
  );
  assert.match(
    await system.sh("MANPAGER=cat; gzip -dc /usr/share/man/man8/strongmonitor.8.gz"),
    /strongmonitor bans/,
  );
  await system.sh("bash -n /usr/share/bash-completion/completions/strongmonitor");

  await system.sh(
    "install -d -o strongmonitor -g strongmonitor -m 700 /var/lib/strongmonitor && " +
      "echo '// mine' >> /etc/strongmonitor/config.jsonc",
  );
  await Deno.writeTextFile(`${system.root}/var/lib/strongmonitor/state.db`, "bans");
  await system.sh("dpkg --install /tmp/it.deb");
  assert.match(await Deno.readTextFile(`${system.root}/etc/strongmonitor/config.jsonc`), /\/\/ mine\n$/);
  assert.equal(await Deno.readTextFile(`${system.root}/var/lib/strongmonitor/state.db`), "bans");

  await system.sh("systemctl enable strongmonitor-sudo.service");
  await system.sh("dpkg --remove strongmonitor");
  assert.equal(await Deno.readTextFile(`${system.root}/var/lib/strongmonitor/state.db`), "bans");
  await system.sh("dpkg --install /tmp/it.deb && systemctl is-enabled strongmonitor.service");
  await system.sh("systemctl disable strongmonitor.service && dpkg --install /tmp/it.deb");
  await system.sh("! systemctl is-enabled strongmonitor.service");

  await system.sh(
    "nft 'add table inet strongmonitor; add chain inet strongmonitor made_by_strongmonitor' && " +
      "dpkg --purge strongmonitor && ! nft list table inet strongmonitor",
  );
  assert.ok(!exists(`${system.root}/var/lib/strongmonitor/state.db`));
  const after = await system.sh(
    "find / -xdev -path /proc -prune -o -path '/var/*' -prune -o -print | sort",
  );
  const left = new Set(after.split("\n")).difference(new Set(before.split("\n")));
  assert.deepEqual(
    [...left].filter((path) => !/^\/run\/|^\/etc\/.*-$|^\/etc\/\.pwd\.lock$/.test(path)),
    [],
  );
}
