/** Names of rotated files. Nothing here looks at the files themselves. */

/** Names of compressed files. */
export const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|lzma|Z|zip)$/;
/**
 * `access.log.1`, `access.log-20261123`, `access.log.old`, and logrotate(8)'s names for files in
 * its way; the log's own name may be the shortest or the longest beginning.
 */
const BEHIND = [
  /^(.+?)(?:[._-]\d[\d._-]*(?:\.backup)?|\.old|\.bak|~)$/,
  /^(.+)(?:[._-]\d[\d._-]*(?:\.backup)?|\.old|\.bak|~)$/,
];
/** `access-20261123.log`, and `app__2026-11-23_00-00-00.log` of pm2 */
const BETWEEN = /^(.+?)[._-]{1,2}\d{4}-?\d\d-?\d\d[\d._-]*(\.[^./]+)$/;
/** `@40000000692cae2f1f6a2c14.s` beside `current`: multilog, svlogd and s6-log so label ended files. */
const LABELLED = /^(.*\/)@[0-9a-f]{24}(?:\.[a-z])?$/;
const DATED = /(?<!\d)\d{4}[-_.]?\d\d[-_.]?\d\d[^/]*$/;
const SPARE = /(?:\.backup|\.old|\.bak|~)$/;
const NUMBER = /\.(\d{1,5})$/;

/** Reports whether a name is a rotation's: it is compressed, or derived from one of `logs`. */
export function isRotated(path: string, logs: ReadonlySet<string>): boolean {
  return COMPRESSED.test(path) || logsOf(path).some((log) => logs.has(log));
}

/** Reports whether a name with a date, `access-2026-11-23.log`, may be that of a log in use. */
export function isDated(path: string): boolean {
  return DATED.test(path) && !COMPRESSED.test(path) && !SPARE.test(path);
}

/** Reports whether a file can be read: it is not compressed, or by gzip. */
export function isReadable(path: string): boolean {
  return !COMPRESSED.test(path) || path.endsWith(".gz");
}

/** Returns the logs from which a file of this name may have been rotated away. */
export function logsOf(path: string): string[] {
  const name = path.replace(COMPRESSED, "");
  const between = BETWEEN.exec(name);
  const labelled = LABELLED.exec(name);
  return [
    ...(name === path ? [] : [name]),
    ...BEHIND.flatMap((form) => form.exec(name)?.[1] ?? []),
    ...(between ? [between[1]! + between[2]!] : []),
    ...(labelled ? [`${labelled[1]}current`] : []),
  ];
}

/** Returns the generation in a name: a higher one is older; null: none. */
export function numberOf(path: string): number | null {
  const digits = NUMBER.exec(path.replace(COMPRESSED, ""))?.[1];
  return digits === undefined ? null : Number(digits);
}
