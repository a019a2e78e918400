import { strict as assert } from "node:assert";
import { userInfo } from "node:os";
import { absence, grant, readDenial, settingDenial } from "../../lib/core/read_denial.ts";

const USER = userInfo().username;
const isRoot = Deno.uid() === 0;

/** A file `a.log` of a group in a directory of its own; gone at the end of the scope. */
function scene(mode: number, group = 4): { readonly directory: string; readonly path: string } & Disposable {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-" });
  const path = `${directory}/a.log`;
  Deno.writeTextFileSync(path, "");
  Deno.chownSync(path, null, group);
  Deno.chmodSync(path, mode);
  return { directory, path, [Symbol.dispose]: () => Deno.removeSync(directory, { recursive: true }) };
}

Deno.test({
  name: "`readDenial()` names the group adm if it may read the file",
  ignore: !isRoot,
  fn: () => {
    using adm = scene(0o640);
    assert.equal(
      readDenial(adm.path),
      `user ${USER} may not read it; let it with: sudo usermod -aG adm ${USER}, and log in again or restart the service`,
    );
  },
});

Deno.test({
  name: "`readDenial()` gives adm what no group of others may read, and else names an access control list",
  ignore: !isRoot,
  fn: () => {
    using nobodys = scene(0o600, 54_321);
    using roots = scene(0o640, 0);
    for (const { path } of [nobodys, roots]) {
      assert.equal(
        readDenial(path),
        `user ${USER} may not read it; let it with: sudo chgrp adm ${path} && sudo chmod g+r ${path}`,
      );
    }
    using others = scene(0o640, 54_321);
    assert.equal(
      readDenial(others.path),
      `user ${USER} may not read it; let it with the package acl: sudo setfacl -m u:${USER}:r ${others.path}`,
    );
  },
});

Deno.test("`settingDenial()` tells people to use sudo", () => {
  using file = scene(0o640, Deno.gid()!);
  assert.equal(settingDenial(file.path, file.path), `user ${USER} may not read ${file.path}; use sudo`);
});

Deno.test("`grant()` gives a file of root's to the service, and never takes one away from the group that uses it", () => {
  const info = Deno.statSync("/");
  const file = (mode: number, gid: number) => ({ path: "/a b", wanted: 4, info: { ...info, mode, gid } });
  const options = { group: "monitor", prefix: "" };
  const given = "with: chgrp monitor '/a b' && chmod g+r '/a b'";
  assert.equal(grant("me", file(0o640, 0), options), given);
  assert.equal(grant("me", file(0o600, 990), options), given);
  assert.equal(grant("me", { ...file(0, 0), info: null }, options), given);
  for (const mode of [0o640, 0o620, 0o610]) {
    assert.equal(grant("me", file(mode, 990), options), "with the package acl: setfacl -m u:me:r '/a b'");
  }
  assert.match(grant("me", { ...file(0, 0), wanted: 7 }, options), / chmod g\+rwx /);
});

/** Answers `statSync()` for some paths: with a mode of root's directory, or a denial. */
function withStat<T>(answers: Record<string, number | null>, work: () => T): T {
  const { statSync } = Deno;
  Deno.statSync = (path) => {
    const mode = answers[String(path)];
    if (mode === null) throw new Deno.errors.PermissionDenied("permission denied");
    return mode === undefined ? statSync(path) : { ...statSync("/"), mode, gid: mode & 0o010 ? 4 : 0 };
  };
  try {
    return work();
  } finally {
    Deno.statSync = statSync;
  }
}

Deno.test("`readDenial()` names the directory that lets nobody through", () => {
  const closed = withStat(
    { "/srv": 0o755, "/srv/my logs": 0o700, "/srv/my logs/a.log": null },
    () => readDenial("/srv/my logs/a.log"),
  );
  assert.equal(
    closed,
    `user ${USER} may not read it; let it with: sudo chgrp adm '/srv/my logs' && sudo chmod g+x '/srv/my logs'`,
  );
  const grouped = withStat(
    { "/srv": 0o755, "/srv/log": 0o750, "/srv/log/x": null },
    () => readDenial("/srv/log/x/a.log"),
  );
  assert.match(grouped, /sudo usermod -aG adm /);
});

Deno.test("`readDenial()` knows homes that a unit hides", () => {
  const text = withStat(
    { "/home": 0o40000, "/home/site": null },
    () => readDenial("/home/site/logs/access.log"),
  );
  assert.equal(
    text,
    `user ${USER} may not read it; ProtectHome of its unit hides /home; ` +
      `let it with ProtectHome=read-only in: sudo systemctl edit strongmonitor`,
  );
});

Deno.test("`absence()` tells of the settings of a unit that may hide a file", () => {
  assert.equal(absence("/var/log/a.log"), "there is no such file yet");
  assert.match(absence("/tmp/a.log"), /PrivateTmp=yes, a service has a \/tmp of its own$/);
  assert.match(absence("/var/tmp/a.log"), /\/var\/tmp of its own$/);
  assert.match(absence("/root/a.log"), /ProtectHome=tmpfs, a service sees none in \/root$/);
});
