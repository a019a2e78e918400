import { strict as assert } from "node:assert";
import { now } from "../../lib/core/time.ts";
import { scopeOf } from "../support/helpers.ts";
import { ban, type Scene, TestMember, testOnPostgres } from "../support/postgres_fixtures.ts";
import { assertDescribed, objectsOf } from "../support/json_page.ts";
import { program, type Result } from "../support/program.ts";

const RULE = { name: "a", str: "Invalid user", limit: 1 };

/** A configuration for the scene's database, removed at the end of the scope. */
class Place implements Disposable {
  readonly directory = Deno.makeTempDirSync({ prefix: "strongmonitor-fleet-" });
  readonly config = `${this.directory}/config.jsonc`;

  constructor({ login: { host, port, user, database, password } }: Pick<Scene, "login">) {
    const keys = { state: "state", modules: { SSHD: { rules: [RULE] } }, DB: { host, port, user, database } };
    Deno.writeTextFileSync(this.config, JSON.stringify(keys));
    Deno.writeTextFileSync(`${this.directory}/db_password.secret`, password, { mode: 0o600 });
  }

  run(...words: string[]): Promise<Result> {
    return program([...words, "--config", this.config]);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

await testOnPostgres("the command fleet", {
  "lists servers and their bans, escaped, and cuts one off": async (scene) => {
    using place = new Place(scene);
    await using a = new TestMember(scene.login, { hostName: "web1" });
    await using b = new TestMember(scene.login, { hostName: "\x1b[31mevil" });
    a.outbox.bans = [ban({ address: "192.0.2.1", scope: scopeOf("tcp 22"), start: now() })];
    b.outbox.bans = [
      ban({ address: "192.0.2.1", scope: scopeOf("tcp 22"), start: now() + 1, reason: "\x1b[2J" }),
      ban({ id: 2, change: 2, address: "192.0.2.2", start: now(), ended: now(), endReason: "unban" }),
    ];
    await Promise.all([a.shipped(), b.shipped()]);

    const list = await place.run("fleet");
    assert.equal(list.code, 0, list.stderr);
    assert.match(list.stdout, /^SERVER +VERSION +LAST SEEN/);
    assert.match(list.stdout, /^\\x1b\[31mevil .* 1 +0$/m);
    assert.match(list.stdout, /^2 servers\. Times are of UTC\.$/m);
    const bans = await place.run("fleet", "bans");
    assert.match(
      bans.stdout,
      /^192\.0\.2\.1 \(tcp 22\) .* for good +web1, \\x1b\[31mevil +\[SSHD\] invalid_user$/m,
    );
    assert.match(bans.stdout, /^1 ban in force\. Times are of UTC\.$/m);

    const servers = await place.run("fleet", "list", "--json");
    assertDescribed(objectsOf(servers.stdout), ["`fleet`"]);
    const keys = ["address", "scope", "servers", "reason", "start", "until"];
    const { stdout } = await place.run("fleet", "bans", "--json");
    for (const ban of objectsOf(stdout)) assert.deepEqual(Object.keys(ban), keys);

    await scene.query(`CREATE ROLE web1_${scene.login.database} LOGIN PASSWORD 'member' NOSUPERUSER;
      SELECT strongmonitor_admit('web1_${scene.login.database}')`);
    const login = { ...scene.login, user: `web1_${scene.login.database}`, password: "member" };
    using member = new Place({ login });
    const refused = await member.run("fleet", "remove", "web1");
    assert.deepEqual([refused.code, refused.stderr], [
      69,
      "strongmonitor: Cannot remove web1: this server is a member, and only the owner of the database removes " +
      "servers; run this on a server that connects as the owner\n",
    ]);

    const removed = await place.run("fleet", "remove", "web1");
    assert.deepEqual([removed.code, removed.stdout], [
      0,
      "web1 removed: the other servers lift what it alone banned (1 ban in force)\n",
    ]);
    assert.match((await place.run("fleet")).stdout, /^web1 .* removed$/m);
    const again = await place.run("fleet", "remove", "web1");
    assert.deepEqual([again.code, again.stdout], [1, ""]);
    assert.match(again.stderr, /Cannot remove web1: the fleet has no such server/);
  },

  "says which of several servers of one name it may mean": async (scene) => {
    using place = new Place(scene);
    await using a = new TestMember(scene.login, { hostName: "web" });
    await using b = new TestMember(scene.login, { hostName: "web" });
    await Promise.all([a.shipped(), b.shipped()]);
    const twins = await place.run("fleet", "remove", "web");
    assert.equal(twins.code, 1);
    assert.match(twins.stderr, new RegExp(`2 servers have this name; give an id: .*${a.outbox.hostId}`));
    assert.equal((await place.run("fleet", "remove", a.outbox.hostId)).code, 0);
  },

  "says what is in the way where no database answers": async (scene) => {
    using place = new Place(scene);
    await scene.server.stop();
    const away = await place.run("fleet");
    await scene.server.start();
    assert.deepEqual([away.code, away.stdout], [69, ""]);
    assert.match(
      away.stderr,
      /^strongmonitor: PostgreSQL at 127\.0\.0\.1:\d+ refuses connections: is it running there\?\n$/,
    );
  },
});

Deno.test("`fleet` without a database, and shared bans without one, are mistakes of the configuration", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "strongmonitor-fleet-" });
  const config = `${directory}/config.jsonc`;
  const write = (keys: Record<string, unknown>) =>
    Deno.writeTextFileSync(config, JSON.stringify({ modules: { SSHD: { rules: [RULE] } }, ...keys }));
  write({});
  const without = await program(["fleet", "--config", config]);
  assert.equal(without.code, 78);
  assert.match(without.stderr, /Cannot find the fleet: .* names no DB/);
  write({ fleet: { share_bans: true } });
  const shared = await program(["check", "--config", config]);
  Deno.removeSync(directory, { recursive: true });
  assert.equal(shared.code, 78);
  assert.match(shared.stdout, /share_bans: needs DB, the database that the servers share/);
});
