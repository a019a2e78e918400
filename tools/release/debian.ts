/** The Debian package: its tree and its control files. */
import { UNITS } from "../../lib/core/program.ts";
import { UserError } from "../../lib/core/error.ts";
import { copy, copyFolder, write } from "./files.ts";

/** Debian's name of an architecture. */
export type Architecture = "amd64" | "arm64";

/** Input of the package. */
export interface Parts {
  readonly project: string;
  readonly program: string;
  /** Directory with the manual page and the completions. */
  readonly pages: string;
  readonly version: string;
  readonly architecture: Architecture;
  /** Name and address of the maintainer, as `Jane Doe <jane@example.org>`. */
  readonly maintainer: string;
}

const SCRIPTS = ["postinst", "prerm", "postrm"] as const;

/** Returns `name <address>` (deb-control(5)). Throws `UserError` (64) if dpkg would misread it. */
export function maintainerOf(name: string, address: string): string {
  if (/^[^<>,@\p{Cc}]+$/u.test(name) && /^[^\s<>,@]+@[^\s<>,@]+$/.test(address)) {
    return `${name.trim()} <${address}>`;
  }
  throw new UserError(
    `Cannot name the maintainer ${
      JSON.stringify(`${name} <${address}>`)
    }: set DEBFULLNAME to a name and DEBEMAIL to an address`,
    64,
  );
}

/** Returns the Debian changelog, beside the program's own. `date` is of RFC 5322. */
export function debianChangelog(
  { version, maintainer }: Pick<Parts, "version" | "maintainer">,
  date: string,
): string {
  return `strongmonitor (${version}) unstable; urgency=medium

  * All changes: changelog.gz

 -- ${maintainer}  ${date.replace("GMT", "+0000")}
`;
}

/** Writes the package's tree into `root`, an empty directory, for dpkg-deb(1). */
export function layDebian(root: string, parts: Parts): void {
  const { project, program, pages } = parts;
  const place = (from: string, to: string, mode = 0o644) => copy(from, `${root}/${to}`, mode);
  place(program, "usr/bin/strongmonitor", 0o755);
  // It has no rules, and stays the same: whenever it changes, dpkg asks everybody who has another
  // one, and an upgrade without a terminal fails.
  place(`${project}/packaging/config.jsonc`, "etc/strongmonitor/config.jsonc");
  place(`${project}/packaging/sysusers.conf`, "usr/lib/sysusers.d/strongmonitor.conf");
  for (const name of UNITS) {
    unit(`${project}/${name}.service`, `${root}/usr/lib/systemd/system/${name}.service`);
  }
  place(`${pages}/strongmonitor.8.gz`, "usr/share/man/man8/strongmonitor.8.gz");
  place(`${pages}/strongmonitor.bash`, "usr/share/bash-completion/completions/strongmonitor");
  place(`${pages}/_strongmonitor`, "usr/share/zsh/vendor-completions/_strongmonitor");
  place(`${pages}/strongmonitor.fish`, "usr/share/fish/vendor_completions.d/strongmonitor.fish");
  place(`${project}/packaging/lintian-overrides`, "usr/share/lintian/overrides/strongmonitor");
  const docs = "usr/share/doc/strongmonitor";
  for (const file of ["README.md", "config.jsonc"]) place(`${project}/${file}`, `${docs}/${file}`);
  copyFolder(`${project}/docs`, `${root}/${docs}/docs`);
  write(`${root}/${docs}/copyright`, copyright(Deno.readTextFileSync(`${project}/LICENSE`)));
  place(`${pages}/changelog.gz`, `${docs}/changelog.gz`);
  place(`${pages}/changelog.Debian.gz`, `${docs}/changelog.Debian.gz`);
  place(`${project}/docs/config.schema.json`, "usr/share/strongmonitor/config.schema.json");
  Deno.mkdirSync(`${root}/DEBIAN`);
  write(`${root}/DEBIAN/conffiles`, "/etc/strongmonitor/config.jsonc\n");
  write(`${root}/DEBIAN/control`, control(root, parts));
  for (const script of SCRIPTS) place(`${project}/packaging/${script}`, `DEBIAN/${script}`, 0o755);
}

/** Copies a unit, with the program's path in packages. */
function unit(from: string, to: string): void {
  copy(from, to, 0o644);
  Deno.writeTextFileSync(to, Deno.readTextFileSync(to).replaceAll("/usr/local/bin/", "/usr/bin/"));
}

function control(root: string, { version, architecture, maintainer }: Parts): string {
  return `Package: strongmonitor
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${sizeOf(root)}
Depends: libc6 (>= 2.36), libgcc-s1, systemd (>= 252), iproute2
Recommends: nftables
Suggests: sudo, postgresql
Section: admin
Priority: optional
Description: watches logs and bans attackers
 StrongMonitor follows the journal and log files, records every line that
 names an address, and bans whoever attacks: by a table of nftables of its
 own or by a command. Its permissions are compiled into the program, and it
 listens on nothing.
`;
}

/** Kibibytes of all files, as dpkg counts them. */
function sizeOf(directory: string): number {
  let size = 0;
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    const path = `${directory}/${name}`;
    size += isDirectory ? sizeOf(path) : Math.ceil(Deno.lstatSync(path).size / 1024);
  }
  return size;
}

function copyright(license: string): string {
  const text = license.trim().split("\n").slice(2).map((line) => line === "" ? " ." : ` ${line}`).join("\n");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: StrongMonitor

Files: *
Copyright: 2026 The StrongMonitor authors
License: Expat
${text.replace(/^ Copyright.*\n \.\n/, "")}
`;
}
