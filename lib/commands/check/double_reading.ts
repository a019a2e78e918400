/** Finds lines that a module would read, and count, twice. */
import type { Config } from "../../config/types.ts";
import { identityAt } from "../../core/file_identity.ts";
import { isInJournal } from "../../reading/module.ts";
import { Glob } from "../../sources/files/glob.ts";

/** Files in which syslog writes what the journal has too, on Debian, Red Hat and SUSE. */
const SYSLOG =
  /^\/var\/log\/(?:auth\.log|secure|messages|syslog|daemon\.log|user\.log|mail\.log|maillog|mail)$/;

/**
 * Warns of modules that read both the journal and a file of syslog, and of files that two patterns
 * of a module name, by links.
 */
export function readTwice({ modules }: Pick<Config, "modules">): string[] {
  return modules.flatMap(({ module }) => {
    const files = module.files.map(pathsOf);
    const ofSyslog = isInJournal(module) ? warnOfSyslog(files.flat()) : [];
    return [...ofSyslog, ...warnOfLinks(files)].map((sentence) => `[${module.name}] ${sentence}`);
  });
}

function warnOfSyslog(paths: readonly string[]): string[] {
  return paths.filter((path) => SYSLOG.test(path)).map((path) =>
    `the journal mostly has the lines of ${path} too, and each counts twice: name only one of them in match`
  );
}

/** @param files paths of each pattern */
function warnOfLinks(files: readonly (readonly string[])[]): string[] {
  const seen = new Map<string, { pattern: number; path: string }>();
  return files.flatMap((paths, pattern) =>
    paths.flatMap((path) => {
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
