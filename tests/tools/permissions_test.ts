import { strict as assert } from "node:assert";
import type { Config } from "../../lib/config/types.ts";
import type { Permissions } from "../../lib/config/permissions.ts";
import { UserError } from "../../lib/core/error.ts";
import { buildPermissions, describePermissions, permissionOptions } from "../../tools/permissions.ts";
import { plainConfig } from "../support/configs.ts";

function configAt(path: string, stateDirectory = "/var/lib/strongmonitor"): Config {
  const plain = plainConfig({ path, name: path, stateDirectory });
  return { ...plain, ban: { ...plain.ban, firewall: "command", command: ["sudo", "/opt/ban", "%s"] } };
}

Deno.test("`buildPermissions()` adds the installed configuration, wherever that of the build stands", () => {
  assert.deepEqual(buildPermissions(configAt("/home/me/config.jsonc")).read, [
    "/etc/strongmonitor",
    "/home/me/config.jsonc",
    "/var/lib/strongmonitor",
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
  ]);
  assert.deepEqual(buildPermissions(configAt("/etc/strongmonitor/config.jsonc")).read, [
    "/etc/strongmonitor",
    "/var/lib/strongmonitor",
    "/etc/resolv.conf",
    "/run/systemd/resolve/resolv.conf",
  ]);
});

const PERMISSIONS: Permissions = {
  run: ["sudo", "/opt/hook"],
  net: ["[2001:db8::5]:5432", "unix:/run/socket"],
  read: ["/etc/strongmonitor"],
  write: [],
  env: [],
  sys: ["hostname"],
};

Deno.test("`permissionOptions()` never asks, leaves out what is not permitted at all, and goes by no PATH", () => {
  assert.deepEqual(permissionOptions(PERMISSIONS, { hasSockets: true }), [
    "--no-prompt",
    "--allow-run=/usr/local/sbin/sudo,/usr/local/bin/sudo,/usr/sbin/sudo,/usr/bin/sudo,/sbin/sudo,/bin/sudo,/opt/hook",
    "--allow-net=[2001:db8::5]:5432,unix:/run/socket",
    "--allow-read=/etc/strongmonitor",
    "--allow-sys=hostname",
  ]);
});

Deno.test("`permissionOptions()` leaves out sockets for a Deno that has no word for them", () => {
  const options = permissionOptions(PERMISSIONS, { hasSockets: false });
  assert.equal(options.find((option) => option.startsWith("--allow-net")), "--allow-net=[2001:db8::5]:5432");
});

Deno.test("`permissionOptions()` refuses a comma, which would permit two other things", () => {
  const refused = { message: /Cannot allow "\/a,\/etc": .* no comma/, code: 78, name: UserError.name };
  assert.throws(
    () => permissionOptions({ ...PERMISSIONS, write: ["/a,/etc"] }, { hasSockets: true }),
    refused,
  );
});

Deno.test("`describePermissions()` says one permission a line", () => {
  assert.equal(
    describePermissions(PERMISSIONS),
    [
      "may run                  sudo",
      "may run                  /opt/hook",
      "may reach                [2001:db8::5]:5432",
      "may reach                unix:/run/socket",
      "may read                 /etc/strongmonitor",
      "may know of the machine  hostname",
    ].join("\n"),
  );
});
