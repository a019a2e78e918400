/** Lists the program's parts in a CycloneDX 1.6 bill of materials. */
import { Buffer } from "node:buffer";

/** npm packages of the program, from `deno info --json`. */
interface Info {
  readonly npmPackages: Readonly<Record<string, { readonly name: string; readonly version: string }>>;
}

/** Checksums of npm packages, from Deno's lock file. */
interface Lock {
  readonly npm: Readonly<Record<string, { readonly integrity: string }>>;
}

/** @param runtime version of the Deno that the program is built upon */
export function sbom(
  { info, lock, version, runtime }: { info: Info; lock: Lock; version: string; runtime: string },
): string {
  const packages = Object.entries(info.npmPackages).map(([id, { name, version }]) => {
    const purl = purlOf(name, version);
    return { type: "library", "bom-ref": purl, name, version, purl, hashes: hashOf(lock.npm[id]?.integrity) };
  });
  return JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: {
        component: { type: "application", "bom-ref": "strongmonitor", name: "strongmonitor", version },
      },
      components: [
        {
          type: "platform",
          "bom-ref": "deno",
          name: "deno",
          version: runtime,
          purl: `pkg:generic/deno@${runtime}`,
        },
        ...packages.sort((a, b) => a.purl < b.purl ? -1 : 1),
      ],
    },
    null,
    2,
  ) + "\n";
}

/** Returns an npm package's URL (purl): a slash separates scope and name. */
function purlOf(name: string, version: string): string {
  return `pkg:npm/${name.split("/").map(encodeURIComponent).join("/")}@${version}`;
}

/** Reads npm's checksum: `sha512-` and base64. */
function hashOf(integrity: string | undefined): { alg: string; content: string }[] {
  const digest = /^sha512-(.+)$/.exec(integrity ?? "")?.[1];
  return digest === undefined
    ? []
    : [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }];
}
