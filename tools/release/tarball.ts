/** The tarball: its tree. */
import type { Parts } from "./debian.ts";
import { copy, copyFolder } from "./files.ts";

/** Files beside the program, by their paths in the project. */
const SHIPPED = [
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "config.jsonc",
  "strongmonitor.service",
  "strongmonitor-sudo.service",
];

/** Writes the tarball's tree into `root`. */
export function layTarball(
  root: string,
  { project, program, pages }: Pick<Parts, "project" | "program" | "pages">,
): void {
  copy(program, `${root}/strongmonitor`, 0o755);
  for (const file of SHIPPED) copy(`${project}/${file}`, `${root}/${file}`, 0o644);
  copyFolder(`${project}/docs`, `${root}/docs`);
  for (const { name: page } of Deno.readDirSync(pages)) {
    if (!page.startsWith("changelog")) copy(`${pages}/${page}`, `${root}/share/${page}`, 0o644);
  }
}
