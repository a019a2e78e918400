/** Makes certificates for tests by openssl, and lets PostgreSQL use them. */
import { eventually } from "./helpers.ts";
import type { TestPostgres } from "./postgres_server.ts";

/** A certificate authority in a directory. */
interface Authority {
  /** File with its certificate. */
  readonly file: string;
  /** Makes a key and a certificate for names such as `DNS:localhost`. Returns their files. */
  sign(names: string): Promise<{ certificate: string; key: string }>;
}

/** Returns why this machine can make no certificates, to skip a test by name; null: it can. */
export async function opensslMissing(): Promise<string | null> {
  return await openssl(["version"]).then(() => null, () => "needs openssl");
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes an authority; its files in `directory` begin with `name`. */
async function makeAuthority(directory: string, name: string): Promise<Authority> {
  const [file, key] = [`${directory}/${name}.pem`, `${directory}/${name}.key`];
  await openssl(["req", "-x509", ...KEY, "-days", "2", "-subj", `/CN=${name}`, "-keyout", key, "-out", file]);
  let number = 0;
  return {
    file,
    async sign(names) {
      const server = `${directory}/${name}-${++number}`;
      const [request, extensions] = [`${server}.csr`, `${server}.ext`];
      await Deno.writeTextFile(extensions, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
      await openssl(["req", ...KEY, "-subj", "/CN=server", "-keyout", `${server}.key`, "-out", request]);
      await openssl([
        ...["x509", "-req", "-days", "2", "-in", request, "-out", `${server}.pem`],
        ...["-CA", file, "-CAkey", key, "-CAcreateserial", "-extfile", extensions],
      ]);
      return { certificate: `${server}.pem`, key: `${server}.key` };
    },
  };
}

async function openssl(args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args: [...args] }).output();
  if (!success) throw new Error(`Cannot run openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}

/**
 * Makes a server encrypt, with a certificate for `names` such as `DNS:localhost`. Returns the files
 * of the authority that signed it, and of another authority.
 */
export async function encryptServer(
  server: TestPostgres,
  names: string,
): Promise<{ own: string; other: string }> {
  const directory = await Deno.makeTempDir({ dir: server.directory });
  const [own, other] = [await makeAuthority(directory, "own"), await makeAuthority(directory, "other")];
  const { certificate, key } = await own.sign(names);
  const { uid, gid } = await Deno.stat(server.directory);
  for (const file of [directory, certificate, key]) await Deno.chown(file, uid, gid);
  for (const [name, value] of [["ssl_cert_file", certificate], ["ssl_key_file", key], ["ssl", "on"]]) {
    await server.query(`ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await server.query("SELECT pg_reload_conf()");
  await eventually(async () => (await server.query<{ ssl: string }>("SHOW ssl"))[0]?.ssl === "on");
  return { own: own.file, other: other.file };
}
