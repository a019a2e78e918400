import { strict as assert } from "node:assert";
import { userInfo } from "node:os";
import { absence, readDenial, settingDenial } from "../../lib/core/read_denial.ts";

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
      `user ${USER} may not read it; let it with: sudo usermod -aG adm ${USER}, and log in again`,
    );
  },
});

Deno.test({
  name:
    "`readDenial()` names an access control list where no group may read the file, root's, or one without a known name",
  ignore: !isRoot,
  fn: () => {
    using nobodys = scene(0o600);
    using roots = scene(0o640, 0);
    using others = scene(0o640, 54_321);
    for (const { path, directory } of [nobodys, roots, others]) {
      assert.equal(
        readDenial(path),
        `user ${USER} may not read it; let it with: sudo setfacl -m u:${USER}:r ${path}, ` +
          `and those that follow with: sudo setfacl -m d:u:${USER}:r ${directory}`,
      );
    }
  },
});

Deno.test({
  name: "`settingDenial()` never takes a file away from the group that reads it",
  ignore: !isRoot,
  fn: () => {
    using service = scene(0o640, 54_321);
    using roots = scene(0o600, 0);
    for (const { path } of [service, roots]) {
      assert.equal(
        settingDenial(path, path),
        `user ${USER} may not read ${path}; use sudo, or let it with: sudo setfacl -m u:${USER}:r ${path}`,
      );
    }
  },
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
    `user ${USER} may not read it; let it with: sudo setfacl -m u:${USER}:x '/srv/my logs'`,
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
