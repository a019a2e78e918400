/** Finds lines that a module would read, and count, twice. */
import type { Config } from "../../config/types.ts";
import { identityAt } from "../../core/file_identity.ts";
import { isInJournal, type Module } from "../../reading/module.ts";
import { Glob } from "../../sources/files/glob.ts";

/** Files in which syslog writes what the journal has too, on Debian, Red Hat and SUSE. */
const SYSLOG =
  /^\/var\/log\/(?:auth\.log|secure|messages|syslog|daemon\.log|user\.log|mail\.log|maillog|mail)$/;

/**
 * Warns of modules that read both the journal and a file of syslog, and of files that two patterns
 * of a module name, by links.
 */
export function readTwice({ modules }: Pick<Config, "modules">): string[] {
  return modules.flatMap(({ module }) =>
    [...ofSyslog(module), ...ofLinks(module)].map((sentence) => `[${module.name}] ${sentence}`)
  );
}

function ofSyslog(module: Module): string[] {
  if (!isInJournal(module)) return [];
  return module.files.flatMap(pathsOf).filter((path) => SYSLOG.test(path)).map((path) =>
    `the journal mostly has the lines of ${path} too, and each counts twice: name only one of them in match`
  );
}

function ofLinks({ files }: Module): string[] {
  const seen = new Map<string, { pattern: string; path: string }>();
  return files.flatMap((pattern) =>
    pathsOf(pattern).flatMap((path) => {
      const identity = identityAt(path)!;
      const other = seen.get(identity);
      if (other === undefined) seen.set(identity, { pattern, path });
      return other === undefined || other.pattern === pattern || other.path === path
        ? []
        : `${path} is the same file as ${other.path}, and its lines count twice: name only one of them in match`;
    })
  );
}

/** Returns the existing files of a pattern. */
function pathsOf(pattern: string): string[] {
  return new Glob(pattern).list().paths.filter((path) => identityAt(path) !== null);
}
