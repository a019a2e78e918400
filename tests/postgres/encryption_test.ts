import { eventually } from "../support/helpers.ts";
import { strict as assert } from "node:assert";
import { Connection } from "../../lib/postgres/connection.ts";
import type { DatabaseConfig, SslMode } from "../../lib/postgres/database_config.ts";
import { encryptionOf, hasNodeTls } from "../../lib/postgres/encryption.ts";
import { probeDatabase } from "../../lib/postgres/probe.ts";
import { encryptServer, opensslMissing } from "../support/certificates.ts";
import { type Scene, testOnPostgres } from "../support/postgres_fixtures.ts";

const HAS_NODE_TLS = hasNodeTls(Deno.version.deno);
const ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";

/** Has the server encrypt, with a certificate for `localhost` alone. Returns how to log in, and another authority. */
async function encrypted({ server, login }: Scene): Promise<{ full: DatabaseConfig; other: string }> {
  const { own, other } = await encryptServer(server, "DNS:localhost");
  return { full: { ...login, host: "localhost", sslmode: "verify-full", sslrootcert: own }, other };
}

/** Says why nobody can connect so. */
async function refusal(config: DatabaseConfig): Promise<string> {
  const error = await probeDatabase(config).catch((error) => error);
  assert.ok(error instanceof Error, "it connects");
  return error.message;
}

await testOnPostgres("encryption", {
  "is missed in words where the server offers none": async ({ login }) => {
    const offers = `PostgreSQL at 127.0.0.1:${login.port} offers no TLS: set ssl = on`;
    assert.ok((await refusal({ ...login, sslmode: "verify-full" })).startsWith(offers));
    if (!HAS_NODE_TLS) return;
    assert.ok((await refusal({ ...login, sslmode: "require" })).startsWith(offers));
    await probeDatabase({ ...login, sslmode: "prefer" });
  },

  "by verify-full carries a session with a SCRAM password": async (scene) => {
    const { full } = await encrypted(scene);
    const connection = await scene.connect(full);
    assert.deepEqual([...await connection.query(ENCRYPTED)], [{ ssl: true }]);
    const [role] = await scene.query<{ secret: string }>(
      "SELECT rolpassword AS secret FROM pg_authid WHERE rolname = current_user",
    );
    assert.match(role!.secret, /^SCRAM-SHA-256\$/);
    const long = "x".repeat(3_000_000);
    const [row] = await connection.query<{ text: string }>("SELECT $1::text AS text", [long]);
    assert.equal(row!.text, long);
    assert.match(await refusal({ ...full, password: "wrong" }), /refuses the password/);
  },

  "by verify-full refuses another name, and the certificate of another authority": async (scene) => {
    const { full, other } = await encrypted(scene);
    const at = `PostgreSQL at localhost:${full.port} is not trusted`;
    assert.match(
      await refusal({ ...full, host: "127.0.0.1" }),
      /is not trusted: its certificate is not for that name/,
    );
    const stranger = await refusal({ ...full, sslrootcert: other });
    assert.ok(stranger.startsWith(`${at}: no authority of sslrootcert has signed its certificate`), stranger);
    assert.ok((await refusal({ ...full, sslrootcert: undefined })).startsWith(at));
    // Another authority of the same name, as somebody made it anew.
    await encrypted(scene);
    assert.equal(await refusal(full), stranger);
  },

  "by other modes works with newer versions of Deno": async (scene) => {
    const { full, other } = await encrypted(scene);
    const byAddress = { ...full, host: "127.0.0.1" };
    for (const sslmode of ["prefer", "require", "verify-ca"] as const) {
      if (HAS_NODE_TLS) {
        const connection = await scene.connect({ ...byAddress, sslmode });
        assert.deepEqual([...await connection.query(ENCRYPTED)], [{ ssl: true }], sslmode);
      } else {assert.match(
          await refusal({ ...byAddress, sslmode }),
          /takes a program built by Deno 2\.9 or newer/,
        );}
    }
    if (!HAS_NODE_TLS) return;
    assert.match(
      await refusal({ ...full, sslmode: "verify-ca", sslrootcert: other }),
      /no authority of sslrootcert has signed/,
    );
  },

  "leaves no connection behind, however that ends": async (scene) => {
    const { full } = await encrypted(scene);
    const modes: SslMode[] = HAS_NODE_TLS ? ["verify-full", "require"] : ["verify-full"];
    for (const sslmode of modes) {
      let lost = 0;
      const open = async () => {
        const options = { timeout: 30_000_000, onLost: () => lost++ };
        const connection = new Connection({ ...full, sslmode }, options);
        await connection.open();
        return connection;
      };
      await (await open()).close();
      (await open()).destroy();
      const [ended, frozen] = [await open(), await open()];
      await assert.rejects(ended.query("SELECT pg_terminate_backend(pg_backend_pid())"));
      const frozenWork = frozen.transaction(async () => {
        scene.server.freeze();
        await frozen.query("SELECT 1");
      }, 5_000_000);
      try {
        await assert.rejects(frozenWork, /no answer within 5s/);
      } finally {
        scene.server.thaw();
      }
      await eventually(() => lost >= 4);
      await eventually(async () =>
        (await scene.query("SELECT FROM pg_stat_ssl WHERE ssl AND pid <> pg_backend_pid()")).length === 0
      );
    }
  },
}, await opensslMissing());

const CONFIG = { host: "db", port: 5432, user: "u", database: "d", password: "p" };

Deno.test("`encryptionOf()` says what is wrong with a file of authorities", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const refused = (sslrootcert: string, sentence: RegExp) =>
      assert.throws(() => encryptionOf({ ...CONFIG, sslmode: "verify-full", sslrootcert }), sentence);
    refused(`${directory}/none.pem`, /^UserError: Cannot read sslrootcert: \S+\/none\.pem does not exist$/);
    refused(directory, /^UserError: Cannot read sslrootcert: .*directory/i);
    const empty = `${directory}/empty.pem`;
    await Deno.writeTextFile(empty, "-----BEGIN PRIVATE KEY-----\n");
    refused(empty, /^UserError: Cannot use sslrootcert: \S+\/empty\.pem holds no certificate in PEM$/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("`encryptionOf()` goes by libpq's variables where the configuration says nothing, and never on a socket", () => {
  const set = (mode: string) => Deno.env.set("PGSSLMODE", mode);
  try {
    set("verify-full");
    assert.equal(encryptionOf(CONFIG).mode, "verify-full");
    assert.equal(encryptionOf({ ...CONFIG, sslmode: "disable" }).mode, "disable");
    assert.equal(encryptionOf({ ...CONFIG, host: "/run/postgresql" }).mode, "disable");
    Deno.env.set("PGSSLROOTCERT", "/nonexistent.pem");
    assert.throws(() => encryptionOf(CONFIG), /sslrootcert: \/nonexistent\.pem does not exist/);
    set("allow");
    assert.throws(() => encryptionOf(CONFIG), /PGSSLMODE: it must be one of disable, prefer/);
  } finally {
    Deno.env.delete("PGSSLMODE");
    Deno.env.delete("PGSSLROOTCERT");
  }
  assert.equal(encryptionOf(CONFIG).mode, "disable");
});

Deno.test("`hasNodeTls()` knows versions by number", () => {
  const versions = ["2.4.2", "2.8.10", "2.9.0", "2.10.1", "3.0.0-rc.1"];
  assert.deepEqual(versions.map(hasNodeTls), [false, false, true, true, true]);
});
